"""Files that are replaced, made or extended as a whole, and files that are read up to a limit.

A leaf: every room may import it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
import sys
import time
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from io import FileIO
from pathlib import Path
from typing import BinaryIO

from .errors import PncError, Reason

#: What numpy and zipfile raise for an .npz file that is damaged, or is of another kind.
UNREADABLE_NPZ = (
    *(OSError, ValueError, KeyError, EOFError, RuntimeError, MemoryError),
    *(zipfile.BadZipFile, zlib.error),
)


#: How long ``append_line`` waits for other programs. One that is stopped inside its own write must not stop this one.
LOCK_S = 1.0
_LOCK_POLL_S = 0.002
#: Below these folders are the streams that a program has, such as /dev/stdin.
_HANDED_OVER = ("/dev", "/proc")
_KINDS = {stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}


def open_to_read(path: Path, *, streams: bool = False) -> BinaryIO:
    """Open a file without waiting for anybody.

    Args:
        path: the file.
        streams: also take what a shell hands over under such a name as /dev/stdin or /dev/fd/63.

    Raises:
        OSError: it cannot be opened, or is a pipe, a device or a socket, from which a read may never return.
    """
    return open(path, "rb", opener=partial(_open, streams=streams))


def open_to_append(path: Path) -> FileIO:
    """Open or make a file to which lines are appended, unbuffered, without waiting for anybody. Raises OSError."""
    return open(path, "a+b", buffering=0, opener=_open)


def _open(name: str, flags: int, *, streams: bool = False) -> int:
    """Open a file as ``os.open``. Raises OSError also for what is no regular file."""
    number = os.open(name, flags | getattr(os, "O_NONBLOCK", 0), 0o666)
    try:
        status = os.fstat(number)
        if streams and any(map(Path(name).is_relative_to, _HANDED_OVER)):
            os.set_blocking(number, True)
        elif not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode) and not _is_nothing(status):
            raise OSError(errno.EINVAL, f"it is {_KINDS.get(stat.S_IFMT(status.st_mode), 'a device')}, and not a file")
    except BaseException:
        os.close(number)
        raise
    return number


def _is_nothing(status: os.stat_result) -> bool:
    """Return whether it is the null device, which takes everything and holds nothing."""
    return stat.S_ISCHR(status.st_mode) and status.st_rdev == os.stat(os.devnull).st_rdev


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
        with _opened_stream(path) as stream:
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


def _opened_stream(path: Path) -> BinaryIO:
    """Open a device or a pipe to write. Raises OSError also for a pipe that nobody reads, which would wait for that."""

    def opener(name: str, flags: int) -> int:
        try:
            number = os.open(name, flags | getattr(os, "O_NONBLOCK", 0))
        except OSError as error:
            if error.errno == errno.ENXIO:
                raise OSError(errno.ENXIO, "nobody reads it") from error
            raise
        os.set_blocking(number, True)
        return number

    return open(path, "ab", opener=opener)


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
    with open_to_append(path) as file, _locked(file):
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
            with _opened_stream(path):
                return
        if os.path.isdir(path):
            raise error(f"{path} is a folder: name a file", reason=Reason.BAD_FILE)
        trial = path.resolve().with_name(f".{path.name}.{secrets.token_hex(4)}.part")
        trial.open("xb").close()
        trial.unlink()
    except OSError as reason:
        raise cannot_write(path, reason, error) from reason


def check_appendable(path: Path, error: type[PncError]) -> None:
    """Raise ``error`` if ``append_line`` to ``path`` could not succeed. Leaves nothing behind."""
    if not os.path.exists(path) or os.path.isdir(path):
        check_writable(path, error)
        return
    try:
        open_to_append(path).close()
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
        with open_to_read(path, streams=True) as file:
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
