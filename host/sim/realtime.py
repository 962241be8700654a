"""Virtual boards in real time, each behind a transport that a host can open."""

from __future__ import annotations

import asyncio
import contextlib
import sys

from ..transport.driver import now_us
from ..transport.in_memory import InMemoryTransport
from .world import World

if sys.platform != "win32":
    from ..transport.pseudo_terminal import PseudoTerminal


class RealTimeWorld:
    """A world that follows the clock. Boards are numbered as in ``world.nodes``: the cameras, then the edge.

    With ``terminals``, ``paths`` are the pseudo-terminals of the boards. Without, hosts in this process use
    ``transport``. TransportError if the system has no pseudo-terminals.
    """

    def __init__(self, world: World, *, terminals: bool = True) -> None:
        self.world = world
        self._wake = asyncio.Event()
        loop = asyncio.get_running_loop()
        self._terminals: list[PseudoTerminal] = []
        try:
            for node in world.nodes if terminals else ():
                self._terminals.append(PseudoTerminal(node.line, loop, self._wake.set))
        except BaseException:
            self.close()
            raise
        self.paths = [terminal.path for terminal in self._terminals]

    def transport(self, index: int) -> InMemoryTransport:
        """Return a transport to a board that has no pseudo-terminal."""
        node = self.world.nodes[index]
        return InMemoryTransport(f"virtual {node.board.name} board", node.line, self._wake.set)

    async def run(self) -> None:
        """Run until cancelled, then close the pseudo-terminals."""
        schedule = self.world.schedule
        try:
            while True:
                schedule.run_until(now_us())
                self._wake.clear()
                next_us = schedule.next_us
                timeout_s = None if next_us is None else max(0.0, (next_us - now_us()) / 1e6)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(timeout_s):
                        await self._wake.wait()
        finally:
            self.close()

    def unplug(self, index: int) -> None:
        """Pull the cable of one board."""
        self._terminals[index].close()

    def replug(self, index: int) -> str:
        """Plug one board in again and return its new path."""
        self._terminals[index].close()
        line, loop = self.world.nodes[index].line, asyncio.get_running_loop()
        self._terminals[index] = PseudoTerminal(line, loop, self._wake.set)
        self.paths[index] = self._terminals[index].path
        return self.paths[index]

    def close(self) -> None:
        """Pull all cables."""
        for terminal in self._terminals:
            terminal.close()
