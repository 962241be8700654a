"""Boards behind serial ports: real boards, or Zephyr's simulated ones."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from host.boards.pairing import secret_of
from host.sim.air import goodput_limit_bps
from host.sim.line import UART_BYTES_PER_S
from host.transport.serial_port import SerialTransport
from host.transport.transport import Transport
from host.wire import FRAME_OVERHEAD, MAX_PACKET, Capability, Pair, PairAction, Pairing, PairMethod, Phy
from tests.bsim.simulation import Simulation
from tests.hil.host import Host
from tests.hil.rigs.rig import OnBoard, Rig

_SLOW_INTERVAL_US = 60_000
_FAST_INTERVAL_US = 7_500
#: For two boards to pair again, s.
_WINDOW_S = 30
#: COBS and the zero byte at the end of a full frame.
_STUFFING = 3
#: A goodbye is noticed at the camera board within this time, s: what it gives its radio before is lost.
_NOTICED_S = 0.1
#: A full packet gets through three times out of seven, an empty one nearly always: some 80 kbit/s.
_LOSSY = ["-defmodem=Magic", "-argsdefmodem", "-BER=4e-4"]


class SerialRig(Rig):
    """Two boards at known ports. A reset of the edge board cuts the connection. Only boards with a debugger's port
    (``keeps_port``) can be reset in a test: a board's own USB port disappears with the reset."""

    name = "hil"
    has = frozenset({"two_boards", "air_time", "slow_air", "disconnect", "reset", "pairing"})
    slow_phy = Phy.CODED_S8

    def __init__(self, camera: str, edge: str, *, slow: bool = False, keeps_port: bool = True) -> None:
        super().__init__(slow=slow)
        if not keeps_port:
            self.has = self.has - {"disconnect", "reset"}
        self._paths = camera, edge
        self._usb = True

    async def start(self) -> None:
        """Do nothing: real boards run already."""

    async def stop(self) -> None:
        """Do nothing: real boards continue."""

    def camera_transport(self) -> Transport:
        return SerialTransport(self._paths[0])

    def edge_transport(self) -> Transport:
        return SerialTransport(self._paths[1])

    async def prepare(self, camera: Host, edge: Host) -> None:
        hello = await camera.greet()
        self._usb = bool(hello.capabilities & Capability.USB)
        phy = self.slow_phy if self.slow else Phy.LE_2M
        interval_us = _SLOW_INTERVAL_US if self.slow else _FAST_INTERVAL_US
        for host in (edge, camera):
            await host.configure(phy=phy, interval_us=interval_us)

    async def restore(self, camera: Host, edge: Host) -> None:
        if self.slow:
            for host in (edge, camera):
                await host.configure(phy=Phy.LE_2M, interval_us=_FAST_INTERVAL_US)

    @asynccontextmanager
    async def strangers(self, camera: Host, edge: Host) -> AsyncIterator[None]:
        """Delete the boards' bond with each other; pair them out of band afterwards."""
        at = {host: await host.ask(Pair(action=PairAction.CLOSE), Pairing) for host in (camera, edge)}
        if not at[camera].bonds:
            pytest.skip("the boards are connected without having paired: to them nobody is a stranger")
        for host, other in ((camera, at[edge]), (edge, at[camera])):
            known = Pair(action=PairAction.FORGET, address_type=other.address_type, address=other.address)
            await host.ask(known, Pairing)
        try:
            yield
        finally:
            before = len(camera.heard)
            show = Pair(action=PairAction.OPEN, method=PairMethod.OUT_OF_BAND, window_s=_WINDOW_S)
            camera.send(show)  # once: each has a new secret
            shown = await camera.hear(Pairing, lambda pairing: any(pairing.random), since=before)
            await edge.ask(secret_of(shown, _WINDOW_S), Pairing)

    async def cut(self, edge: OnBoard) -> None:
        await edge.reset_board()

    def limit_bps(self, phy: int, interval_us: int) -> float:
        """Return the limit of the air, or of a development kit's serial port if that is slower."""
        air = goodput_limit_bps(Phy(phy), interval_us, MAX_PACKET)
        frame = MAX_PACKET + FRAME_OVERHEAD + _STUFFING
        return air if self._usb else min(air, UART_BYTES_PER_S * 8 * MAX_PACKET / frame)


class BsimRig(SerialRig):
    """Zephyr's boards on BabbleSim's radio, in real time. A board that is reset leaves the simulation, which admits no
    board while it runs, so the edge board ends the connection by giving up its role."""

    name = "bsim"
    has = frozenset({"two_boards", "air_time", "slow_air", "disconnect", "pairing"})
    slow_phy = Phy.LE_1M

    def __init__(self, folder: Path, program: Path, *, slow: bool = False) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._simulation = Simulation(folder, [program] * 2, phy=_LOSSY if slow else [], speed=1.0)
        super().__init__(str(self._simulation.ports[0]), str(self._simulation.ports[1]), slow=slow)

    def limit_bps(self, phy: int, interval_us: int) -> float:
        return goodput_limit_bps(Phy(phy), interval_us, MAX_PACKET)

    async def start(self) -> None:
        self._simulation.start()

    async def stop(self) -> None:
        self._simulation.stop()

    async def cut(self, edge: OnBoard) -> None:
        await edge.leave_and_return()
        await asyncio.sleep(_NOTICED_S)
