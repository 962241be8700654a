"""Accuracy: the rank of the right class, shares of pictures with their confidence, the grid of cuts and its drops."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from .fidelity import Fidelity, FidelityTotal

#: The two measures of accuracy, as they are called in reports.
MEASURES = ("top1", "top5")
#: Two-sided 95 % of a normal distribution.
_Z = 1.959964
_FINE_UP_TO_BYTES, _FINE_STEP_BYTES, _STEP_BYTES = 1000, 50, 250


def class_rank(right: int, probabilities: npt.NDArray[np.float32]) -> int:
    """Return how many classes are more probable than the right one, 0 for none.

    Of equally probable classes the one with the lower index comes first.
    """
    mine = probabilities[right]
    return int((probabilities > mine).sum() + (probabilities[:right] == mine).sum())


@dataclass(slots=True)
class Tally:
    """Counts over pictures.

    ``sent``: how many of them were sent; ``size_bytes`` and ``payload_bytes``: their total with and without the
    container; ``top1``, ``top5``: how often the right class was the first or among the first five; ``fidelity``: of
    those that were sent.
    """

    pictures: int = 0
    sent: int = 0
    size_bytes: int = 0
    payload_bytes: int = 0
    top1: int = 0
    top5: int = 0
    fidelity: FidelityTotal = field(default_factory=FidelityTotal)

    def add(
        self, rank: int | None, size_bytes: int = 0, payload_bytes: int = 0, fidelity: Fidelity | None = None
    ) -> None:
        """Count a picture by the rank of its right class; None: nothing was sent, which counts as wrong."""
        self.pictures += 1
        self.size_bytes += size_bytes
        self.payload_bytes += payload_bytes
        if rank is not None:
            self.sent += 1
            self.top1 += rank < 1
            self.top5 += rank < 5
        if fidelity is not None:
            self.fidelity.add(fidelity)

    def accuracy(self) -> dict[str, float]:
        """Return both measures as shares of the pictures, 0..1."""
        return {"top1": self.top1 / self.pictures, "top5": self.top5 / self.pictures}


def wilson(hits: int, trials: int) -> tuple[float, float]:
    """Return the 95 % interval of a share of ``hits`` in ``trials`` (at least 1).

    E. B. Wilson, J. Am. Stat. Assoc. 22 (1927) 209: the shares p whose normal approximation with variance
    p(1-p)/n contains the observed one.
    """
    share = hits / trials
    middle = share + _Z**2 / (2 * trials)
    half = _Z * math.sqrt(share * (1 - share) / trials + _Z**2 / (4 * trials**2))
    scale = 1 + _Z**2 / trials
    # Rounding must not put a bound beyond 0, 1 or the share itself.
    return max(0.0, min(share, (middle - half) / scale)), min(1.0, max(share, (middle + half) / scale))


def grid(largest_bytes: int) -> list[int]:
    """Return every 50 bytes up to 1000 and every 250 from there to ``largest_bytes``."""
    fine = range(_FINE_STEP_BYTES, min(largest_bytes, _FINE_UP_TO_BYTES) + 1, _FINE_STEP_BYTES)
    return [*fine, *range(_FINE_UP_TO_BYTES + _STEP_BYTES, largest_bytes + 1, _STEP_BYTES)]


def largest_drop(tallies: Mapping[int, Tally], budgets_bytes: Sequence[int], measure: str) -> dict[str, float]:
    """Return the largest accuracy drop between two budgets: how much worse a cut scores than the next smaller budget.

    Args:
        tallies: by cut in bytes, the budgets among them.
        budgets_bytes: the budgets.
        measure: top1 or top5.

    Returns:
        ``drop`` as a share of the pictures, negative if no cut is worse, with its ``cut_bytes`` and ``budget_bytes``;
        empty if there is no cut between two budgets.
    """
    worst: dict[str, float] = {}
    budgets = sorted(set(budgets_bytes))
    for cut in sorted(tallies):
        lower = max((budget for budget in budgets if budget <= cut), default=None)
        if lower is None or cut in budgets or cut > budgets[-1]:
            continue
        drop = tallies[lower].accuracy()[measure] - tallies[cut].accuracy()[measure]
        if not worst or drop > worst["drop"]:
            worst = {"drop": drop, "cut_bytes": cut, "budget_bytes": lower}
    return worst
