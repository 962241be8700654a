"""Files of a training: whole, or a line that says why not."""

from __future__ import annotations

from pathlib import Path

from ..files import write_whole
from .photos import TrainingError


def write(data: bytes | memoryview, path: Path, advice: str = "what was there before is untouched") -> None:
    """Raises TrainingError, naming the file and ending with ``advice``, when the disk refuses."""
    try:
        write_whole(data, path)
    except OSError as error:
        raise TrainingError(f"{path}: could not be written ({error.strerror or error}); {advice}") from error
