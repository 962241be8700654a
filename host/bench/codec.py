"""Times the picture codec step by step, and other encoders on the same pictures in the same run.

Everything computes on one thread, batches on as many as are asked for. BLAS and OpenMP are limited by the environment
of a separate process; LiteRT, onnxruntime and AVIF by their options; the rest has no threads.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ..camera.pictures import SAMPLE, pictures_in
from ..cli.hints import with_hint
from ..codec import Codec, CodecError, PictureError, load, load_picture
from ..codec.layout import MEANS
from ..codec.picture import sound_pictures, to_pixels
from ..edge.builtin import BEST
from ..edge.classifier import load as load_classifier
from ..edge.errors import ClassifierError
from ..wire import MAX_CODEC_BYTES
from .baselines import JPEG, LITERT, baselines
from .timing import Step, time_in_turn

THREAD_SETTINGS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
ROUNDS, BATCH = 24, 16
#: How many pictures of a folder are used.
MOST_PICTURES = 64

READ, NETWORK, CODING = "read a file, resize", "encode: network", "encode: entropy coding and packets"
ENCODE, FIRST = "encode: together", "encode: first 1,000 bytes"
ENTROPY, DECODE = "decode: entropy", "decode: together"
ANSWER, BEST_ANSWER = "decode and classify", "decode and classify: best"
#: Bytes of the step ``FIRST``: what a slow link carries of a picture.
FIRST_BYTES = 1000
#: A figure's name, its step, the step it is divided by (None: milliseconds), and the largest value allowed.
LIMITS: list[tuple[str, str, str | None, float | None]] = [
    ("encoding network / LiteRT", NETWORK, LITERT, 1.0),
    ("whole encoder / progressive JPEG", ENCODE, JPEG, 1.0),
    ("first 1,000 bytes / progressive JPEG", FIRST, JPEG, 0.5),
    ("whole encoder / WebP", ENCODE, "Pillow: WebP q20", None),
    ("whole encoder / AVIF", ENCODE, "Pillow: AVIF q30", None),
    ("entropy decoding, ms", ENTROPY, None, 10.0),
    ("decode and classify, ms", ANSWER, None, 60.0),
    ("decode and classify with best, ms", BEST_ANSWER, None, 60.0),
]


def run(name: str, folder: Path | None = None, rounds: int = ROUNDS, batch: int = BATCH, threads: int = 1) -> Any:
    """Call ``measure`` in a separate process, whose libraries compute on one thread."""
    os.environ.update(dict.fromkeys(THREAD_SETTINGS, "1"))
    others = multiprocessing.active_children()
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        # The new process inherits that Ctrl-C is ignored: this one receives the signal and ends the other.
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            report = process.submit(measure, name, folder, rounds, batch, threads)
        finally:
            signal.signal(signal.SIGINT, before)
        try:
            return report.result()
        except KeyboardInterrupt:
            for child in multiprocessing.active_children():
                if child not in others:
                    child.terminate()
            raise


def measure(name: str, folder: Path | None, rounds: int, batch: int, threads: int) -> dict[str, Any]:
    """Time all steps.

    Args:
        name: the codec.
        folder: photos; None: parts of the sample, a photo.
        rounds: how often each step is timed on each picture.
        batch: pictures in a batch.
        threads: threads that share a batch.

    Returns:
        ``settings``, ``rows`` (a step each), ``ratios`` with their limits, and ``notes`` on what was left out.

    Raises:
        CodecError: there is no codec of that name.
        PictureError: ``folder`` has no usable picture.
    """
    notes: list[str] = []
    codec = load(name)
    files, pictures = _pictures_in(folder, notes) if folder else ([SAMPLE], parts_of(SAMPLE))
    steps = [Step(READ, lambda number: load_picture(files[number % len(files)]))]
    steps += _encoding(codec, pictures)
    try:
        steps += _decoding(codec, [codec.encode(picture) for picture in pictures])
    except (CodecError, ClassifierError) as error:
        notes.append(f"left out: decoder and classifier ({with_hint(error)})")
    steps += baselines(pictures, notes)
    time_in_turn(steps, len(pictures), rounds, batch, threads)
    settings = {"codec": codec.name, "pictures": len(pictures), "rounds": rounds, "batch": batch, "threads": threads}
    return {"settings": settings, "rows": [step.row() for step in steps], "ratios": _ratios(steps), "notes": notes}


def _pictures_in(folder: Path, notes: list[str]) -> tuple[list[Path], list[np.ndarray]]:
    """Return the first usable files with their pictures; note how many before them were broken."""
    if not folder.is_dir():
        raise PictureError(f"{folder}: no such folder")
    try:
        files = pictures_in(folder, recursive=False)
    except OSError as error:
        raise PictureError(f"{folder}: cannot be read ({error.strerror or error})") from error
    if not files:
        raise PictureError(f"{folder}: no pictures in this folder")
    broken: list[Path] = []
    sound = list(islice(sound_pictures(files, broken), MOST_PICTURES))
    if not sound:
        raise PictureError(f"{folder}: no usable picture (all {len(broken)} are broken)")
    if broken:
        notes.append(f"left out: {len(broken)} broken files of {folder}")
    return [file for file, _ in sound], [picture for _, picture in sound]


def parts_of(file: Path) -> list[np.ndarray]:
    """Return eight parts of a photo, three quarters of its height each: detailed and smooth ones."""
    with Image.open(file) as image:
        photo = image.convert("RGB")
    side = photo.height * 3 // 4
    corners = [((photo.width - side) * x // 3, (photo.height - side) * y) for y in range(2) for x in range(4)]
    return [to_pixels(photo.crop((x, y, x + side, y + side))) for x, y in corners]


def _encoding(codec: Codec, pictures: Sequence[np.ndarray]) -> list[Step]:
    symbols = [codec.analysis(picture) for picture in pictures]
    packets = [codec.bitstream.packetize(s) for s in symbols]
    size = round(sum(len(packet.data) for stream in packets for packet in stream) / len(packets))
    first = round(
        sum(min(FIRST_BYTES, sum(len(packet.data) for packet in stream)) for stream in packets) / len(packets)
    )
    coded = [[(p.position, p.data[1 if p.position else 1 + MEANS :]) for p in stream] for stream in packets]
    room = MAX_CODEC_BYTES - 1
    return [
        Step(NETWORK, lambda number: codec.analysis(pictures[number])),
        Step(CODING, lambda number: codec.bitstream.packetize(symbols[number])),
        Step(
            "encode: entropy coding",
            lambda number: codec.coder.packetize(symbols[number].coefficients, room, len(coded[number]), head=MEANS),
        ),
        Step("encode: packets", lambda number: codec.bitstream.ranked(coded[number], symbols[number].colour)),
        Step(ENCODE, lambda number: codec.encode(pictures[number]), size_bytes=size),
        Step(FIRST, lambda number: codec.encode(pictures[number], max_bytes=FIRST_BYTES), size_bytes=first),
    ]


def _decoding(codec: Codec, streams: Sequence[Any]) -> list[Step]:
    decoder, classifier, best = codec.decoder(threads=1), load_classifier(threads=1), load_classifier(BEST, threads=1)
    decoded = np.stack([decoder.decode(stream).picture for stream in streams])

    def decode(numbers: Sequence[int]) -> np.ndarray:
        return np.stack([d.picture for d in decoder.decode_batch([streams[number] for number in numbers])])

    def step(name: str, many: Callable[[Sequence[int]], object]) -> Step:
        return Step(name, lambda number: many([number]), many)

    return [
        Step(ENTROPY, lambda number: codec.bitstream.depacketize(streams[number])),
        step(DECODE, decode),
        step("classify", lambda numbers: classifier.probabilities(decoded[list(numbers)])),
        step("classify: best", lambda numbers: best.probabilities(decoded[list(numbers)])),
        step(ANSWER, lambda numbers: classifier.probabilities(decode(numbers))),
        step(BEST_ANSWER, lambda numbers: best.probabilities(decode(numbers))),
    ]


def _ratios(steps: Sequence[Step]) -> list[dict[str, Any]]:
    """Return the figures whose steps were timed, from the medians of their times and of their CPU times."""
    timed = {step.name: step for step in steps}
    rows = []
    for figure, name, other, most in LIMITS:
        if name in timed and (other is None or other in timed):
            value, cpu = timed[name].median_ms, timed[name].median_cpu_ms
            if other is not None:
                value, cpu = value / timed[other].median_ms, cpu / timed[other].median_cpu_ms
            met = None if most is None else value <= most
            rows.append(
                {"figure": figure, "value": round(value, 3), "of_cpu": round(cpu, 3), "at_most": most, "met": met}
            )
    return rows
