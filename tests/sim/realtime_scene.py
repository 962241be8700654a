"""Virtual boards in real time, behind pseudo-terminals, with real programs on their ports."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from host.link.events import Event, ImageCollected
from host.link.receiver import Receiver
from host.sim.realtime import RealTimeWorld
from host.sim.world import World, WorldSettings
from host.transport.driver import Driver, now_us
from host.transport.serial_port import SerialTransport

T = TypeVar("T")
BAUD = 115_200
#: Nothing here takes that long; a test that does hangs.
HANG_S = 30


def live(test: Coroutine[Any, Any, T]) -> T:
    """Run a test in real time; a hang fails it."""

    async def limited() -> T:
        async with asyncio.timeout(HANG_S):
            return await test

    return asyncio.run(limited())


@asynccontextmanager
async def running_world(settings: WorldSettings) -> AsyncIterator[RealTimeWorld]:
    """A world that follows the clock."""
    world = RealTimeWorld(World(settings, now_us=now_us()))
    async with running(world.run()):
        yield world


@asynccontextmanager
async def running(work: Coroutine[Any, Any, None]) -> AsyncIterator[asyncio.Task[None]]:
    """Something that runs until the context ends."""
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await task


@asynccontextmanager
async def edge_program(path: str) -> AsyncIterator[list[ImageCollected]]:
    """An edge server that answers at once with one class; gives what it collected."""
    collected: list[ImageCollected] = []
    receiver = Receiver(nonce=5, service_us=1_000)

    def on_event(event: Event) -> None:
        if isinstance(event, ImageCollected):
            collected.append(event)
            used = [packet.rank for packet in event.packets]
            receiver.answer(now_us(), event, [(7, "cock", 1.0)], service_us=1_000, used=used)
            runner.wake()

    port = SerialTransport(path, BAUD)
    runner = Driver(receiver, port, on_event)
    await port.open()
    try:
        async with running(runner.run()):
            yield collected
    finally:
        await port.close()
