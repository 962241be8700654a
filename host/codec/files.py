"""Files that are never left half-written, and what reading damaged ones raises."""

from __future__ import annotations

import contextlib
import os
import zipfile
import zlib
from pathlib import Path

#: What numpy and zipfile raise for an .npz file that is damaged, or none.
UNREADABLE_NPZ = (
    *(OSError, ValueError, KeyError, EOFError, RuntimeError, MemoryError),
    *(zipfile.BadZipFile, zlib.error),
)


def is_stream(path: Path) -> bool:
    """/dev/stdout, a named pipe and the like: to be written to, not renamed over."""
    special = os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path)
    return special or path.is_relative_to("/dev")


def write_whole(data: bytes | memoryview, path: Path) -> None:
    """Write beside ``path``, then rename into place: after a crash there is the old file or the new one, whole.

    Where ``path`` is a link it is the file behind it that is replaced; a device or a pipe is written to. Raises OSError
    when the disk refuses; what was there before is then untouched.
    """
    if is_stream(path):
        with path.open("ab") as stream:
            stream.write(data)
        return
    path = path.resolve()
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
