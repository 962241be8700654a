"""A drawing of the time lines of pictures (matplotlib, the extra ``plot``)."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

from ..errors import Reason
from ..files import check_writable, write_file
from ..text import printable
from .reader import LogError
from .timeline import PictureTimes

FORMATS = ("svg", "png", "pdf")
#: Pictures that are drawn: the first ones.
MOST_PICTURES = 40
# M. Okabe and K. Ito, Color Universal Design (2008): colour-blind readers can distinguish them. Marks differ as well.
_SENT, _RADIO, _ARRIVED, _ANSWER, _LATE = "#0072B2", "#E69F00", "#009E73", "#000000", "#D55E00"


def check_plot(path: Path) -> None:
    """Raise LogError if a plot could not be drawn or written to ``path``: say so before a run, not after it."""
    if path.suffix[1:].lower() not in FORMATS:
        raise LogError(f"{path}: a plot is one of {', '.join(f'.{name}' for name in FORMATS)}")
    if importlib.util.find_spec("matplotlib") is None:
        text = "a plot needs the package matplotlib, which is not installed"
        raise LogError(text, reason=Reason.MISSING_PACKAGE, subject="matplotlib")
    check_writable(path, LogError)


def write_plot(pictures: Sequence[PictureTimes], path: Path) -> None:
    """Draw the pictures into a file. Raises LogError if there are none or the file cannot be written."""
    if not pictures:
        raise LogError(f"{path}: not drawn: the log has no picture")
    write_file(draw(pictures[:MOST_PICTURES], path.suffix[1:].lower()), path, LogError)


def draw(pictures: Sequence[PictureTimes], file_format: str) -> bytes:
    """Return a drawing: each packet by its rank where it was sent, in the radio and arrived, and the answers."""
    import matplotlib
    from matplotlib.figure import Figure

    zero_us = pictures[0].zero_us
    settings: dict[Any, Any] = {"svg.hashsalt": "timeline", "font.size": 9, "axes.spines.top": False}
    with matplotlib.rc_context(settings | {"axes.spines.right": False, "text.parse_math": False}):
        figure = Figure(figsize=(10, 4.5), dpi=120, layout="constrained")
        axes = figure.add_subplot()
        for picture in pictures:
            _draw_picture(axes, picture, zero_us)
        axes.set_xlabel("ms")
        axes.set_ylabel("rank of a packet")
        axes.set_title(_title(pictures), fontsize=10, loc="left")
        handles, labels = axes.get_legend_handles_labels()
        unique = dict(zip(labels, handles, strict=True))
        figure.legend(unique.values(), unique.keys(), loc="outside lower center", ncols=6, fontsize=8, frameon=False)
        content = BytesIO()
        figure.savefig(content, format=file_format, metadata={"Date": None} if file_format == "svg" else {})
    return content.getvalue()


def _draw_picture(axes: Any, picture: PictureTimes, zero_us: int) -> None:
    def ms(time_us: int) -> float:
        return (time_us - zero_us) / 1000

    end_us = picture.due_us or picture.leaves_us
    if end_us is not None:
        axes.axvspan(ms(picture.zero_us), ms(end_us), color="#888888", alpha=0.08, linewidth=0)
        axes.axvline(ms(end_us), color=_LATE, linewidth=1, linestyle="--", label="deadline")
    if picture.encoded_us is not None:
        axes.plot([ms(picture.encoded_us)], [-1], "s", color=_SENT, markersize=4, label="encoded")
    for name, mark, colour, label in (
        ("sent_us", "|", _SENT, "sent"),
        ("in_radio_us", ".", _RADIO, "in the radio"),
        ("arrived_us", "x", _ARRIVED, "arrived"),
    ):
        points = [(getattr(each, name), each.rank) for each in picture.packets.values()]
        known = [(ms(time_us), rank) for time_us, rank in points if time_us is not None]
        if known:
            axes.plot(*zip(*known, strict=True), mark, color=colour, markersize=5, label=label)
    if picture.decided_us is not None:
        axes.plot([ms(picture.decided_us)], [-1], "d", color=_ARRIVED, markersize=5, label="decided")
    for answer in picture.answers or picture.results:
        is_late = picture.status == "late" and answer.final
        axes.plot(
            [ms(answer.time_us)],
            [-1],
            "X" if is_late else "^",
            color=_LATE if is_late else _ANSWER,
            fillstyle="full" if answer.final else "none",
            markersize=6,
            label="late answer" if is_late else "answer" if answer.final else "first answer",
        )
    if picture.status in ("unanswered", "unsent", "failed"):
        axes.plot([ms(end_us or picture.last_us)], [-1], "X", color=_LATE, markersize=6, label=picture.status)


def _title(pictures: Sequence[PictureTimes]) -> str:
    if len(pictures) > 1:
        return f"{len(pictures)} pictures"
    best = pictures[0].best
    answer = f": {printable(best[0])} {best[1]:.0%}" if best else ""
    return f"image {pictures[0].image}, {pictures[0].status or 'no answer seen'}{answer}"
