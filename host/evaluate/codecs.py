"""Codecs by the names that ``--codec`` takes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..codec import load as load_codec
from ..codec.weights import KINDS
from . import baselines as rivals
from .baseline_codecs import subject_of
from .errors import EvaluationError
from .own import OwnCodec
from .subject import Subject

NAMES = (*KINDS, *rivals.NAMES)


def subjects(names: Sequence[str], weights: Path | None = None) -> list[Subject]:
    """The codecs of these names, each once; ``weights`` are the reference's. Raises EvaluationError or CodecError when
    one cannot be had."""
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        raise EvaluationError(f"{unknown[0] or 'an empty name'}: no such codec; there is {', '.join(NAMES)}")
    return [_subject(name, weights) for name in dict.fromkeys(names)]


def _subject(name: str, weights: Path | None) -> Subject:
    return OwnCodec(load_codec(name)) if name in KINDS else subject_of(rivals.make(name, weights))
