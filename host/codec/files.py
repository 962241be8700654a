"""Atomic writing of files, and the errors that reading damaged ones raises."""

from __future__ import annotations

import contextlib
import os
import zipfile
import zlib
from pathlib import Path

#: Errors that numpy and zipfile raise for a damaged .npz file, or for a file of another kind.
UNREADABLE_NPZ = (
    *(OSError, ValueError, KeyError, EOFError, RuntimeError, MemoryError),
    *(zipfile.BadZipFile, zlib.error),
)


def is_stream(path: Path) -> bool:
    """Return whether ``path`` is a device or pipe, such as /dev/stdout: to be written to, never replaced."""
    special = os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path)
    return special or path.is_relative_to("/dev")


def write_whole(data: bytes | memoryview, path: Path) -> None:
    """Write ``path`` atomically: beside it first, then renamed, so that a crash leaves the old or the new file whole.

    Follows links; a device or a pipe is written to directly. Raises OSError if writing fails; the old file is then
    untouched.
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
    """Flush a rename to disk, on systems that can sync a folder."""
    with contextlib.suppress(OSError):
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
