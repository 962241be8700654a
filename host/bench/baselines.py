"""Encoders that the codec's speed is compared with: PNC's own in LiteRT, and Pillow's."""

from __future__ import annotations

import io
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from .timing import Step

#: A uint8 TFLite encoder of PNC's architecture with random weights: it takes as long as the published one.
ENCODER = Path(__file__).parent / "data" / "pnc-encoder-uint8.tflite"
LITERT = "LiteRT: PNC's uint8 encoder"
JPEG = "Pillow: progressive JPEG q30"
#: Name, format, and options of ``Image.save``.
FORMATS: list[tuple[str, str, dict[str, Any]]] = [
    (JPEG, "JPEG", {"quality": 30, "progressive": True}),
    ("Pillow: WebP q20", "WEBP", {"quality": 20}),
    ("Pillow: AVIF q30", "AVIF", {"quality": 30, "max_threads": 1}),
]


def baselines(pictures: Sequence[np.ndarray], notes: list[str]) -> list[Step]:
    """Return a step for each baseline that is installed, and add a note to ``notes`` for each other one."""
    steps = []
    try:
        steps.append(_litert(pictures))
    except ImportError:
        notes.append(f"left out: {LITERT} (LiteRT is not installed: pip install 'pnc-link[tflite]')")
    images = [Image.fromarray(picture) for picture in pictures]
    Image.init()
    for name, form, options in FORMATS:
        if form in Image.SAVE:
            steps.append(_pillow(name, form, options, images))
        else:
            notes.append(f"left out: {name} (this Pillow writes no {form}: pip install 'pillow>=11.3')")
    return steps


def _litert(pictures: Sequence[np.ndarray]) -> Step:
    from ai_edge_litert.interpreter import Interpreter

    # An interpreter serves one thread at a time.
    local = threading.local()

    def interpreter() -> Any:
        if not hasattr(local, "interpreter"):
            local.interpreter = Interpreter(str(ENCODER), num_threads=1)
            local.interpreter.allocate_tensors()
        return local.interpreter

    first = interpreter()
    into, out = first.get_input_details()[0]["index"], first.get_output_details()[0]["index"]

    def one(number: int) -> object:
        mine = interpreter()
        mine.set_tensor(into, pictures[number][np.newaxis])
        mine.invoke()
        return mine.get_tensor(out)

    return Step(LITERT, one)


def _pillow(name: str, form: str, options: dict[str, Any], images: Sequence[Image.Image]) -> Step:
    def one(number: int) -> int:
        out = io.BytesIO()
        images[number].save(out, form, **options)
        return out.tell()

    sizes = [one(number) for number in range(len(images))]
    return Step(name, one, size_bytes=round(sum(sizes) / len(sizes)))
