"""Virtual boards in real time, each behind a port that a host can open."""

from __future__ import annotations

import asyncio
import contextlib
import sys

from ..transport.driver import now_us
from .transport import SimTransport
from .world import World

if sys.platform != "win32":
    from .terminal import PseudoTerminal


class RealTimeWorld:
    """A world that follows the clock. The boards are in the order of ``world.nodes``: the cameras, then the edge.

    With ``terminals``, ``paths`` are the pseudo-terminals of the boards; without, hosts in this process use
    ``sim_port``.
    """

    def __init__(self, world: World, *, terminals: bool = True) -> None:
        self.world = world
        self._wake = asyncio.Event()
        loop = asyncio.get_running_loop()
        self._terminals = [PseudoTerminal(node, loop, self._wake) for node in world.nodes] if terminals else []
        self.paths = [terminal.path for terminal in self._terminals]

    def sim_port(self, index: int) -> SimTransport:
        """The port of a board that has no pseudo-terminal."""
        return SimTransport(self.world.nodes[index], self._wake)

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

    def replug(self, index: int) -> str:
        """Plug one board in again; returns its new path."""
        self._terminals[index].close()
        self._terminals[index] = PseudoTerminal(self.world.nodes[index], asyncio.get_running_loop(), self._wake)
        self.paths[index] = self._terminals[index].path
        return self.paths[index]

    def close(self) -> None:
        """Pull all cables."""
        for terminal in self._terminals:
            terminal.close()
