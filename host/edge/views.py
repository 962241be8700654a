"""Views of a picture: networks that see it in different ways err less often together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from PIL import Image

from .pictures import InputSpec

#: Added to a probability before its logarithm is taken.
_LEAST = 1e-7


@dataclass(frozen=True, slots=True)
class View:
    """One way to look at a picture: scaled to a side, in pixels, or to the size that the network takes; mirrored."""

    side_px: int | None = None
    mirrored: bool = False

    def of(self, pictures: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """Return pictures, uint8 [n, h, w, 3], in this view. Pillow's bicubic filter scales them."""
        seen = pictures[:, :, ::-1] if self.mirrored else pictures
        if self.side_px is None or not len(seen):
            return seen
        size = (self.side_px, self.side_px)
        return np.stack([np.asarray(Image.fromarray(p).resize(size, Image.Resampling.BICUBIC)) for p in seen])

    def spec(self, spec: InputSpec) -> InputSpec:
        """Return the input of a network, which takes any size if this view has a side of its own."""
        return spec if self.side_px is None else replace(spec, height_px=self.side_px, width_px=self.side_px)


#: What the networks of the built-in classifiers look at. The larger side of the second view shows smaller things.
ONE_VIEW = (View(),)
LARGER_MIRRORED = (View(256, mirrored=True),)


def together(rows: Sequence[npt.NDArray[np.float32]]) -> npt.NDArray[np.float32]:
    """Return the geometric mean of several views' probabilities, float32 [n, classes] each, which sums to 1."""
    mean = np.exp(np.mean([np.log(row + _LEAST) for row in rows], axis=0))
    return np.asarray(mean / mean.sum(axis=1, keepdims=True), np.float32)
