"""Virtual boards in real time, behind pseudo-terminals, and programs on their ports."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from host.camera.camera import Camera
from host.link.events import Event, ImageCollected
from host.link.receiver import Receiver
from host.sim.realtime import RealTimeWorld
from host.sim.world import World, WorldSettings
from host.transport.driver import Driver, now_us
from host.transport.serial_port import SerialTransport
from tests import pace

T = TypeVar("T")
BAUD = 115_200
#: Time limit of a test on the reference machine; a test that takes longer hangs.
HANG_S = 30
#: Time limit of a connection to board and server on the reference machine.
CONNECT_S = 5.0


def live(test: Coroutine[Any, Any, T]) -> T:
    """Run a test in real time; a hang fails it."""

    async def limited() -> T:
        async with asyncio.timeout(pace.seconds(HANG_S)):
            return await test

    return asyncio.run(limited())


async def connected(camera: Camera) -> None:
    """Connect a camera; CameraError if that takes longer than it may on this machine."""
    await camera.connect(pace.seconds(CONNECT_S))


@asynccontextmanager
async def running_world(settings: WorldSettings) -> AsyncIterator[RealTimeWorld]:
    """Run a world in real time."""
    world = RealTimeWorld(World(settings, now_us=now_us()))
    async with running(world.run()):
        yield world


@asynccontextmanager
async def running(work: Coroutine[Any, Any, None]) -> AsyncIterator[asyncio.Task[None]]:
    """Run a coroutine until the context ends."""
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await task


@asynccontextmanager
async def edge_program(path: str) -> AsyncIterator[list[ImageCollected]]:
    """Run an edge server that answers at once with one class; yield the images that it answered finally."""
    collected: list[ImageCollected] = []
    receiver = Receiver(nonce=5, service_us=1_000)

    def on_event(event: Event) -> None:
        if isinstance(event, ImageCollected):
            if event.final:
                collected.append(event)
            used = [packet.rank for packet in event.packets]
            receiver.answer(now_us(), event, [(7, "cock", 1.0)], service_us=1_000, used=used)
            driver.wake()

    transport = SerialTransport(path, BAUD)
    driver = Driver(receiver, transport, on_event)
    await transport.open()
    try:
        async with running(driver.run()):
            yield collected
    finally:
        await transport.close()
