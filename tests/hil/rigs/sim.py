"""Virtual boards behind pseudo-terminals, on the modelled radio."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from host.sim.air import goodput_limit_bps
from host.sim.line import USB_BYTES_PER_S
from host.sim.realtime import RealTimeWorld
from host.sim.trace import CLEAR, ChannelState, Trace
from host.sim.world import World, WorldSettings
from host.transport.driver import now_us
from host.transport.serial_port import SerialTransport
from host.transport.transport import Transport
from host.wire import MAX_PACKET, Phy
from tests.hil.rigs.rig import NEEDS, OnBoard, Rig

#: A speed that every system accepts on a pseudo-terminal.
_BAUD = 115_200
_SLOW = ChannelState(rate_bps=60_000)
_SUPERVISION_TIMEOUT = 0x08


class SimRig(Rig):
    """Virtual boards. They provide everything but pairing: they need no bond."""

    name = "sim"
    has = frozenset(NEEDS) - {"pairing"}

    async def start(self) -> None:
        trace = Trace.constant(_SLOW if self.slow else CLEAR)
        self._world = RealTimeWorld(World(WorldSettings(trace=trace, bytes_per_s=USB_BYTES_PER_S), now_us=now_us()))
        self._running = asyncio.create_task(self._world.run())
        self._folder = tempfile.TemporaryDirectory(prefix="pnc-hil-")
        self._camera = Path(self._folder.name) / "camera"  # keeps its name when it is plugged in again
        self._camera.symlink_to(self._world.paths[0])

    async def stop(self) -> None:
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)
        self._folder.cleanup()

    def camera_transport(self) -> Transport:
        return SerialTransport(str(self._camera), _BAUD)

    def edge_transport(self) -> Transport:
        return SerialTransport(self._world.paths[-1], _BAUD)

    async def cut(self, _edge: OnBoard) -> None:
        for connection in self._world.world.connections:
            connection.drop(_SUPERVISION_TIMEOUT)
            connection.search()

    def unplug(self) -> None:
        self._world.unplug(0)
        self._camera.unlink()

    def replug(self) -> None:
        self._camera.symlink_to(self._world.replug(0))

    def limit_bps(self, phy: int, interval_us: int) -> float:
        return goodput_limit_bps(Phy(phy), interval_us, MAX_PACKET)
