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
    """An edge server; it keeps the ``collected`` images."""

    def __init__(self, transport: Transport) -> None:
        self.collected: list[ImageCollected] = []
        self._receiver = Receiver(nonce=7, service_us=1000)
        self._driver = Driver(self._receiver, transport, self._on_event)
        self._alone = asyncio.Event()

    async def run(self) -> None:
        """Run on an open transport until cancelled."""
        await self._driver.run()

    async def reset_board(self) -> None:
        """Reset the board; its next answer reports a lost session, and the receiver sends hello again."""
        self._say(Reset())

    async def leave_and_return(self) -> None:
        """Take the board's role until it has no connection, then restore it."""
        self._alone.clear()
        self._say(Configure(role=Role.NONE, tx_power_dbm=_KEEP_POWER_DBM))
        await self._alone.wait()
        self._say(Configure(role=Role.EDGE, tx_power_dbm=_KEEP_POWER_DBM))

    def _say(self, packet: Control) -> None:
        self._receiver.session.channel.write(now_us(), packet)
        self._driver.wake()

    def _on_event(self, event: Event) -> None:
        if isinstance(event, LinkChanged) and event.state is LinkState.DOWN:
            self._alone.set()  # there is one camera
        if isinstance(event, ImageCollected):
            self.collected.append(event)
            used = [packet.rank for packet in event.packets]
            self._receiver.answer(now_us(), event, [(1, "one", 0.5)], service_us=10, used=used)
            self._driver.wake()


@asynccontextmanager
async def edge_program(transport: Transport) -> AsyncIterator[Program]:
    """Run the program."""
    await transport.open()
    program = Program(transport)
    running = asyncio.create_task(program.run())
    try:
        yield program
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        await transport.close()
