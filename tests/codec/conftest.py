"""A codec of channels, and pictures drawn here (no photo is in the repository)."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from host.codec import Codec, Decoder, load
from host.codec.entropy import EntropyCoder


@functools.cache
def drawing(seed: int) -> np.ndarray:
    """Soft shading, shapes, and some grain: uint8 [224, 224, 3]."""
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


def random_model(rng: np.random.Generator, channels: int, side: int, levels: int = 3, reach: int = 4) -> EntropyCoder:
    """A coder with tables drawn at random, from nearly flat to very uneven."""
    size = 2 * reach + 2
    shares = rng.dirichlet(np.full(size, rng.choice([0.05, 0.5, 5.0])), (channels, 2, levels, 4))
    sizes = 1 + np.floor(shares * ((1 << 15) - size)).astype(np.int64)
    sizes[..., rng.integers(size)] += (1 << 15) - sizes.sum(-1)
    tables = np.concatenate([np.zeros((*sizes.shape[:-1], 1), np.int64), sizes.cumsum(-1)], -1)
    arrays = {
        "zero": rng.integers(0, 256, channels).astype(np.uint8),
        "mean": rng.integers(-40, 60, (channels, 6)).astype(np.int16),
        "spread": rng.integers(0, 80, (channels, 12)).astype(np.uint16),
        "thresholds": np.sort(rng.integers(0, 60000, (channels, levels - 1)), axis=1).astype(np.int32),
        "tables": tables.astype(np.uint16),
    }
    return EntropyCoder(arrays, side)


@pytest.fixture(scope="session")
def codec() -> Codec:
    return load("pnc-v1")


@pytest.fixture(scope="session")
def decoder(codec: Codec) -> Decoder:
    pytest.importorskip("onnxruntime", reason="the decoder needs the extra pnc-link[edge]")
    return codec.decoder()


@pytest.fixture(scope="session")
def drawings() -> list[np.ndarray]:
    return [drawing(seed) for seed in range(24)]
