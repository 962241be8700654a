"""Virtual boards in real time, as transports for the programs at both ends."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from ..transport.driver import now_us
from ..transport.serial_port import SerialTransport
from ..transport.transport import Transport
from .realtime import RealTimeWorld
from .trace import ChannelState, Trace
from .world import World, WorldSettings

#: A speed that every system accepts on a pseudo-terminal; the model paces the bytes itself.
PSEUDO_TERMINAL_BAUD = 115_200


@asynccontextmanager
async def virtual_boards(
    *, rate_bps: float | None = None, trace: str = "none", cameras: int = 1
) -> AsyncIterator[list[Transport]]:
    """Run virtual boards in this process as long as the context lasts: the firmware's own core on a modelled radio.

    Args:
        rate_bps: cap on the radio's goodput in bits per second, instead of a trace.
        trace: ``none``, ``light`` or ``heavy`` jamming, or a CSV file with the columns time_s, rate_kbps and loss.
        cameras: number of camera boards.

    Yields:
        The transports of the camera boards, then that of the edge board. None is opened yet.
    """
    air = Trace.read(trace) if rate_bps is None else Trace.constant(ChannelState(rate_bps=rate_bps))
    async with boards_in_world(WorldSettings(cameras=cameras, trace=air)) as transports:
        yield transports


@asynccontextmanager
async def boards_in_world(
    settings: WorldSettings, *, terminals: bool = False, on_world: Callable[[World], None] | None = None
) -> AsyncIterator[list[Transport]]:
    """Run a world in real time and yield the transports of its camera boards, then that of its edge board.

    With ``terminals`` the boards are behind pseudo-terminals, which other programs can open, where the system has them.
    ``on_world`` gets the world before it runs.
    """
    terminals = terminals and sys.platform != "win32"
    world = RealTimeWorld(World(settings, now_us=now_us()), terminals=terminals)
    if on_world is not None:
        on_world(world.world)
    running = asyncio.create_task(world.run())
    try:
        if terminals:
            yield [SerialTransport(path, PSEUDO_TERMINAL_BAUD) for path in world.paths]
        else:
            yield [world.transport(index) for index in range(len(world.world.nodes))]
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await running
        world.close()
