"""Checkpoints, written atomically and read without executing anything in them."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from .files import write
from .photos import TrainingError

#: Ends the messages of refusals to overwrite another run's files.
ELSEWHERE = "to start a new run, give another --out"


def check_new(last: Path, *weights: Path) -> None:
    """Raise TrainingError if a new run would overwrite the checkpoint ``last`` or ``weights`` of another one."""
    if last.exists():
        raise TrainingError(f"{last}: already exists; continue from it with --resume; {ELSEWHERE}")
    for file in weights:
        if file.exists():
            raise TrainingError(f"{file}: already exists and would be overwritten; give another --out")


def save(state: dict[str, Any], path: Path, last: Path | None = None) -> None:
    """Write ``state`` to ``path`` atomically. Raises TrainingError if that fails.

    ``last``: the file that --resume reads, if that is another one.
    """
    # Serialized in memory first: torch reports a full disk as an internal error of several lines, without the reason.
    buffer = io.BytesIO()
    torch.save(state, buffer)
    if (last or path).exists():
        advice = "the last checkpoint is untouched: fix that, then continue with --resume"
    else:
        advice = "there is no checkpoint yet: fix that, then start again"
    write(buffer.getbuffer(), path, advice)


def stopped(path: Path) -> KeyboardInterrupt:
    """Return the exception that ends a training which was asked to stop and is saved in ``path``."""
    return KeyboardInterrupt(f"stopped; {path} is saved: continue with --resume")


def load(path: Path, recipe: str) -> dict[str, Any]:
    """Read the state in ``path``. Raises TrainingError if there is none or it belongs to another recipe."""
    if not path.is_file():
        raise TrainingError(f"{path}: no checkpoint to resume from; leave out --resume to start a new run")
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
    """Raise TrainingError unless ``state``, the content of ``path``, is of a run with the same facts."""
    theirs = state.get("facts")
    if not isinstance(theirs, dict):
        raise TrainingError(f"{path}: does not name the photos that it was trained on; {ELSEWHERE}")
    for name, ours in facts.items():
        if theirs.get(name) != ours:
            raise TrainingError(
                f"{path}: belongs to a run with {name} {theirs.get(name)}, not {ours}; give the same; {ELSEWHERE}"
            )


@contextmanager
def restoring() -> Iterator[None]:
    """Turn errors while a checkpoint's state is restored into a TrainingError of one line."""
    try:
        yield
    except (KeyError, ValueError, TypeError, AttributeError, IndexError, RuntimeError) as error:
        words = f"it lacks {error}" if isinstance(error, KeyError) else str(error).strip().partition("\n")[0]
        raise TrainingError(
            f"the checkpoint is not one of this recipe, or not complete ({words}); {ELSEWHERE}"
        ) from error
