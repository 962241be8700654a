"""The report of one codec, ready for JSON, and the parts of it that plot and page show.

``rows`` is the short form: for each budget the mean bytes and the accuracy. ``points`` holds all that was measured,
each with its 95 % intervals; CSV, plot and page are made of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .accuracy import MEASURES, Tally, largest_drop, wilson
from .codec_under_test import Criterion, OperatingPoint
from .measurement import CodecCounts, Counts

Report = Mapping[str, Any]
Point = Mapping[str, Any]

_TITLES = {
    "pnc-reference": "PNC as published",
    "jpeg": "JPEG",
    "pjpeg": "progressive JPEG",
    "webp": "WebP",
    "avif": "AVIF",
    "jxl": "JPEG XL",
}


def reports(counts: Counts, budgets_bytes: Sequence[int]) -> list[dict[str, Any]]:
    """Return a report for each codec. Points at other budgets than these are reported as cuts."""
    return [_report(counts, codec, sorted(set(budgets_bytes))) for codec in counts.codecs]


def _report(counts: Counts, codec: CodecCounts, budgets: Sequence[int]) -> dict[str, Any]:
    tallies = codec.tallies
    rows: list[dict[str, Any]] = [
        {
            "budget_bytes": point.value,
            "mean_bytes": tally.size_bytes / tally.pictures,
            **tally.accuracy(),
            **_fidelity(tally),
        }
        for point, tally in tallies.items()
        if point.criterion is Criterion.BUDGET and (point.value is None or point.value in budgets)
    ]
    report: dict[str, Any] = {
        "n": counts.original.pictures,
        "classifier": counts.classifier,
        "codec": codec.codec.name,
        "kind": codec.codec.kind,
        "skipped": counts.skipped,
        "original": counts.original.accuracy(),
        "rows": rows,
        "points": [_point(point, tally, budgets) for point, tally in tallies.items()],
    }
    cuts = {p.value: t for p, t in tallies.items() if p.criterion is Criterion.BUDGET and p.value is not None}
    drops = {measure: largest_drop(cuts, budgets, measure) for measure in MEASURES}
    if all(drops.values()):
        report["largest_drop"] = drops
    return report


def _point(point: OperatingPoint, tally: Tally, budgets: Sequence[int]) -> dict[str, Any]:
    is_cut = point.criterion is Criterion.BUDGET and point.value is not None and point.value not in budgets
    figures: dict[str, Any] = {
        "view": "cut" if is_cut else str(point.criterion),
        "at": point.value,
        "mean_bytes": tally.size_bytes / tally.pictures,
        "mean_payload_bytes": tally.payload_bytes / tally.pictures,
        "sent": tally.sent / tally.pictures,
    }
    for measure, hits in zip(MEASURES, (tally.top1, tally.top5), strict=True):
        low, high = wilson(hits, tally.pictures)
        figures |= {measure: hits / tally.pictures, f"{measure}_low": low, f"{measure}_high": high}
    return figures | _fidelity(tally)


def _fidelity(tally: Tally) -> dict[str, float | None]:
    return {"psnr_db": tally.fidelity.mean_psnr_db, "blockiness": tally.fidelity.blockiness}


def title(codec: str) -> str:
    """Return the name of a codec for people."""
    return _TITLES.get(codec, codec)


def points(report: Report, *criteria: str) -> list[Point]:
    """Return the points of these criteria, of which ``cut`` is one."""
    return [point for point in report["points"] if point["view"] in criteria]


def has_container(report: Report) -> bool:
    """Return whether the report also has figures without the format's container."""
    return bool(points(report, "payload"))


def curve(report: Report) -> list[Point]:
    """Return the points of a codec's curve, by mean bytes: qualities of a ladder, budgets of all others.

    Points where nothing was sent have no place on a logarithmic axis. Budgets that leave the same of every picture are
    one point.
    """
    chosen = points(report, "quality") or points(report, "budget")
    kept: list[Point] = []
    for point in sorted(chosen, key=lambda each: float(each["mean_bytes"])):
        if point["mean_bytes"] > (kept[-1]["mean_bytes"] if kept else 0):
            kept.append(point)
    return kept
