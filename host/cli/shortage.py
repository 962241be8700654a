"""An error that says that the computer is short of something, as one line."""

from __future__ import annotations

import errno

_BY_NUMBER = {
    errno.EMFILE: "too many open files (`ulimit -n` is the limit)",
    errno.ENFILE: "too many open files on this computer",
    errno.ENOMEM: "not enough memory",
}


#: What the loader of compiled modules says, in the text of an ImportError, where there is no memory for one.
_NO_ROOM = (
    "failed to map segment",
    "annot allocate memory",
    "annot create shared object descriptor",
    "cannot map zero",
)


def shortage(error: BaseException) -> str | None:
    """Return what this computer is short of; None for an error of another cause."""
    if isinstance(error, MemoryError) or (isinstance(error, ImportError) and _lacks_memory(error)):
        return "not enough memory"
    if isinstance(error, OSError):
        return _BY_NUMBER.get(error.errno or 0)
    if isinstance(error, RuntimeError) and "can't start new thread" in str(error):
        return "no more threads can be started: not enough memory, or a limit of processes"
    return None


def _lacks_memory(error: BaseException | None) -> bool:
    """Return whether a module, or one that it imports, was not loaded because there is no memory for it."""
    while error is not None:
        if isinstance(error, MemoryError) or (
            isinstance(error, ImportError) and any(text in str(error) for text in _NO_ROOM)
        ):
            return True
        error = error.__cause__ or error.__context__
    return False
