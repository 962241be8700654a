"""Virtual boards in real time, each behind a pseudo-terminal: to pyserial a serial port like any other."""

from __future__ import annotations

import asyncio
import contextlib
import os
import tty

from host.link.runner import now_us
from host.sim.line import SerialLine
from host.sim.world import Node, World

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


class RealTimeWorld:
    """A world that follows the clock. ``ports`` are the paths of the cameras' ports, then the edge's."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._wake = asyncio.Event()
        loop = asyncio.get_running_loop()
        self._terminals = [PseudoTerminal(node, loop, self._wake) for node in world.nodes]
        self.ports = [terminal.path for terminal in self._terminals]

    async def run(self) -> None:
        """Run until cancelled; then the ports are gone."""
        schedule = self.world.schedule
        try:
            while True:
                schedule.run_until(now_us())
                self._wake.clear()
                next_us = schedule.next_us
                timeout_s = None if next_us is None else max(0.0, (next_us - now_us()) / 1e6)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), timeout_s)
        finally:
            self.close()

    def unplug(self, index: int) -> None:
        """Pull the cable of one board."""
        self._terminals[index].close()

    def close(self) -> None:
        """Pull all cables."""
        for terminal in self._terminals:
            terminal.close()
