"""How every command reads its arguments and ends. Each foreseen error is one line on stderr."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from ..errors import PncError, Reason
from .hints import with_hint
from .shortage import shortage
from .start import COMMANDS, as_started, program, version_line

USAGE, FAILURE, INTERRUPTED = 2, 1, 130


class CommandError(PncError):
    """A command cannot do what was asked. ``status`` is its exit status.

    Other than a library's error, the text may say what to do; ``reason`` adds the advice of ``hints``.
    """

    def __init__(self, text: str, status: int = FAILURE, *, reason: Reason = Reason.OTHER) -> None:
        super().__init__(text, reason=Reason.BAD_USAGE if status == USAGE else reason)
        self.status = status


class CommandParser(argparse.ArgumentParser):
    """An argument parser whose errors are one line.

    The parser of a whole command is made with its name: ``CommandParser(command="send")``. It takes its ``prog`` from
    the way in which the command was started, its description from ``start.COMMANDS``, and has ``--version``.
    """

    def __init__(self, *, command: str = "", **options: Any) -> None:
        if command:
            summary = COMMANDS[command][1]
            options = {"prog": program(command), "description": f"{summary[0].upper()}{summary[1:]}."} | options
        super().__init__(**options)
        if command:
            self.add_argument("--version", action="version", version=version_line(command))

    def error(self, message: str) -> NoReturn:
        """Print one line about wrong usage and exit with status 2."""
        name = self.prog.rpartition(".")[2].removeprefix("pnc-")
        self.exit(USAGE, f"{name}: {message} (`{self.prog} --help` lists the options)\n")


def run_command(name: str, main: Callable[[], int]) -> int:
    """Run a command and return its exit status. Each foreseen error is printed as one line: name, error, advice."""
    try:
        return main()
    except PncError as error:
        print(f"{name}: {as_started(with_hint(error))}", file=sys.stderr)
        return int(getattr(error, "status", FAILURE))
    except BrokenPipeError:  # the program that read our output ended
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115  (the interpreter flushes it when it ends)
        return FAILURE
    except KeyboardInterrupt as error:  # its text may say what was saved
        print(f"{name}: {str(error) or 'stopped'}", file=sys.stderr)
        return INTERRUPTED
    except (OSError, MemoryError, RuntimeError) as error:
        short = shortage(error)
        if short is None:
            raise
        print(f"{name}: {short}", file=sys.stderr)
        return FAILURE
