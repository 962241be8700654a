"""Rival codecs by name, measured on the same pictures as ours."""

from __future__ import annotations

from collections.abc import Callable

from host.evaluation.rivals.formats import Avif, JpegXl, webp
from host.evaluation.rivals.jpeg import ProgressiveJpeg, baseline
from host.evaluation.rivals.rival import Rival

__all__ = ["RIVALS", "Rival"]

#: Each raises EvaluationError when what it needs is not installed.
RIVALS: dict[str, Callable[[], Rival]] = {
    "jpeg": baseline,
    "pjpeg": ProgressiveJpeg,
    "webp": webp,
    "avif": Avif,
    "jxl": JpegXl,
}
