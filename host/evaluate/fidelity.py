"""How near a decoded picture is to its original, and whether the grid of cells shows in it.

PSNR says how large the error is. Blockiness says whether a person sees 8x8 squares: the steps of brightness between
cells, against those inside cells.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..codec.layout import CELL
from .codec_under_test import Picture

#: Luma of RGB (ITU-R BT.601).
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
#: An error below a half of the least step in every value cannot be told from none: PSNR is at most 54.15 dB.
_LEAST_SQUARED_ERROR = 0.25


@dataclass(frozen=True, slots=True)
class Steps:
    """Mean absolute steps of luma from a pixel to its right and lower neighbour, in grey levels.

    ``border``: where the neighbour is in another cell of 8x8 pixels; ``inside``: where it is in the same cell.
    """

    border: float
    inside: float


@dataclass(frozen=True, slots=True)
class Fidelity:
    """A decoded picture beside its original: PSNR of RGB in dB, and the steps of both."""

    psnr_db: float
    steps: Steps
    original: Steps


def steps(picture: Picture) -> Steps:
    """Return the steps of a picture, uint8 [h, w, 3]."""
    luma = picture.astype(np.float32) @ _LUMA
    border = inside = 0.0
    counts = [0, 0]
    for plane in (luma, luma.T):
        size = np.abs(np.diff(plane, axis=1))
        at_border = np.arange(1, plane.shape[1]) % CELL == 0
        border += float(size[:, at_border].sum())
        inside += float(size[:, ~at_border].sum())
        counts[0] += size[:, at_border].size
        counts[1] += size[:, ~at_border].size
    return Steps(round(border / counts[0], 5), round(inside / counts[1], 5))


def psnr_db(decoded: Picture, original: Picture) -> float:
    """Return the peak signal-to-noise ratio in dB, at most 54.15."""
    squared_error = float(np.mean((decoded.astype(np.float32) - original) ** 2))
    return 10 * math.log10(255**2 / max(squared_error, _LEAST_SQUARED_ERROR))


def compare(decoded: Picture, original: Picture) -> Fidelity:
    """Compare a decoded picture with its original. Values are rounded, so that files of them stay small."""
    return Fidelity(round(psnr_db(decoded, original), 5), steps(decoded), steps(original))


@dataclass(slots=True)
class FidelityTotal:
    """Sums over the pictures that were sent."""

    pictures: int = 0
    psnr_db: float = 0.0
    border: float = 0.0
    inside: float = 0.0
    original_border: float = 0.0
    original_inside: float = 0.0

    def add(self, fidelity: Fidelity) -> None:
        """Count a picture."""
        self.pictures += 1
        self.psnr_db += fidelity.psnr_db
        self.border += fidelity.steps.border
        self.inside += fidelity.steps.inside
        self.original_border += fidelity.original.border
        self.original_inside += fidelity.original.inside

    @property
    def mean_psnr_db(self) -> float | None:
        """Mean PSNR in dB; None without a picture."""
        return self.psnr_db / self.pictures if self.pictures else None

    @property
    def blockiness(self) -> float | None:
        """Steps at borders over steps inside, divided by the same ratio of the originals.

        1: no more of a grid than in the originals. None if that cannot be said, as where all pictures are flat.
        """
        if not (self.inside and self.original_inside and self.original_border):
            return None
        return (self.border / self.inside) / (self.original_border / self.original_inside)
