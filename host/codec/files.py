"""Files that are never left half-written."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def write_whole(data: bytes | memoryview, path: Path) -> None:
    """Write beside ``path``, then rename into place: after a crash there is the old file or the new one, whole.

    Raises OSError when the disk refuses; what was there before is then untouched.
    """
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """The rename itself reaches the disk only with its folder, where the system can sync one."""
    with contextlib.suppress(OSError):
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
