"""A virtual board behind a pseudo-terminal: to pyserial a serial port like any other. Linux and macOS."""

from __future__ import annotations

import asyncio
import contextlib
import os
import tty

from .line import SerialLine
from .world import Node

_READ = 4096


class PseudoTerminal:
    """The host's end of a virtual board's serial line as a pseudo-terminal; ``path`` is what a host opens."""

    def __init__(self, node: Node, loop: asyncio.AbstractEventLoop, wake: asyncio.Event) -> None:
        self._line: SerialLine = node.line
        self._loop = loop
        self._wake = wake
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)  # kept open, so that a host that closes the port leaves it in working order
        os.set_blocking(self._master, False)
        self.path = os.ttyname(self._slave)
        self._unwritten = b""
        self._line.on_bytes = self._to_host
        loop.add_reader(self._master, self._from_host)

    def close(self) -> None:
        """Pull the cable: a host that has the port open loses it."""
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
            self._line.write(os.read(self._master, _READ))
            self._wake.set()

    def _to_host(self, data: bytes) -> None:
        self._unwritten += data
        self._write()

    def _write(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._unwritten = self._unwritten[os.write(self._master, self._unwritten) :]
        if self._unwritten:  # nobody reads: the board keeps the rest, where it can still be dropped or overtaken
            self._line.stall(True)
            self._loop.add_writer(self._master, self._writable)

    def _writable(self) -> None:
        self._loop.remove_writer(self._master)
        self._write()
        if not self._unwritten:
            self._line.stall(False)
            self._wake.set()
