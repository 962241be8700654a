"""Checkpoints that are never left half-written."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch

from host.codec.training.photos import TrainingError


def save(state: dict[str, Any], path: Path) -> None:
    """Write ``state`` beside ``path``, then rename it into place. Raises TrainingError when the disk refuses."""
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except (OSError, RuntimeError) as error:
        part.unlink(missing_ok=True)
        raise TrainingError(
            f"{path}: the checkpoint could not be written ({error}); the last one is untouched"
        ) from error


def load(path: Path, recipe: str) -> dict[str, Any]:
    """The state in ``path``. Raises TrainingError when there is none or it belongs to another recipe."""
    if not path.is_file():
        raise TrainingError(f"{path}: no checkpoint to resume from; leave out --resume to start afresh")
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise TrainingError(f"{path}: not a readable checkpoint ({type(error).__name__})") from error
    if state.get("recipe") != recipe:
        raise TrainingError(f"{path}: belongs to recipe {state.get('recipe')}, not {recipe}")
    return state
