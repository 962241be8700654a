"""A plot of top-5 accuracy against bytes for all codecs (matplotlib, the extra ``plot``)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any

from .errors import EvaluationError
from .report import Report, curve, has_container, points, title

FORMATS = ("svg", "png")

# M. Okabe and K. Ito, Color Universal Design (2008): colour-blind readers can distinguish them. A codec has the same
# colour and marker in every plot.
_STYLES = {
    "pnc-v2": ("#0072B2", "o"),
    "pnc-v1": ("#56B4E9", "P"),
    "pnc-reference": ("#000000", "X"),
    "avif": ("#009E73", "D"),
    "webp": ("#D55E00", "^"),
    "jpeg": ("#E69F00", "s"),
    "pjpeg": ("#CC79A7", "v"),
    "jxl": ("#777777", "<"),
}
_OTHER = ("#000000", ".")
_OURS = "pnc-v"
# Height of a line of the labels on the right, in accuracy.
_LABEL_HEIGHT = 0.047
_TICKS_BYTES = (300, 500, 700, 1000, 1500, 2000, 3000, 5000, 7000, 10000, 15000, 20000)


@dataclass(frozen=True, slots=True)
class _Label:
    """The name of a line that ends at ``size_bytes`` and ``share``."""

    text: str
    size_bytes: float
    share: float
    colour: str
    weight: str


def check_format(path: Path) -> None:
    """Raise EvaluationError unless a plot can be drawn to a file of that name."""
    if path.suffix[1:] not in FORMATS:
        raise EvaluationError(f"{path}: a plot is an .svg or a .png file")
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise EvaluationError("matplotlib is not installed: pip install 'pnc-link[plot]'") from None


def draw(reports: Sequence[Report], file_format: str) -> bytes:
    """Return the plot as the content of a file. Equal reports give equal bytes."""
    import matplotlib
    from matplotlib.figure import Figure

    settings: dict[Any, Any] = {
        "svg.hashsalt": "accuracy",
        "font.size": 10,
        "axes.spines.top": False,
        "axes.spines.right": False,
    }
    with matplotlib.rc_context(settings):
        figure = Figure(figsize=(9, 6), dpi=120)
        figure.set_layout_engine("constrained", w_pad=0.1)
        axes = figure.add_subplot()
        labels = [label for report in reports for label in _draw_codec(axes, report)]
        _frame(axes, reports)
        _name(axes, labels)
        file = BytesIO()
        metadata = {"Date": None} if file_format == "svg" else {}
        figure.savefig(file, format=file_format, metadata=metadata)
    return file.getvalue()


def _draw_codec(axes: Any, report: Report) -> list[_Label]:
    """Draw a line with error bars and, dashed, the same points without the container; return their labels."""
    colour, marker = _STYLES.get(report["codec"], _OTHER)
    ours = report["codec"].startswith(_OURS)
    chosen = curve(report)
    sizes = [point["mean_bytes"] for point in chosen]
    fine = sorted([*chosen, *points(report, "cut")], key=lambda p: float(p["mean_bytes"]))
    axes.plot(
        [p["mean_bytes"] for p in fine],
        [p["top5"] for p in fine],
        color=colour,
        linewidth=2.4 if ours else 1.3,
        zorder=4 if ours else 3,
    )
    bars = [[p["top5"] - p["top5_low"] for p in chosen], [p["top5_high"] - p["top5"] for p in chosen]]
    axes.errorbar(
        sizes,
        [p["top5"] for p in chosen],
        yerr=bars,
        fmt=marker,
        color=colour,
        markersize=5.5 if ours else 4,
        elinewidth=0.9,
        capsize=2,
        zorder=5 if ours else 4,
    )
    name = title(report["codec"])
    labels = [_Label(name, sizes[-1], chosen[-1]["top5"], colour, "bold" if ours else "normal")]
    if has_container(report):
        payloads = [p["mean_payload_bytes"] for p in chosen]
        axes.plot(payloads, [p["top5"] for p in chosen], color=colour, linewidth=1.1, linestyle=(0, (4, 2)), zorder=3)
        labels.append(replace(labels[0], text=f"{name}, no container", size_bytes=payloads[-1]))
    return labels


def _frame(axes: Any, reports: Sequence[Report]) -> None:
    """Set axes, grid and title, and draw the accuracy on the original pictures."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    top = reports[0]["original"]["top5"]
    sizes = [p[kind] for report in reports for p in curve(report) for kind in ("mean_bytes", "mean_payload_bytes")]
    axes.set_xscale("log")
    axes.set_xlim(min(sizes) * 0.9, max(sizes) * 1.06)
    axes.set_ylim(0, 1)
    axes.xaxis.set_major_locator(FixedLocator(_TICKS_BYTES))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.yaxis.set_major_locator(FixedLocator([step / 10 for step in range(11)]))
    axes.grid(color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.axhline(top, color="#666666", linewidth=1, linestyle=":")
    axes.annotate(
        f"pictures as they are: {top:.3f}",
        (0, top),
        xycoords=("axes fraction", "data"),
        xytext=(6, -12),
        textcoords="offset points",
        color="#444444",
        fontsize=9,
    )
    axes.set_xlabel("mean bytes a picture, headers counted (logarithmic)")
    axes.set_ylabel(f"top-5 accuracy, {reports[0]['classifier']}")
    axes.set_title(f"{reports[0]['n']:,} pictures of 224x224; bars: 95 % (Wilson)", fontsize=10, loc="left")


def _name(axes: Any, labels: Sequence[_Label]) -> None:
    """Write the codecs' names on the right, in the order of their lines' ends and without overlap."""
    ordered = sorted(labels, key=lambda label: -label.share)
    heights = spread([label.share for label in ordered], _LABEL_HEIGHT, 0.985)
    for label, height in zip(ordered, heights, strict=True):
        axes.annotate(
            label.text,
            (label.size_bytes, label.share),
            xytext=(1.03, height),
            textcoords=("axes fraction", "data"),
            color=label.colour,
            fontweight=label.weight,
            verticalalignment="center",
            annotation_clip=False,
            arrowprops={
                "arrowstyle": "-",
                "color": label.colour,
                "linewidth": 0.5,
                "alpha": 0.6,
                "shrinkB": 4,
                "relpos": (0, 0.5),
            },
        )


def spread(falling: Sequence[float], distance: float, top: float) -> list[float]:
    """Return heights near the given ones, each at least ``distance`` below the one before, the first at most ``top``.

    The given heights fall.
    """
    heights: list[float] = []
    for height in falling:
        heights.append(min(height, heights[-1] - distance if heights else top))
    return heights
