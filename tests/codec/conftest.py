"""The shipped codec, and drawn pictures."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from host.codec import Codec, Decoder, load


@functools.cache
def drawing(seed: int) -> np.ndarray:
    """Draw soft shading, shapes and some grain, uint8 [224, 224, 3]."""
    rng = np.random.default_rng(seed)
    corners = rng.integers(30, 226, (2, 2, 3)).astype(np.uint8)
    image = Image.fromarray(corners).resize((224, 224), Image.Resampling.BILINEAR)
    draw = ImageDraw.Draw(image)
    for _ in range(int(rng.integers(4, 10))):
        x, y = rng.integers(0, 200, 2)
        w, h = rng.integers(15, 110, 2)
        colour = tuple(int(v) for v in rng.integers(0, 256, 3))
        shape = (draw.ellipse, draw.rectangle)[int(rng.integers(2))]
        shape((int(x), int(y), int(x + w), int(y + h)), fill=colour)
        draw.line([tuple(int(v) for v in p) for p in rng.integers(0, 224, (3, 2))], fill=colour, width=3)
    pixels = np.asarray(image.filter(ImageFilter.GaussianBlur(0.7))).astype(np.float64)
    pixels += rng.normal(0, rng.uniform(1, 10), (224, 224, 1))
    drawn: np.ndarray = np.clip(pixels, 0, 255).astype(np.uint8)
    drawn.flags.writeable = False
    return drawn


def save_drawings(folder: Path, count: int, *, first: int = 0, suffix: str = ".png") -> Path:
    """Save drawings of so many seeds in a folder, as 0.png and so on; return the folder."""
    for number in range(count):
        Image.fromarray(drawing(first + number)).save(folder / f"{number}{suffix}")
    return folder


@pytest.fixture(scope="session")
def codec() -> Codec:
    return load("pnc-v2")


@pytest.fixture(scope="session")
def decoder(codec: Codec) -> Decoder:
    pytest.importorskip("onnxruntime", reason="the decoder needs the extra pnc-link[edge]")
    return codec.decoder()


@pytest.fixture(scope="session")
def drawings() -> list[np.ndarray]:
    return [drawing(seed) for seed in range(24)]
