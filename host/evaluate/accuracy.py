"""Counting: the place of the right class, shares of pictures, and how sure those shares are."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

#: Two-sided 95 % of a normal distribution.
_Z = 1.959964


@dataclass(slots=True)
class Tally:
    """Counts over pictures: how many, how many of them were sent, their bytes with and without the container, how
    often the right class was first or among the first five."""

    pictures: int = 0
    sent: int = 0
    size_bytes: int = 0
    payload_bytes: int = 0
    first: int = 0
    first_five: int = 0

    def add(self, place: int | None, size_bytes: int = 0, payload_bytes: int = 0) -> None:
        """``place``: of the right class in the classifier's order, 0 the likeliest; None: nothing was sent, which
        counts as wrong."""
        self.pictures += 1
        self.size_bytes += size_bytes
        self.payload_bytes += payload_bytes
        if place is not None:
            self.sent += 1
            self.first += place < 1
            self.first_five += place < 5

    def accuracy(self) -> dict[str, float]:
        """Shares of the pictures, 0..1."""
        return {"top1": self.first / self.pictures, "top5": self.first_five / self.pictures}


def wilson(hits: int, trials: int) -> tuple[float, float]:
    """The 95 % interval of a share of ``hits`` in ``trials`` (at least 1).

    E. B. Wilson, J. Am. Stat. Assoc. 22 (1927) 209: the shares p whose normal approximation with variance
    p(1-p)/n holds the observed one.
    """
    share = hits / trials
    middle = share + _Z**2 / (2 * trials)
    half = _Z * math.sqrt(share * (1 - share) / trials + _Z**2 / (4 * trials**2))
    scale = 1 + _Z**2 / trials
    # Rounding must not put a bound beyond 0, 1 or the share itself.
    return max(0.0, min(share, (middle - half) / scale)), min(1.0, max(share, (middle + half) / scale))


def place_of(right: int, probabilities: npt.NDArray[np.float32]) -> int:
    """How many classes come before the right one; of equally likely ones the lower index comes first."""
    mine = probabilities[right]
    return int((probabilities > mine).sum() + (probabilities[:right] == mine).sum())
