"""An edge server without codec and classifier: every picture is answered at once."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from host.link.events import Event, ImageCollected, LinkChanged
from host.link.receiver import Receiver
from host.transport.driver import Driver, now_us
from host.transport.transport import Transport
from host.wire import Configure, Control, LinkState, Reset, Role

_KEEP_POWER_DBM = 127


class Program:
    """``collected``: what it got."""

    def __init__(self, port: Transport) -> None:
        self.collected: list[ImageCollected] = []
        self._receiver = Receiver(nonce=7, service_us=1000)
        self._runner = Driver(self._receiver, port, self._on_event)
        self._alone = asyncio.Event()

    async def run(self) -> None:
        """Until cancelled, on an open port."""
        await self._runner.run()

    async def reset_board(self) -> None:
        """Reset the board; its next answer says that it does not know us, and it is greeted again."""
        self._say(Reset())

    async def leave_and_return(self) -> None:
        """Take the board's role until it is connected to nobody, and give it back."""
        self._alone.clear()
        self._say(Configure(role=Role.NONE, tx_power_dbm=_KEEP_POWER_DBM))
        await self._alone.wait()
        self._say(Configure(role=Role.EDGE, tx_power_dbm=_KEEP_POWER_DBM))

    def _say(self, packet: Control) -> None:
        self._receiver.session.channel.write(now_us(), packet)
        self._runner.wake()

    def _on_event(self, event: Event) -> None:
        if isinstance(event, LinkChanged) and event.state is LinkState.DOWN:
            self._alone.set()  # there is one camera
        if isinstance(event, ImageCollected):
            self.collected.append(event)
            used = [packet.rank for packet in event.packets]
            self._receiver.answer(now_us(), event, [(1, "one", 0.5)], service_us=10, used=used)
            self._runner.wake()


@asynccontextmanager
async def edge_program(port: Transport) -> AsyncIterator[Program]:
    """The program, running."""
    await port.open()
    program = Program(port)
    running = asyncio.create_task(program.run())
    try:
        yield program
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        await port.close()
