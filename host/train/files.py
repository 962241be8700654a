"""Atomic writing of a training's files."""

from __future__ import annotations

from pathlib import Path

from ..files import write_whole
from .photos import TrainingError


def write(data: bytes | memoryview, path: Path, advice: str = "the previous file is untouched") -> None:
    """Write ``path`` atomically. Raises TrainingError, ending with ``advice``, if that fails."""
    try:
        write_whole(data, path)
    except OSError as error:
        raise TrainingError(f"{path}: could not be written ({error.strerror or error}); {advice}") from error


def make_folder(path: Path) -> None:
    """Make a folder for results, with those around it. Raises TrainingError if that fails."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TrainingError(f"{path}: cannot be made ({error.strerror})") from error
