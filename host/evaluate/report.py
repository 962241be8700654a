"""From counts to the report of one codec, ready for JSON.

``rows`` is the short form: for each budget the mean bytes and the accuracy. ``points`` holds all that was measured,
each with its 95 % intervals; it is what the CSV, the plot and the table are made of.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .accuracy import Tally, wilson
from .grid import largest_drop
from .measure import Measured, Result
from .subject import Question, View

MEASURES = ("top1", "top5")


def reports(result: Result, budgets_bytes: Sequence[int]) -> list[dict[str, Any]]:
    """One for each subject. Questions about other budgets than these are told as cuts."""
    return [_report(result, measured, sorted(set(budgets_bytes))) for measured in result.measured]


def _report(result: Result, measured: Measured, budgets: Sequence[int]) -> dict[str, Any]:
    tallies = measured.tallies
    rows: list[dict[str, Any]] = [
        {"budget_bytes": question.value, "mean_bytes": tally.size_bytes / tally.pictures, **tally.accuracy()}
        for question, tally in tallies.items()
        if question.view is View.BUDGET and (question.value is None or question.value in budgets)
    ]
    report: dict[str, Any] = {
        "n": result.original.pictures,
        "classifier": result.classifier,
        "codec": measured.subject.name,
        "kind": measured.subject.kind,
        "skipped": result.skipped,
        "original": result.original.accuracy(),
        "rows": rows,
        "points": [_point(question, tally, budgets) for question, tally in tallies.items()],
    }
    cuts = {q.value: tally for q, tally in tallies.items() if q.view is View.BUDGET and q.value is not None}
    drops = {measure: largest_drop(cuts, budgets, measure) for measure in MEASURES}
    if all(drops.values()):
        report["largest_drop"] = drops
    return report


def _point(question: Question, tally: Tally, budgets: Sequence[int]) -> dict[str, Any]:
    is_cut = question.view is View.BUDGET and question.value is not None and question.value not in budgets
    point: dict[str, Any] = {
        "view": "cut" if is_cut else str(question.view),
        "at": question.value,
        "mean_bytes": tally.size_bytes / tally.pictures,
        "mean_payload_bytes": tally.payload_bytes / tally.pictures,
        "sent": tally.sent / tally.pictures,
    }
    for measure, hits in zip(MEASURES, (tally.first, tally.first_five), strict=True):
        low, high = wilson(hits, tally.pictures)
        point |= {measure: hits / tally.pictures, f"{measure}_low": low, f"{measure}_high": high}
    return point
