"""Drawn pictures: smooth grounds, edges and some texture, so that formats have something to choose between."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from host.evaluate.codec_under_test import Picture


def drawn(seed: int) -> Picture:
    random = np.random.default_rng(seed)
    ramp = np.linspace(0, 120, 224)[:, None, None] + random.integers(0, 100, 3) + random.normal(0, 6, (224, 224, 3))
    image = Image.fromarray(np.clip(ramp, 0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    for _ in range(12):
        x, y, size = (int(value) for value in random.integers(10, 200, 3))
        draw.ellipse(
            (x, y, x + size // 2, y + size // 3), fill=tuple(int(value) for value in random.integers(0, 255, 3))
        )
    return np.asarray(image)


@pytest.fixture(scope="session")
def pictures() -> list[Picture]:
    return [drawn(seed) for seed in range(3)]
