"""The curves of a soak in real time: memory, open files and times over the minutes (matplotlib, the extra ``plot``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

from ..errors import PncError
from ..files import write_whole

_FORMATS = ("svg", "png")
_BLUE, _RED, _GREEN = "#0072B2", "#D55E00", "#009E73"


class PlotError(PncError):
    """The curves cannot be drawn."""


def check(path: Path) -> None:
    """Raise PlotError if no plot can be drawn to a file of this name."""
    if path.suffix[1:] not in _FORMATS:
        raise PlotError(f"{path}: a plot is an .svg or a .png file")
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise PlotError("matplotlib is not installed: pip install 'pnc-link[plot]'") from None


def save(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Draw the plot to a file; PlotError if it cannot be written."""
    try:
        write_whole(draw(rows, path.suffix[1:]), path)
    except OSError as error:
        raise PlotError(f"{path}: cannot be written ({error.strerror})") from None


def draw(rows: Sequence[Mapping[str, Any]], file_format: str) -> bytes:
    """Return the plot of a soak's rows as the content of a file. Equal rows give equal bytes."""
    import matplotlib
    from matplotlib.figure import Figure

    settings: dict[Any, Any] = {
        "svg.hashsalt": "soak",
        "font.size": 9,
        "axes.spines.top": False,
        "axes.spines.right": False,
    }
    minutes = [row["minutes"] for row in rows]
    with matplotlib.rc_context(settings):
        figure = Figure(figsize=(8, 5), dpi=120, layout="constrained")
        above, middle, below = figure.subplots(3, 1, sharex=True, height_ratios=(2, 2, 1))
        for name, colour, label in (("p50_ms", _BLUE, "median"), ("p99_ms", _RED, "99 of 100")):
            above.plot(minutes, [row[name] for row in rows], color=colour, marker=".", label=label)
        above.set_ylabel("answer after, ms")
        above.legend(frameon=False, loc="upper right")
        middle.plot(minutes, [row["memory_mb"] for row in rows], color=_GREEN, marker=".")
        middle.set_ylabel("memory, MB")
        below.plot(minutes, [row["descriptors"] for row in rows], color=_BLUE, marker=".")
        below.set_ylabel("open files")
        below.set_xlabel("minutes")
        for axes in (above, middle, below):
            axes.set_ylim(bottom=0)
            axes.grid(color="#dddddd", linewidth=0.6)
        file = BytesIO()
        figure.savefig(file, format=file_format, metadata={"Date": None} if file_format == "svg" else {})
        return file.getvalue()
