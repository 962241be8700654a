"""How every command reads its arguments and ends. Each foreseen error is one line on stderr."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Callable
from typing import NoReturn

from ..errors import PncError, Reason
from .hints import with_hint

USAGE, FAILURE, INTERRUPTED = 2, 1, 130


class CommandError(PncError):
    """A command cannot do what was asked. ``status`` is its exit status.

    Other than a library's error, the text may say what to do; ``reason`` adds the advice of ``hints``.
    """

    def __init__(self, text: str, status: int = FAILURE, *, reason: Reason = Reason.OTHER) -> None:
        super().__init__(text, reason=Reason.BAD_USAGE if status == USAGE else reason)
        self.status = status


class CommandParser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        """Print one line about wrong usage and exit with status 2."""
        name = self.prog.rpartition(".")[2]
        self.exit(USAGE, f"{name}: {message} (`{self.prog} --help` lists the options)\n")


def run_command(name: str, main: Callable[[], int]) -> int:
    """Run a command and return its exit status. Each foreseen error is printed as one line: name, error, advice."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:  # see host/__init__.py
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return main()
    except PncError as error:
        print(f"{name}: {with_hint(error)}", file=sys.stderr)
        return int(getattr(error, "status", FAILURE))
    except BrokenPipeError:  # the program that read our output ended
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115  (the interpreter flushes it when it ends)
        return FAILURE
    except KeyboardInterrupt as error:  # its text may say what was saved
        print(f"{name}: {str(error) or 'stopped'}", file=sys.stderr)
        return INTERRUPTED
