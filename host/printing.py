"""All that this package prints. A leaf: every room may import it. Standard library alone.

``show`` prints on stdout, ``note`` on stderr. Both print whole lines, each made ``printable`` and fit for the encoding
of the stream. Where a line cannot be written, ``OutputError`` ends the command: it is raised, or, while ``ends`` has a
function that ends the command, that is called. From then on nothing more is printed.

After ``never_wait``, nothing waits for a reader that does not read: a thread for each stream writes what was printed.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import stat
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from functools import partial
from types import TracebackType
from typing import TextIO

from .print_queue import PrintQueue
from .text import printable

#: Clears a terminal's screen and moves its cursor to the upper left.
_CLEAR = "\x1b[H\x1b[J"
_RED, _PLAIN = "\x1b[31m", "\x1b[0m"
#: Mode of a console of Windows: ENABLE_VIRTUAL_TERMINAL_PROCESSING.
_OBEY = 0x0004
#: How long a command that was stopped waits at its end for what is not written, s.
LAST_S = 0.3


class Colour(StrEnum):
    """Colours of a line, as a terminal is told them (ECMA-48, SGR)."""

    NONE = ""
    RED = "31"
    YELLOW = "33"


class OutputError(Exception):
    """A line cannot be written. The text names the stream and the cause.

    Not a ``PncError``, and no ``OSError``: no code on the way takes it for an error of its own.
    """


class _Output:
    """Whether the output can still be written, and how the command ends if not."""

    def __init__(self) -> None:
        self.failure: OutputError | None = None
        self.end: Callable[[], object] | None = None
        self.quiet = False
        self.command = ""
        self.queues: dict[str, PrintQueue] | None = None  # by the name of the stream; None: who prints writes

    def put(self, name: str, stream: TextIO | None, text: str, *, last: bool = False) -> None:
        """Print a text; ``last``: even after a failure, if that is possible."""
        if self.failure is not None and not last:
            return
        if self.queues is None or stream is None:
            failed = _trouble(name, stream, text)
            if failed and not last:
                self.fail(failed)
            return
        if name not in self.queues:
            self.queues[name] = PrintQueue(name, partial(_say_left_out, name))
        self.queues[name].put(text, partial(self._write, name, stream, last=last))
        if self.failure is not None and self.end is None and not last:
            raise self.failure

    def fail(self, text: str) -> None:
        self.failure = OutputError(text)
        if self.end is None:
            raise self.failure
        self.end()

    def _write(self, name: str, stream: TextIO, text: str, *, last: bool) -> None:
        """Write in the thread of a queue, where nothing can be raised."""
        failed = _trouble(name, stream, text)
        if failed and not last and self.failure is None:
            with contextlib.suppress(OutputError, RuntimeError):  # RuntimeError: the event loop has ended
                self.fail(failed)


def _say_left_out(name: str, lines: int) -> None:
    """Print on stderr how many lines of a stream were left out."""
    prefix = f"{_output.command}: " if _output.command else ""
    last_note(f"{prefix}{name}: {lines:,} lines were left out: nobody had read those before them")


def _trouble(name: str, stream: TextIO | None, text: str) -> str:
    """Write a text; return why it cannot be written, empty if it was."""
    try:
        if stream is None:  # it was closed before the program started
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        _write(stream, text)
    except (OSError, ValueError) as error:
        if stream is not None:
            _discard(stream)
        cause = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return f"{name}: cannot be written ({cause})"
    return ""


_output = _Output()


def never_wait() -> None:
    """Let no printing wait for a reader, until the end of ``separate_output``: for programs with an event loop.

    Of a stream that is not read, the lines that ``PrintQueue`` does not take are counted. The count is printed on
    stderr when those before them were read.
    """
    if _output.queues is None:
        _output.queues = {}


def drain(within_s: float | None = None) -> None:
    """Wait until everything is written, at most so long; None: as long as it takes, until Ctrl-C."""
    end_s = None if within_s is None else time.monotonic() + within_s
    for queue in list((_output.queues or {}).values()):
        queue.drain(None if end_s is None else max(0.0, end_s - time.monotonic()))


def show(*lines: str, clear: bool = False) -> None:
    """Print lines on stdout, on a cleared screen if that is asked and a terminal does it. Raises OutputError."""
    screen = _CLEAR if clear and _obeys_escapes(sys.stdout) else ""
    _output.put("stdout", sys.stdout, screen + "".join(f"{printable(line)}\n" for line in lines))


def note(*lines: str) -> None:
    """Print lines on stderr, unless the user wants it quiet. Raises OutputError.

    Without a stderr nothing is printed: the user has closed it.
    """
    if not _output.quiet:
        _put_error("".join(f"{printable(line)}\n" for line in lines))


def note_error(line: str) -> None:
    """Print why a command fails on stderr, also if the user wants it quiet; red on a terminal. Raises OutputError."""
    text = printable(line)
    _put_error(f"{_RED}{text}{_PLAIN}\n" if _takes_colours(sys.stderr) else f"{text}\n")


def be_quiet() -> None:
    """Print no notes from now on, until the end of ``separate_output``."""
    _output.quiet = True


def show_coloured(line: str, colour: Colour) -> None:
    """Print a line on stdout, coloured if that is a terminal that takes colours. Raises OutputError."""
    text = printable(line)
    if colour is not Colour.NONE and _takes_colours(sys.stdout):
        text = f"\x1b[{colour}m{text}{_PLAIN}"
    _output.put("stdout", sys.stdout, f"{text}\n")


class BarStream:
    """The stream of a progress bar: stderr, as a package writes to it. It prints as ``note`` does, whatever it gets."""

    def __init__(self) -> None:
        self.encoding = getattr(sys.stderr, "encoding", None) or "utf-8"

    def write(self, text: str) -> int:
        """Print a part of a line as it is."""
        _put_error(text)
        return len(text)

    def flush(self) -> None:
        """Do nothing: what is written is on its way."""

    def isatty(self) -> bool:
        """Return whether stderr is a terminal."""
        return sys.stderr is not None and sys.stderr.isatty()

    def fileno(self) -> int:
        """Return stderr's file descriptor, by which a bar finds the width of its terminal."""
        if sys.stderr is None:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        return sys.stderr.fileno()


def _put_error(text: str) -> None:
    if sys.stderr is not None:
        _output.put("stderr", sys.stderr, text)


def _takes_colours(stream: TextIO | None) -> bool:
    """Return whether a stream is a terminal with colours, and the user has not refused them (https://no-color.org)."""
    return not os.environ.get("NO_COLOR") and _obeys_escapes(stream)


def _obeys_escapes(stream: TextIO | None) -> bool:
    """Return whether a stream is a terminal that obeys escape sequences instead of showing them."""
    if stream is None or not stream.isatty():
        return False
    if sys.platform == "win32":
        return _console_obeys(stream)
    return os.environ.get("TERM") != "dumb"


if sys.platform == "win32":

    def _console_obeys(stream: TextIO) -> bool:
        """Let a console of Windows obey escape sequences, as those since Windows 10 can; return whether it does."""
        import ctypes
        import msvcrt
        from ctypes import wintypes

        kernel, mode = ctypes.windll.kernel32, wintypes.DWORD()
        try:
            console = wintypes.HANDLE(msvcrt.get_osfhandle(stream.fileno()))
        except (OSError, ValueError):
            return False
        if not kernel.GetConsoleMode(console, ctypes.byref(mode)):
            return False
        return bool(mode.value & _OBEY or kernel.SetConsoleMode(console, mode.value | _OBEY))


def last_note(line: str) -> None:
    """Print a line on stderr even after a failure, if that is possible."""
    if sys.stderr is not None:
        _output.put("stderr", sys.stderr, f"{printable(line)}\n", last=True)


def failure() -> OutputError | None:
    """Return why nothing is printed any more; None: output can be written."""
    return _output.failure


def fail(text: str) -> None:
    """End the command as if a line could not be written. Raises OutputError."""
    if _output.failure is None:
        _output.fail(text)


@contextmanager
def ends(end: Callable[[], object]) -> Iterator[None]:
    """Call ``end`` in this context, where output cannot be written; ``OutputError`` is not raised.

    For programs with an event loop: what a callback raises does not end them. Any thread may call ``end``.
    """
    before, _output.end = _output.end, end
    try:
        yield
    finally:
        _output.end = before


@contextmanager
def separate_output(command: str = "") -> Iterator[None]:
    """Forget at the end of this context that output could not be written in it.

    ``command``: the name with which lines about the output itself begin.
    """
    before = _output.failure, _output.quiet, _output.command, _output.queues
    _output.failure, _output.quiet, _output.command, _output.queues = None, False, command, None
    try:
        yield
    finally:
        drain(LAST_S)
        _output.failure, _output.quiet, _output.command, _output.queues = before


def print_traceback(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    """Print an error that nothing has foreseen; a ``sys.excepthook``."""
    for line in traceback_lines(kind, error, trace):
        last_note(line)


def traceback_lines(
    kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
) -> Iterator[str]:
    """Yield the lines that show an error and where it was raised. What the error says is one, and is not printable."""
    import traceback

    for part in traceback.format_exception(kind, error, trace):
        is_of_code = part.lstrip(" |+-").startswith("File ")
        yield from part.splitlines() if is_of_code else [part.strip("\n")]


def _write(stream: TextIO, text: str) -> None:
    """Write a text, with what the stream's encoding lacks escaped; of a file, all of it or nothing.

    Raises OSError or ValueError.
    """
    encoding = getattr(stream, "encoding", None) or "utf-8"
    data = text.encode(encoding, "backslashreplace")
    number = _file_number(stream)
    stream.flush()
    if number is None:
        stream.write(data.decode(encoding))
        stream.flush()
        return
    status = os.fstat(number)
    try:
        _write_all(number, data)
    except OSError:
        written = os.fstat(number).st_size - status.st_size
        if stat.S_ISREG(status.st_mode) and 0 < written < len(data):
            os.ftruncate(number, status.st_size)
        raise


def _write_all(number: int, data: bytes) -> None:
    """Write to a file descriptor: with PYTHONUNBUFFERED, Python's streams lose what a write leaves over."""
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(number, view) :]
        except BlockingIOError:  # a terminal or pipe that another program has made so
            select.select([], [number], [])


def _file_number(stream: TextIO) -> int | None:
    """Return the file descriptor behind a stream, None if there is none. Windows translates what its streams get."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        return stream.fileno() if os.name == "posix" else None
    return None


def _discard(stream: TextIO) -> None:
    """Let nothing fail again when the interpreter ends."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        number = stream.fileno()
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, number)
        os.close(nothing)
        stream.flush()
