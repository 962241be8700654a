"""Plots: accuracy against deadline, and the time line of a run (matplotlib, the extra ``plot``)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from typing import Any

from ..evaluate.plot import check_format
from .comparison import Comparison
from .scoring import Row

__all__ = ["check_format", "draw_accuracy", "draw_timeline"]

# M. Okabe and K. Ito, Color Universal Design (2008): colour-blind readers can distinguish them.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_DASHES = {"ours": "-", "fifo": "--", "reference": ":", "oracle": "-."}
_TIMELINE_PICTURES = 16
_SAMPLE_US = 5_000


def draw_accuracy(rows: Sequence[Row], file_format: str) -> bytes:
    """Return a plot of top-5 accuracy against deadline: colours for scenarios and codecs, dashes for policies."""
    lines: dict[tuple[str, str, str], list[tuple[float, float]]] = {}
    for row in rows:
        if row.top5 is not None:
            lines.setdefault((row.scenario, row.codec, row.policy), []).append((row.deadline_ms, row.top5))
    kinds = list(dict.fromkeys(key[:2] for key in lines))
    with _figure((8, 5)) as figure:
        axes = figure.add_subplot()
        for (scenario, codec, policy), points in lines.items():
            points.sort()
            axes.plot(
                [deadline_ms for deadline_ms, _ in points],
                [top5 for _, top5 in points],
                color=_COLOURS[kinds.index((scenario, codec)) % len(_COLOURS)],
                linestyle=_DASHES.get(policy, "-"),
                marker="o",
                markersize=4,
                label=f"{scenario}, {policy}"
                if len({row.codec for row in rows}) == 1
                else f"{scenario}, {codec}, {policy}",
            )
        axes.set_xlabel("deadline from the picture to its answer, ms")
        axes.set_ylabel("top-5 accuracy of answers in time")
        axes.set_ylim(0, 1)
        axes.grid(color="#dddddd", linewidth=0.6)
        axes.set_title(f"{rows[0].pictures:,} pictures", fontsize=10, loc="left")
        figure.legend(loc="outside right upper", fontsize=8, frameon=False)
        return _content(figure, file_format)


def draw_timeline(comparison: Comparison, policy: str, file_format: str) -> bytes:
    """Return a plot of the first pictures of a run.

    Above: each packet at the edge server, by its rank; the decoding begins at the line below; answers are triangles.
    Below: the limit of the channel's rate, or its loss where the rate is not limited.
    """
    deliveries = comparison.deliveries(policy)[:_TIMELINE_PICTURES]
    begin_us, end_us = deliveries[0].slot.begin_us, deliveries[-1].slot.due_us

    def seconds(at_us: float) -> float:
        return (at_us - begin_us) / 1e6

    with _figure((11, 5)) as figure:
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
        for number, delivery in enumerate(deliveries):
            slot, colour = delivery.slot, _COLOURS[number % 6]
            above.axvspan(seconds(slot.begin_us), seconds(slot.due_us), color=colour, alpha=0.07, linewidth=0)
            arrived = [(at_us, rank) for rank, at_us in delivery.arrived_us.items()]
            above.plot([seconds(a) for a, _ in arrived], [r for _, r in arrived], ".", color=colour, markersize=5)
            if delivery.collected_us is not None and delivery.collected_us > 0:
                above.plot([seconds(delivery.collected_us)], [-1], "|", color=colour, markersize=9)
            if delivery.answered_us is not None:
                late = delivery.answered_us > slot.due_us
                above.plot([seconds(delivery.answered_us)], [-2], "x" if late else "^", color="red" if late else colour)
            if not delivery.in_time:
                above.axvspan(seconds(slot.begin_us), seconds(slot.due_us), ymax=0.03, color="red", linewidth=0)
        above.set_ylabel("rank of a packet at the server\n(|: decoding begins, ▲ answer, x late)")
        above.set_xlim(0, seconds(end_us))
        trace = comparison.scenario.settings.trace
        times_us = range(begin_us, end_us, _SAMPLE_US)
        states = [trace.at(at_us) for at_us in times_us]
        limited = any(state.rate_bps for state in states)
        values = [(state.rate_bps or 0) / 1000 * (1 - state.loss) if limited else state.loss for state in states]
        below.step([seconds(at_us) for at_us in times_us], values, where="post", color="#444444", linewidth=1)
        below.set_ylim(0, None if limited else 1)
        below.set_ylabel("kbit/s less loss" if limited else "loss")
        below.set_xlabel("s")
        title = f"{comparison.scenario.name}, deadline {comparison.deadline_ms:g} ms, policy {policy}"
        above.set_title(f"{title}; red below: no answer in time", fontsize=10, loc="left")
        return _content(figure, file_format)


@contextmanager
def _figure(size: tuple[float, float]) -> Iterator[Any]:
    """Yield a figure whose content depends on nothing else than what is drawn."""
    import matplotlib
    from matplotlib.figure import Figure

    settings: dict[Any, Any] = {
        "svg.hashsalt": "simulate",
        "font.size": 9,
        "axes.spines.top": False,
        "axes.spines.right": False,
    }
    with matplotlib.rc_context(settings):
        yield Figure(figsize=size, dpi=120, layout="constrained")


def _content(figure: Any, file_format: str) -> bytes:
    file = BytesIO()
    figure.savefig(file, format=file_format, metadata={"Date": None} if file_format == "svg" else {})
    return file.getvalue()
