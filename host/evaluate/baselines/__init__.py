"""Rival codecs by name, measured on the same pictures as ours."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from . import pnc_reference
from .baseline import Rival
from .formats import Avif, JpegXl, webp
from .jpeg import ProgressiveJpeg, baseline

__all__ = ["FORMATS", "NAMES", "Rival", "make"]

#: Picture formats. Each raises EvaluationError when what it needs is not installed.
FORMATS: dict[str, Callable[[], Rival]] = {
    "jpeg": baseline,
    "pjpeg": ProgressiveJpeg,
    "webp": webp,
    "avif": Avif,
    "jxl": JpegXl,
}
NAMES = (*FORMATS, pnc_reference.NAME)


def make(name: str, weights: Path | None = None) -> Rival:
    """The rival of that name, one of ``NAMES``; ``weights`` are the reference's. Raises EvaluationError and
    CodecError when it cannot be had."""
    if name == pnc_reference.NAME:
        return pnc_reference.PncReference(weights)
    return FORMATS[name]()
