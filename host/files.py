"""Files that are replaced, made or extended as a whole, and files that are read up to a limit.

A leaf: every room may import it.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
import time
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

from .errors import PncError, Reason

#: What numpy and zipfile raise for an .npz file that is damaged, or is of another kind.
UNREADABLE_NPZ = (
    *(OSError, ValueError, KeyError, EOFError, RuntimeError, MemoryError),
    *(zipfile.BadZipFile, zlib.error),
)


#: How long ``append_line`` waits for other programs. One that is stopped inside its own write must not stop this one.
LOCK_S = 1.0
_LOCK_POLL_S = 0.002


def is_stream(path: Path) -> bool:
    """Return whether ``path`` is a device or a pipe, such as /dev/stdout: written to, never renamed over."""
    special = os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path)
    return special or path.is_relative_to("/dev")


def write_whole(data: bytes | memoryview, path: Path, *, durable: bool = True) -> None:
    """Write a temporary file beside ``path`` and rename it into place: readers see the old file or the new one.

    Several processes may write the same path at once. Of a symbolic link the file behind it is replaced. A device or a
    pipe is written to.

    Args:
        data: the content.
        path: the file to replace. Its folder must exist.
        durable: also keep the promise across a power failure, by syncing file and folder. This can take tens of
            milliseconds.

    Raises:
        OSError: the file cannot be written. The previous content is untouched.
    """
    if is_stream(path):
        with path.open("ab") as stream:
            stream.write(data)
        return
    path = path.resolve()
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with temporary.open("xb") as file:
            file.write(data)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    if durable:
        _sync_folder(path.parent)


def write_new(data: bytes | memoryview, path: Path, *, mode: int = 0o666) -> None:
    """Write a file that does not exist yet. Whoever reads ``path`` sees all of it, and no other program can write it.

    Args:
        data: the content.
        path: the file to make. Its folder must exist.
        mode: its permissions, less what the process's mask takes away.

    Raises:
        FileExistsError: something of this name exists. It is untouched.
        OSError: the file cannot be written. Nothing is left behind.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with open(temporary, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
            file.write(data)
        try:
            os.link(temporary, path)
        except FileExistsError:
            raise
        except (OSError, AttributeError):  # a file system without hard links, such as FAT: take the name first
            path.open("xb").close()
            try:
                temporary.replace(path)
            except BaseException:
                path.unlink(missing_ok=True)
                raise
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def append_line(line: bytes, path: Path) -> None:
    """Append a line to a file to which other programs may append, too: all of it, or nothing.

    A line that a power failure cut off stays, and the new one begins after it.

    Raises:
        OSError: the line cannot be written. The file is as it was.
    """
    with path.open("a+b", buffering=0) as file, _locked(file):
        end = file.seek(0, os.SEEK_END)
        data = memoryview(line.rstrip(b"\n") + b"\n")
        if end:
            file.seek(end - 1)
            if file.read(1) != b"\n":
                data = memoryview(b"\n" + bytes(data))
        try:
            while data:
                data = data[file.write(data) :]
        except BaseException:
            with contextlib.suppress(OSError):
                file.truncate(end)
            raise


def write_file(data: bytes | memoryview, path: Path, error: type[PncError]) -> None:
    """Do the same as ``write_whole``, but raise ``error``, in one line that names the file."""
    try:
        write_whole(data, path)
    except OSError as reason:
        raise cannot_write(path, reason, error) from reason


def check_writable(path: Path, error: type[PncError]) -> None:
    """Raise ``error`` if ``write_file`` to ``path`` could not succeed. Leaves nothing behind."""
    try:
        if is_stream(path):
            with path.open("ab"):
                return
        if os.path.isdir(path):
            raise error(f"{path} is a folder: name a file", reason=Reason.BAD_FILE)
        trial = path.resolve().with_name(f".{path.name}.{secrets.token_hex(4)}.part")
        trial.open("xb").close()
        trial.unlink()
    except OSError as reason:
        raise cannot_write(path, reason, error) from reason


def cannot_write(path: Path, reason: OSError, error: type[PncError]) -> PncError:
    """Return the ``error`` that says why ``path`` cannot be written."""
    return error(f"{path}: cannot be written ({reason.strerror or reason})", reason=Reason.BAD_FILE)


def read_file(path: Path, limit_bytes: int, content: str, error: type[PncError], *, missing: str = "") -> bytes:
    """Read a file that somebody else wrote, without reading more than ``limit_bytes``.

    Args:
        path: the file.
        limit_bytes: the largest size that is accepted.
        content: what the file should hold, such as "a Huffman table", for the message about one that is too large.
        error: the class to raise.
        missing: an addition to the message that there is no such file.

    Raises:
        PncError: ``error``, in one line that names the file, when it is missing, unreadable or too large.
    """
    try:
        with path.open("rb") as file:
            data = file.read(limit_bytes + 1)
    except FileNotFoundError:
        raise error(f"{path}: no such file{missing}", reason=Reason.BAD_FILE) from None
    except OSError as reason:
        text = f"{path}: cannot be read ({reason.strerror or reason})"
        raise error(text, reason=Reason.BAD_FILE) from None
    if len(data) > limit_bytes:
        limit = f"{limit_bytes >> 20} MB" if limit_bytes >= 1 << 20 else f"{limit_bytes >> 10} kB"
        raise error(f"{path}: larger than {limit}, too large for {content}", reason=Reason.BAD_FILE)
    return data


@contextmanager
def _locked(file: FileIO) -> Iterator[None]:
    """Keep other programs out of a file, where the system can lock it, for at most ``LOCK_S``."""
    if sys.platform == "win32":  # whose locks bind bytes, not files; a line there is one write
        yield
        return
    import fcntl

    end_s = time.monotonic() + LOCK_S
    with contextlib.suppress(OSError):  # a file system without locks
        while time.monotonic() < end_s:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(_LOCK_POLL_S)
            else:
                break
    yield  # closing the file unlocks it


def _sync_folder(folder: Path) -> None:
    """Make the rename itself durable, where the system can sync a folder."""
    with contextlib.suppress(OSError):
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
