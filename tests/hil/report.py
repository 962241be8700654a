"""The page about one run: outcomes, figures and plots."""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from pathlib import Path

_WIDTH, _HEIGHT, _MARGIN = 640, 160, 40


@dataclass(frozen=True, slots=True)
class Plot:
    """One curve; ``points`` are (x, y)."""

    test: str
    title: str
    x: str
    y: str
    points: tuple[tuple[float, float], ...]

    def svg(self) -> str:
        """Return the plot as SVG."""
        if not self.points:
            return ""
        xs, ys = zip(*self.points, strict=True)
        left, right, top = min(xs), max(xs), max(*ys, 0.0)
        across, up = right - left or 1.0, top or 1.0
        places = " ".join(
            f"{_MARGIN + (x - left) / across * (_WIDTH - 2 * _MARGIN):.1f},"
            f"{_HEIGHT - _MARGIN / 2 - y / up * (_HEIGHT - _MARGIN):.1f}"
            for x, y in self.points
        )
        floor = _HEIGHT - _MARGIN / 2
        return (
            f"<figure><figcaption>{html.escape(self.title)}</figcaption>"
            f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" role="img">'
            f'<path d="M{_MARGIN} {_MARGIN / 2}V{floor}H{_WIDTH - _MARGIN}" fill="none" stroke="#888"/>'
            f'<polyline points="{places}" fill="none" stroke="#06c" stroke-width="1.5"/>'
            f'<text x="2" y="{_MARGIN / 2}" font-size="11">{top:.4g}</text>'
            f'<text x="{_MARGIN}" y="{_HEIGHT - 4}" font-size="11">{left:.4g}</text>'
            f'<text x="{_WIDTH - _MARGIN}" y="{_HEIGHT - 4}" font-size="11" text-anchor="end">'
            f"{right:.4g} {html.escape(self.x)}</text>"
            f'<text x="2" y="{_HEIGHT / 2}" font-size="11">{html.escape(self.y)}</text></svg></figure>'
        )


@dataclass
class Run:
    """Results of a run so far."""

    link: str
    outcomes: list[tuple[str, str, float, str]] = field(default_factory=list)  # test, outcome, s, why
    figures: list[tuple[str, str, str]] = field(default_factory=list)  # test, what, value
    plots: list[Plot] = field(default_factory=list)

    def page(self) -> str:
        """Return the page as self-contained HTML."""
        counts: dict[str, int] = {}
        for _, outcome, _, _ in self.outcomes:
            counts[outcome] = counts.get(outcome, 0) + 1
        summary = ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items())) or "nothing was run"
        return (
            "<!DOCTYPE html><html lang='en'><meta charset='utf-8'><title>PNC Link: HIL</title>"
            "<style>body{font:14px sans-serif;margin:2em;max-width:60em}td,th{padding:2px 10px;text-align:left}"
            ".failed{color:#b00}.skipped{color:#777}</style>"
            f"<h1>Link {html.escape(self.link)}: {html.escape(summary)}</h1>"
            f"<table><tr><th>test<th>outcome<th>s<th>{''.join(map(_outcome_row, self.outcomes))}</table>"
            f"<h2>Figures</h2><table>{''.join(map(_figure_row, self.figures))}</table>"
            f"<h2>Plots</h2>{''.join(f'<h3>{html.escape(plot.test)}</h3>{plot.svg()}' for plot in self.plots)}</html>\n"
        )

    def write(self, path: Path) -> None:
        """Write the page."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.page(), encoding="utf-8")


def _outcome_row(row: tuple[str, str, float, str]) -> str:
    test, outcome, seconds, why = row
    return f"<tr class='{outcome}'><td>{html.escape(test)}<td>{outcome}<td>{seconds:.1f}<td>{html.escape(why)}"


def _figure_row(row: tuple[str, str, str]) -> str:
    return "<tr>" + "".join(f"<td>{html.escape(cell)}" for cell in row)
