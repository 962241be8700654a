"""Codecs by the names that ``--codec`` takes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from host.codec import load as load_codec
from host.codec.weights import KINDS
from host.evaluation import rivals
from host.evaluation.errors import EvaluationError
from host.evaluation.own import OwnCodec
from host.evaluation.rival_subjects import subject_of
from host.evaluation.subject import Subject

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
