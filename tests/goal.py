"""How a goal of ``make`` ends whose output nobody reads any more, as in ``make prove | head -1``: in one line.

The commands in ``host/`` end so by ``host/printing.py``. This is for the programs of the other folders, which need no
more than the standard library.
"""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Callable
from typing import NoReturn


def run(name: str, main: Callable[[], int | None]) -> NoReturn:
    """Run a program and exit with its status; with 1 and one line on stderr if the pipe of its output was closed.

    A pipe to another program that breaks is an error as any other.
    """
    try:
        try:
            status = main()
        finally:
            sys.stdout.flush()
    except BrokenPipeError as error:
        if not _is_closed(sys.stdout.fileno()):
            raise
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, sys.stdout.fileno())  # for what is still in the buffer when Python ends
        os.close(nothing)
        sys.exit(f"{name}: stdout: cannot be written ({error.strerror})")
    sys.exit(status)


def _is_closed(descriptor: int) -> bool:
    """Return whether nobody can read what is written to a descriptor."""
    poll = select.poll()
    poll.register(descriptor, 0)
    return any(events & select.POLLERR for _, events in poll.poll(0))
