"""Reports as text: a table for the terminal, JSON, CSV, and the Markdown page docs/accuracy.md."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Sequence
from pathlib import Path

from ..cli import table
from .accuracy import MEASURES
from .report import Point, Report, curve, has_container, points, title

#: What a person sees of a picture, and the digits after the point.
_SEEN = {"psnr_db": 1, "blockiness": 2}
_MEASURES = dict(zip(MEASURES, ("Top-1", "Top-5"), strict=True))


def summary(report: Report) -> str:
    """Return the short form of a report: a row for each budget, the originals, the largest drops."""
    rows = []
    for row in report["rows"]:
        budget = "all" if row["budget_bytes"] is None else str(row["budget_bytes"])
        seen = ("" if row[name] is None else f"{row[name]:.2f}" for name in ("psnr_db", "blockiness"))
        rows.append([budget, f"{row['mean_bytes']:.1f}", f"{row['top1']:.4f}", f"{row['top5']:.4f}", *seen])
    original = report["original"]
    rows.append(["original", "", f"{original['top1']:.4f}", f"{original['top5']:.4f}", "", ""])
    return "\n".join(
        [
            f"{report['n']} pictures, codec {report['codec']}, classifier {report['classifier']}",
            *table.lines(["budget", "mean bytes", "top-1", "top-5", "PSNR, dB", "blockiness"], rows, right=True),
            *(
                f"largest drop below the next lower budget, {measure}: {worst['drop']:.4f} "
                f"(cut at {worst['cut_bytes']} against {worst['budget_bytes']} bytes)"
                for measure, worst in report.get("largest_drop", {}).items()
            ),
        ]
    )


def as_json(report: Report | Sequence[Report]) -> bytes:
    """Return one report or several as JSON."""
    return (json.dumps(report, indent=2) + "\n").encode()


def as_csv(reports: Sequence[Report]) -> bytes:
    """Return a line for each point of each report."""
    text = io.StringIO(newline="")
    common = ("codec", "classifier", "n")
    writer = csv.DictWriter(text, [*common, *reports[0]["points"][0]], lineterminator="\n")
    writer.writeheader()
    for report in reports:
        for point in report["points"]:
            writer.writerow({name: report[name] for name in common} | {k: _shortest(v) for k, v in point.items()})
    return text.getvalue().encode()


def as_page(reports: Sequence[Report], plot: Path | None, page: Path) -> bytes:
    """Return the Markdown page; it shows ``plot``, if one was drawn, by its path relative to ``page``."""
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
    parts.append(
        "## What a person sees\n\n"
        "Mean PSNR in dB, then blockiness: steps across the borders of 8x8 cells against steps inside, divided by the "
        f"same ratio of the originals.\n\n{_at_budgets(reports)}"
    )
    ladders = [report for report in reports if report["kind"] == "ladder"]
    if ladders:
        parts.append(f"## At one quality for all pictures\n\n{_at_qualities(ladders)}")
    cuttable = [report for report in reports if points(report, "cut")]
    if cuttable:
        parts.append(f"## Cut at any byte\n\n{_drops(cuttable)}\n\n{_at_cuts(cuttable)}")
    return ("\n\n".join(parts) + "\n").encode()


def _at_budgets(reports: Sequence[Report], measure: str | None = None) -> str:
    """Return a table of a measure of accuracy, or of PSNR and blockiness."""
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
    return _markdown_table(rows)


def _at_qualities(ladders: Sequence[Report]) -> str:
    rows = [["codec", "quality", "mean bytes", "without container", "top-5", "top-1"]]
    for report in ladders:
        for point in curve(report):
            payload = f"{point['mean_payload_bytes']:,.0f}" if has_container(report) else ""
            name, quality, size = title(report["codec"]), str(point["at"]), f"{point['mean_bytes']:,.0f}"
            rows.append([name, quality, size, payload, _cell(point, "top5"), _cell(point, "top1")])
    return _markdown_table(rows)


def _drops(cuttable: Sequence[Report]) -> str:
    lines = ["Largest accuracy drop: how much worse any cut between two budgets scores than the smaller budget.", ""]
    for report in cuttable:
        drops = [
            f"{_MEASURES[measure].lower()} {worst['drop']:+.3f} (cut at {worst['cut_bytes']:,} bytes against "
            f"{worst['budget_bytes']:,})"
            for measure, worst in report["largest_drop"].items()
        ]
        lines.append(f"- {title(report['codec'])}: {', '.join(drops)}")
    return "\n".join([*lines, "", "Negative if no cut is worse."])


def _at_cuts(cuttable: Sequence[Report]) -> str:
    by_cut = [{p["at"]: p for p in points(report, "cut", "budget") if p["at"]} for report in cuttable]
    rows = [
        ["bytes, at most", *(f"{title(r['codec'])}, {_MEASURES[m].lower()}" for r in cuttable for m in MEASURES[::-1])]
    ]
    for cut in sorted(set().union(*by_cut)):
        cells = [_share(found[cut][m]) if cut in found else "" for found in by_cut for m in MEASURES[::-1]]
        rows.append([f"{cut:,}", *cells])
    return _markdown_table(rows)


def _cell(point: Point, measure: str | None) -> str:
    """Return a share with half its interval, and how many of the pictures were sent, if not all.

    Without a measure, return PSNR and blockiness of those that were sent.
    """
    if not point["sent"]:
        return "none fits"
    if measure is None:
        return ", ".join("?" if point[name] is None else f"{point[name]:.{digits}f}" for name, digits in _SEEN.items())
    half = (point[f"{measure}_high"] - point[f"{measure}_low"]) / 2
    sent = "" if point["sent"] == 1 else f" ({point['sent']:.0%} sent)"
    return f"{_share(point[measure])} ± {_share(half)}{sent}"


def _share(value: float) -> str:
    """Return three decimals without the zero before the point: .708."""
    text = f"{value:.3f}"
    return text[1:] if text.startswith("0.") else text


def _markdown_table(rows: Sequence[Sequence[str]]) -> str:
    head, *body = (f"| {' | '.join(row)} |" for row in rows)
    return "\n".join([head, "|" + "---|" * len(rows[0]), *body])


def _shortest(value: object) -> object:
    """Round to six digits: more than 95 % intervals need, and lines stay readable."""
    return f"{value:.6g}" if isinstance(value, float) else value
