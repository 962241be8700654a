"""Draws what is shown of a photo."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

from ...codec import SIDE
from .recipe import ClassifierRecipe

Pictures = npt.NDArray[np.uint8]
#: Photos are kept at this short side at most, in pixels: 10,800 of them take 2.8 GB.
SHORT_SIDE = 256


def draw_part(photo: Pictures, recipe: ClassifierRecipe, rng: np.random.Generator) -> Pictures:
    """Draw a part of a photo, or all of it, squashed to uint8 [224, 224, 3]; every second one is mirrored."""
    height, width = photo.shape[:2]
    wide, high = (1.0, 1.0) if rng.random() < recipe.whole_photos else rng.uniform(recipe.least_side, 1, 2)
    left, top = rng.uniform(0, width * (1 - wide)), rng.uniform(0, height * (1 - high))
    box = (left, top, left + width * wide, top + height * high)
    part = np.asarray(Image.fromarray(photo).resize((SIDE, SIDE), Image.Resampling.BICUBIC, box=box))
    return np.ascontiguousarray(part[:, ::-1]) if rng.random() < 0.5 else part
