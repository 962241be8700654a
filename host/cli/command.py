"""How every command reads its arguments, runs and ends. Each foreseen error is one line on stderr."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from ..errors import PncError, Reason
from ..printing import (
    LAST_S,
    OutputError,
    drain,
    ends,
    fail,
    failure,
    last_note,
    never_wait,
    note,
    note_error,
    print_traceback,
    separate_output,
    show,
    traceback_lines,
)
from ..text import printable
from .hints import with_hint
from .shortage import shortage
from .start import COMMANDS, as_started, program, version_line

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

    from _typeshed import SupportsWrite

USAGE, FAILURE, INTERRUPTED = 2, 1, 130
#: Set in the environment by a shell that wants completions.
_COMPLETING = "_ARGCOMPLETE"


Value = TypeVar("Value")


def argument(parse: Callable[[str], Value]) -> Callable[[str], Value]:
    """Return ``parse`` as argparse's ``type=`` takes it: the text of its ValueError is the usage error."""

    def parsed(text: str) -> Value:
        try:
            return parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return parsed


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
        self._is_completed = False
        self.color = False  # Python 3.14 colours its help with escape sequences, and not only on a terminal
        if command:
            self.add_argument("--version", action="version", version=version_line(command))

    def parse_known_args(self, args=None, namespace=None):  # type: ignore[no-untyped-def]
        """Parse a command line; for a shell that completes one, print the completions and exit (argcomplete)."""
        if _COMPLETING in os.environ and not self._is_completed:
            self._is_completed = True
            try:
                import argcomplete
            except ImportError:
                self.exit(FAILURE)
            argcomplete.autocomplete(self)
        return super().parse_known_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        """Print one line about wrong usage and exit with status 2."""
        name = self.prog.rpartition(".")[2].removeprefix("pnc-")
        self.exit(USAGE, f"{name}: {printable(message)} (`{self.prog} --help` lists the options)\n")

    def _print_message(self, message: str, file: SupportsWrite[str] | None = None) -> None:
        """Print as everything else is printed. argparse calls it for all of its output."""
        (note if file is sys.stderr else show)(*message.removesuffix("\n").split("\n"))


def run_command(name: str, main: Callable[[], int]) -> int:
    """Run a command and return its exit status. Each foreseen error is printed as one line: name, error, advice.

    Output that cannot be written, and a terminal that is closed, end it with one line and status 1. A command that has
    done its work waits until its output is read, one that was stopped or failed does not.
    """
    with separate_output(name), _ends_with_its_terminal():
        try:
            status = _status_of(name, lambda: _all_read(main()))
            drain(LAST_S)
        except OutputError:
            status = FAILURE
        reason = failure()
        if reason is None:
            return status
        last_note(f"{name}: {reason}")
        return FAILURE


def _all_read(status: int) -> int:
    """Wait until everything is written; return the status."""
    drain()
    return status


def run_async(main: Coroutine[Any, Any, int]) -> int:
    """Run the coroutine of a command in an event loop. Output that cannot be written cancels it, as Ctrl-C does.

    The event loop never waits for a program that does not read the output.
    """
    never_wait()

    async def run() -> int:
        task, loop = asyncio.current_task(), asyncio.get_running_loop()
        assert task is not None
        with ends(lambda: loop.call_soon_threadsafe(task.cancel)):
            try:
                return await main
            except asyncio.CancelledError:
                reason = failure()
                if reason is not None:
                    raise reason from None
                raise

    return asyncio.run(run())


def guard_output() -> None:
    """Make printable what Python itself prints: errors that nothing has foreseen, logs of packages, and warnings."""
    sys.excepthook = print_traceback
    sys.unraisablehook = _print_unraisable
    threading.excepthook = lambda raised: print_traceback(raised.exc_type, raised.exc_value, raised.exc_traceback)
    warnings.showwarning = lambda message, category, *_: last_note(f"{category.__name__}: {message}")
    logging.lastResort = _LastNotes(logging.WARNING)


def _print_unraisable(raised: UnraisableHookArgs) -> None:
    """Print an error that nobody can catch, such as one in ``__del__``; a ``sys.unraisablehook``."""
    try:
        where = repr(raised.object)
    except Exception as error:  # what is deleted may be incomplete
        where = f"an object without a repr ({type(error).__name__})"
    last_note(f"{raised.err_msg or 'Exception ignored in'}: {where}")
    print_traceback(raised.exc_type, raised.exc_value, raised.exc_traceback)


class _LastNotes(logging.Handler):
    """Prints a log record: its message as one line, and each line of what an error says."""

    def emit(self, record: logging.LogRecord) -> None:
        last_note(record.getMessage())
        lines = traceback_lines(*record.exc_info) if record.exc_info else []
        for line in [*lines, *(record.stack_info or "").splitlines()]:
            last_note(line)


def _status_of(name: str, main: Callable[[], int]) -> int:
    try:
        return main()
    except PncError as error:
        missing = error.__cause__ or error.__context__
        short = shortage(missing) if isinstance(missing, ImportError) else None  # the package is there
        note_error(f"{name}: {short or as_started(with_hint(error))}")
        return int(getattr(error, "status", FAILURE))
    except KeyboardInterrupt as error:  # its text may say what was saved
        note(f"{name}: {str(error) or 'stopped'}")
        return INTERRUPTED
    except (OSError, MemoryError, RuntimeError, ImportError) as error:
        short = shortage(error)
        if short is None:
            raise
        note_error(f"{name}: {short}")
        return FAILURE


@contextmanager
def _ends_with_its_terminal() -> Iterator[None]:
    """End the command in good order when its terminal is closed, unless that is ignored (``nohup``)."""
    hang_up = getattr(signal, "SIGHUP", None)  # Windows has none
    in_main = threading.current_thread() is threading.main_thread()
    if hang_up is None or not in_main or signal.getsignal(hang_up) is not signal.SIG_DFL:
        yield
        return
    signal.signal(hang_up, lambda _number, _frame: fail("the terminal was closed"))
    try:
        yield
    finally:
        signal.signal(hang_up, signal.SIG_DFL)
