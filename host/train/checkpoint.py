"""Checkpoints that are never left half-written."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from .files import write
from .photos import TrainingError

#: A run that begins anew does not overwrite what another one left.
ELSEWHERE = "to start afresh give another --out"


def check_new(last: Path, *weights: Path) -> None:
    """Raises TrainingError where a run that is not resumed would overwrite its checkpoint ``last`` or ``weights``."""
    if last.exists():
        raise TrainingError(f"{last}: is there already; go on from it with --resume; {ELSEWHERE}")
    for file in weights:
        if file.exists():
            raise TrainingError(f"{file}: is there already and would be overwritten; give another --out")


def save(state: dict[str, Any], path: Path, last: Path | None = None) -> None:
    """Write ``state`` beside ``path``, then rename it into place. Raises TrainingError when the disk refuses.

    ``last``: what --resume takes, where that is another file.
    """
    # Through memory: torch reports a full disk as an internal error of several lines, without the reason.
    buffer = io.BytesIO()
    torch.save(state, buffer)
    if (last or path).exists():
        advice = "the last checkpoint is untouched: mend that, then go on with --resume"
    else:
        advice = "there is no checkpoint yet: mend that, then start again"
    write(buffer.getbuffer(), path, advice)


def stopped(path: Path) -> KeyboardInterrupt:
    """What ends a training that was asked to stop once its checkpoint is in ``path``."""
    return KeyboardInterrupt(f"stopped; {path} is saved: go on with --resume")


def load(path: Path, recipe: str) -> dict[str, Any]:
    """The state in ``path``. Raises TrainingError when there is none or it belongs to another recipe."""
    if not path.is_file():
        raise TrainingError(f"{path}: no checkpoint to resume from; leave out --resume to start afresh")
    try:
        state: Any = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise TrainingError(f"{path}: not a readable checkpoint ({type(error).__name__})") from error
    if not isinstance(state, dict):
        raise TrainingError(f"{path}: not a readable checkpoint (it holds a {type(state).__name__})")
    if state.get("recipe") != recipe:
        raise TrainingError(f"{path}: belongs to recipe {state.get('recipe')}, not {recipe}")
    return state


def check_run(state: dict[str, Any], facts: Mapping[str, Any], path: Path) -> None:
    """Raises TrainingError when ``state``, the content of ``path``, is of a run of which other facts hold."""
    theirs = state.get("facts")
    if not isinstance(theirs, dict):
        raise TrainingError(f"{path}: tells of no photos that it learned from; {ELSEWHERE}")
    for name, ours in facts.items():
        if theirs.get(name) != ours:
            raise TrainingError(
                f"{path}: belongs to a run with {name} {theirs.get(name)}, not {ours}; give the same; {ELSEWHERE}"
            )


@contextmanager
def taking() -> Iterator[None]:
    """Around taking over a checkpoint's state: what it lacks, or what does not fit, becomes one line."""
    try:
        yield
    except (KeyError, ValueError, TypeError, AttributeError, IndexError, RuntimeError) as error:
        words = f"it lacks {error}" if isinstance(error, KeyError) else str(error).strip().partition("\n")[0]
        raise TrainingError(f"the checkpoint is not one of this recipe, or not whole ({words}); {ELSEWHERE}") from error
