"""Cuts at any byte: a fine grid of them, and whether more bytes ever make it worse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .accuracy import Tally

_FINE_UP_TO_BYTES, _FINE_STEP_BYTES, _STEP_BYTES = 1000, 50, 250


def grid(largest_bytes: int) -> list[int]:
    """Every 50 bytes up to 1000, every 250 from there to ``largest_bytes``."""
    fine = range(_FINE_STEP_BYTES, min(largest_bytes, _FINE_UP_TO_BYTES) + 1, _FINE_STEP_BYTES)
    return [*fine, *range(_FINE_UP_TO_BYTES + _STEP_BYTES, largest_bytes + 1, _STEP_BYTES)]


def largest_drop(tallies: Mapping[int, Tally], budgets_bytes: Sequence[int], measure: str) -> dict[str, float]:
    """By how much a cut is worse than the next lower budget, where that is the most (negative: never worse).

    ``tallies``: by cut, budgets among them; ``measure``: top1 or top5. Shares of the pictures, 0..1. Empty when no cut
    lies between two budgets.
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
