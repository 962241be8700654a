"""A line of this process behind a pseudo-terminal, which other programs open as a serial port. Linux and macOS."""

from __future__ import annotations

import asyncio
import contextlib
import os
import tty
from collections.abc import Callable

from .driver import now_us
from .line import Line
from .transport import TransportError

_READ = 4096


class PseudoTerminal:
    """The host's end of a line as a pseudo-terminal.

    ``path`` is the serial port that a host opens. ``on_write`` is called when the line has new bytes for its board.
    TransportError if the system has no more pseudo-terminals.
    """

    def __init__(self, line: Line, loop: asyncio.AbstractEventLoop, on_write: Callable[[], None]) -> None:
        self._line = line
        self._loop = loop
        self._on_write = on_write
        try:
            self._master, self._slave = os.openpty()
        except OSError as error:
            raise TransportError(f"no pseudo-terminal can be opened: {error.strerror}") from error
        tty.setraw(self._slave)  # kept open: a host may close the port and open it again
        os.set_blocking(self._master, False)
        self.path = os.ttyname(self._slave)
        self._unwritten = b""
        self._line.on_bytes = self._to_host
        loop.add_reader(self._master, self._from_host)

    def close(self) -> None:
        """Pull the cable: a host loses the port if it has it open."""
        if self._master < 0:
            return
        self._line.on_bytes = None
        self._loop.remove_reader(self._master)
        self._loop.remove_writer(self._master)
        os.close(self._master)
        os.close(self._slave)
        self._master = -1

    def _from_host(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._line.write(now_us(), os.read(self._master, _READ))
            self._on_write()

    def _to_host(self, data: bytes) -> None:
        self._unwritten += data
        self._write()

    def _write(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._unwritten = self._unwritten[os.write(self._master, self._unwritten) :]
        if self._unwritten:  # no program reads: the board keeps the rest, where it can still be dropped or overtaken
            self._line.stall(True)
            self._loop.add_writer(self._master, self._writable)

    def _writable(self) -> None:
        self._loop.remove_writer(self._master)
        self._write()
        if not self._unwritten:
            self._line.stall(False)
            self._on_write()
