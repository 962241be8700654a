"""The board commands on virtual boards behind pseudo-terminals: the firmware's own core answers."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace

import pytest

from host.boards import __main__ as boards
from host.devices.host_system import HostSystem
from host.sim.world import WorldSettings
from host.transport.serial_port import SerialTransport
from tests.boards.desk import Desk, Record
from tests.sim.realtime_scene import BAUD, live, running_world

if sys.platform == "win32":
    pytest.skip("there are no pseudo-terminals on Windows", allow_module_level=True)


def at(desk: Desk, paths: list[str]) -> HostSystem:
    """Return a computer with these virtual boards attached."""
    desk.records = [Record(path, 0x1366, 0x1015, str(index + 1)) for index, path in enumerate(paths)]
    return replace(desk.system(), open_port=lambda name: SerialTransport(name, BAUD))


def test_virtual_boards_are_listed_asked_watched_and_reset(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    async def run(system: HostSystem, *arguments: str) -> str:
        assert await boards.boards(boards.parser().parse_args(arguments), system) == 0
        return "".join(capsys.readouterr())

    async def test() -> None:
        async with running_world(WorldSettings()) as world:
            system = at(desk, world.paths)
            await asyncio.sleep(0.3)  # until they are connected
            camera, edge = (await run(system, "list")).splitlines()[1:]
            assert "camera" in camera
            assert "edge" in edge
            assert all("up 2M 7.5 ms MTU 247" in line for line in (camera, edge))
            assert "role        edge" in await run(system, "info", "--board", "edge")
            watched = await run(system, "monitor", "--count", "2", "--interval", "0.05")
            assert watched.count("camera") == watched.count("-50 dBm") / 2 == 2
            assert "restarted" in await run(system, "reset", "--board", "camera")
            assert "(software)" in await run(system, "info", "--board", "camera")

    live(test())
