"""Files that are never left half-written."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from host.codec.training.photos import TrainingError


def write(data: bytes | memoryview, path: Path, advice: str = "what was there before is untouched") -> None:
    """Write beside ``path``, then rename into place: after a crash there is the old file or the new one, whole.

    Raises TrainingError, naming the file and ending with ``advice``, when the disk refuses.
    """
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        _sync_folder(path.parent)
    except BaseException as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise TrainingError(f"{path}: could not be written ({error.strerror or error}); {advice}") from error
        raise


def _sync_folder(folder: Path) -> None:
    """The rename itself reaches the disk only with its folder, where the system can sync one."""
    with contextlib.suppress(OSError):
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
