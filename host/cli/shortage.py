"""An error that says that the computer is short of something, as one line."""

from __future__ import annotations

import errno

_BY_NUMBER = {
    errno.EMFILE: "too many open files (`ulimit -n` is the limit)",
    errno.ENFILE: "too many open files on this computer",
    errno.ENOMEM: "not enough memory",
}


def shortage(error: BaseException) -> str | None:
    """Return what this computer is short of; None for an error of another cause."""
    if isinstance(error, MemoryError):
        return "not enough memory"
    if isinstance(error, OSError):
        return _BY_NUMBER.get(error.errno or 0)
    if isinstance(error, RuntimeError) and "can't start new thread" in str(error):
        return "no more threads can be started: not enough memory, or a limit of processes"
    return None
