"""How every command takes its arguments and ends: each foreseen error is one line on stderr."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Callable
from typing import NoReturn

from ..errors import PncError

USAGE, FAILURE, INTERRUPTED = 2, 1, 130


class CommandError(PncError):
    """A command cannot do what was asked: one line for a person, and the exit status."""

    def __init__(self, text: str, status: int = FAILURE) -> None:
        super().__init__(text)
        self.status = status


class CommandParser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        """Wrong usage: says so and exits with status 2."""
        name = self.prog.rpartition(".")[2]
        self.exit(USAGE, f"{name}: {message} (`{self.prog} --help` lists the options)\n")


def run_command(name: str, main: Callable[[], int]) -> int:
    """Run a command to its exit status: every foreseen error is one line on stderr."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:  # see host/__init__.py
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return main()
    except PncError as error:
        print(f"{name}: {error}", file=sys.stderr)
        return int(getattr(error, "status", FAILURE))
    except BrokenPipeError:  # whoever read our output has enough
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115  (the interpreter flushes it when it ends)
        return FAILURE
    except KeyboardInterrupt as error:  # may tell what was saved
        print(f"{name}: {str(error) or 'stopped'}", file=sys.stderr)
        return INTERRUPTED
