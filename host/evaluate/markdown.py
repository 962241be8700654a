"""The figures as a page in Markdown: what docs/accuracy.md is."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .display import Point, curve, has_container, points, title
from .report import MEASURES

_Reports = Sequence[Mapping[str, Any]]
_MEASURES = dict(zip(MEASURES, ("Top-1", "Top-5"), strict=True))


def markdown(reports: _Reports, plot: Path | None, page: Path) -> str:
    """The page of these reports; ``plot`` is shown where it has been drawn, by its path from ``page``."""
    first = reports[0]
    original = first["original"]
    parts = [
        "# Accuracy against bytes\n\n"
        "Written by `make figures`; [evaluation.md](evaluation.md) says what is counted and how.\n\n"
        f"{first['n']:,} pictures, classifier {first['classifier']}; on the pictures as they are top-5 is "
        f"{_share(original['top5'])}, top-1 {_share(original['top1'])}. ± is half of a 95 % interval (Wilson)."
    ]
    if plot:
        path = Path(os.path.relpath(plot.resolve(), page.resolve().parent)).as_posix()
        parts.append(f"![Top-5 accuracy against bytes]({path})")
    for measure in reversed(MEASURES):
        parts.append(f"## {_MEASURES[measure]} at a budget\n\n{_at_budgets(reports, measure)}")
    ladders = [report for report in reports if report["kind"] == "ladder"]
    if ladders:
        parts.append(f"## At one quality for all pictures\n\n{_at_qualities(ladders)}")
    cuttable = [report for report in reports if points(report, "cut")]
    if cuttable:
        parts.append(f"## Cut at any byte\n\n{_drops(cuttable)}\n\n{_at_cuts(cuttable)}")
    return "\n\n".join(parts) + "\n"


def _at_budgets(reports: _Reports, measure: str) -> str:
    budgets = [row["budget_bytes"] for row in reports[0]["rows"] if row["budget_bytes"] is not None]
    rows = [["bytes, at most", *(f"{budget:,}" for budget in budgets), "all (mean bytes)"]]
    for report in reports:
        cells = {point["at"]: _cell(point, measure) for point in points(report, "budget")}
        (whole,) = (point for point in points(report, "budget") if point["at"] is None)
        everything = f"{cells[None]} ({whole['mean_bytes']:,.0f})"
        rows.append([title(report["codec"]), *(cells[budget] for budget in budgets), everything])
        if has_container(report):
            cells = {point["at"]: _cell(point, measure) for point in points(report, "payload")}
            name = f"{title(report['codec'])}, container not counted"
            rows.append([name, *(cells[budget] for budget in budgets), ""])
    return _table(rows)


def _at_qualities(ladders: _Reports) -> str:
    rows = [["codec", "quality", "mean bytes", "without container", "top-5", "top-1"]]
    for report in ladders:
        for point in curve(report):
            payload = f"{point['mean_payload_bytes']:,.0f}" if has_container(report) else ""
            rows.append(
                [
                    title(report["codec"]),
                    str(point["at"]),
                    f"{point['mean_bytes']:,.0f}",
                    payload,
                    _cell(point, "top5"),
                    _cell(point, "top1"),
                ]
            )
    return _table(rows)


def _drops(cuttable: _Reports) -> str:
    lines = ["By how much a cut between two budgets is worse than the lower one, where that is the most:"]
    lines.append("")
    for report in cuttable:
        told = [
            f"{_MEASURES[measure].lower()} {worst['drop']:+.3f} (cut at {worst['cut_bytes']:,} bytes against "
            f"{worst['budget_bytes']:,})"
            for measure, worst in report["largest_drop"].items()
        ]
        lines.append(f"- {title(report['codec'])}: {', '.join(told)}")
    lines.append("")
    lines.append("Below 0: more bytes were never worse.")
    return "\n".join(lines)


def _at_cuts(cuttable: _Reports) -> str:
    by_cut = [{p["at"]: p for p in points(report, "cut", "budget") if p["at"]} for report in cuttable]
    rows = [
        ["bytes, at most", *(f"{title(r['codec'])}, {_MEASURES[m].lower()}" for r in cuttable for m in MEASURES[::-1])]
    ]
    for cut in sorted(set().union(*by_cut)):
        cells = [_share(found[cut][m]) if cut in found else "" for found in by_cut for m in MEASURES[::-1]]
        rows.append([f"{cut:,}", *cells])
    return _table(rows)


def _cell(point: Point, measure: str) -> str:
    """A share and half its interval; how many of the pictures could be sent, if not all."""
    if not point["sent"]:
        return "none fits"
    half = (point[f"{measure}_high"] - point[f"{measure}_low"]) / 2
    sent = "" if point["sent"] == 1 else f" ({point['sent']:.0%} sent)"
    return f"{_share(point[measure])} ± {_share(half)}{sent}"


def _share(value: float) -> str:
    """Three digits after the point, without the zero before it: .708."""
    text = f"{value:.3f}"
    return text[1:] if text.startswith("0.") else text


def _table(rows: Sequence[Sequence[str]]) -> str:
    head, *body = (f"| {' | '.join(row)} |" for row in rows)
    return "\n".join([head, "|" + "---|" * len(rows[0]), *body])
