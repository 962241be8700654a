"""How reports are shown: names of codecs, and the lines that a plot has of a codec."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_TITLES = {
    "pnc-reference": "PNC as published",
    "jpeg": "JPEG",
    "pjpeg": "progressive JPEG",
    "webp": "WebP",
    "avif": "AVIF",
    "jxl": "JPEG XL",
}

Point = Mapping[str, Any]


def title(codec: str) -> str:
    """The name of a codec for people."""
    return _TITLES.get(codec, codec)


def points(report: Mapping[str, Any], *views: str) -> list[Point]:
    """The points of these views."""
    return [point for point in report["points"] if point["view"] in views]


def has_container(report: Mapping[str, Any]) -> bool:
    """Whether the format's container is told separately."""
    return bool(points(report, "payload"))


def curve(report: Mapping[str, Any]) -> list[Point]:
    """The points that make a codec's curve, by mean bytes: qualities of a ladder, budgets of all others."""
    chosen = points(report, "quality") or points(report, "budget")
    # The smallest budgets may hold not one packet; what is 0 has no place on a logarithmic axis.
    rising = sorted((point for point in chosen if point["mean_bytes"] > 0), key=lambda p: float(p["mean_bytes"]))
    return _without_equals(rising)


def _without_equals(rising: Sequence[Point]) -> list[Point]:
    """Budgets that leave the same of every picture are one point."""
    kept: list[Point] = []
    for point in rising:
        if not kept or point["mean_bytes"] > kept[-1]["mean_bytes"]:
            kept.append(point)
    return kept
