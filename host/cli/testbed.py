"""Virtual boards and an edge server in this process: what the commands use when no board is attached."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from ..codec import Codec
from ..edge.archive import Archive, Served
from ..edge.classifier import Classifier
from ..edge.server import EdgeServer
from ..sim.realtime import RealTimeWorld
from ..sim.world import World, WorldSettings
from ..transport.driver import now_us
from ..transport.serial_port import SerialTransport
from ..transport.transport import Transport

#: A speed that every system accepts on a pseudo-terminal; the model paces the bytes itself.
PSEUDO_TERMINAL_BAUD = 115_200
#: How long a decoded picture may take to be saved after its answer.
SAVE_S = 2.0


@asynccontextmanager
async def virtual_boards(settings: WorldSettings) -> AsyncIterator[list[Transport]]:
    """Boards in real time; gives the ports of the cameras, then the edge's."""
    terminals = sys.platform != "win32"
    world = RealTimeWorld(World(settings, now_us=now_us()), terminals=terminals)
    running = asyncio.create_task(world.run())
    try:
        if terminals:
            yield [SerialTransport(path, PSEUDO_TERMINAL_BAUD) for path in world.paths]
        else:
            yield [world.transport(index) for index in range(len(world.world.nodes))]
    finally:
        await _end(running)
        world.close()


class Testbed:
    """Two virtual boards with an edge server behind the second. ``port`` is the camera's."""

    def __init__(self, port: Transport) -> None:
        self.port = port
        self._served: dict[int, Served] = {}
        self._changed = asyncio.Event()

    def keep(self, served: Served) -> None:
        """The server answered."""
        self._served[served.image] = served
        self._changed.set()

    async def saved(self, image: int) -> str | None:
        """Where the server saved an image that it answered; None if it could not, or has not after a while."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SAVE_S):
                while image not in self._served:
                    self._changed.clear()
                    await self._changed.wait()
                return self._served.pop(image).picture
        return None


@asynccontextmanager
async def virtual_testbed(
    settings: WorldSettings,
    codec: Codec,
    classifier: Classifier,
    archive: Archive,
    on_notice: Callable[[str], None],
) -> AsyncIterator[Testbed]:
    """Boards and server in real time, as long as the context lasts."""
    async with virtual_boards(settings) as ports:
        testbed = Testbed(ports[0])
        server = EdgeServer(
            ports[-1],
            codec,
            classifier,
            archive=archive,
            on_served=testbed.keep,
            on_notice=on_notice,
            keep_port=False,
        )
        await asyncio.to_thread(server.warm_up)
        serving = asyncio.create_task(server.run())
        try:
            yield testbed
        finally:
            await _end(serving)


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError, Exception):
        await task
