"""Two boards that pair and carry pictures, on emulated processors: what a simulated board, a program of this computer,
cannot show. Its memory comes from this computer's C library, and its threads use this computer's stacks.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from firmware.stacks.count import MARGIN
from host.transport.serial_port import SerialTransport
from host.wire import Capability, Pair, PairAction, Pairing, Role
from tests import pace
from tests.ble.air import Air
from tests.bsim.emulated_radio import build_with_bluetooth, emulated_board
from tests.bsim.emulator import QEMU
from tests.bsim.high_water import Mark, arena_mark, stack_marks
from tests.hil.host import Host, picture
from tests.hil.rigs.serial import SerialRig

pytestmark = [
    pytest.mark.skipif(shutil.which(name) is None, reason=f"{name} is not installed")
    for name in (QEMU, "arm-none-eabi-objdump")
]
PACKETS = 200
HANG_S = 120.0
#: An instruction takes 2 to that power of nanoseconds: a thirtieth of a 64 MHz processor's pace.
SLOW = 9
#: CONFIG_PNC_AUTH_TIMEOUT_S, less what is left for the end of the connection.
AUTH_TIMEOUT_MS = 4500


@pytest.fixture(scope="module")
def image() -> Path:
    """The firmware for that board."""
    return build_with_bluetooth()


@pytest.fixture
def folder(tmp_path: Path) -> Callable[[], Path]:
    """Return a maker of empty folders with short names, since a socket's path is short."""

    def make() -> Path:
        path = tmp_path / str(len(list(tmp_path.iterdir())))
        path.mkdir()
        return path

    return make


def test_two_boards_pair_carry_pictures_and_stay_within_their_stacks(
    image: Path, folder: Callable[[], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    async def run() -> tuple[list[Mark], list[tuple[int, int]]]:
        air = Air()
        async with emulated_board(air, folder(), image) as camera, emulated_board(air, folder(), image) as edge:
            rig = SerialRig(str(camera.port), str(edge.port))
            hosts = Host(rig.camera_transport(), Role.CAMERA), Host(rig.edge_transport(), Role.EDGE)
            try:
                async with asyncio.timeout(pace.seconds(HANG_S)):
                    await _open(*hosts)
                    await _carry(*hosts, image=1)
                    async with rig.strangers(*hosts):
                        await hosts[0].until(lambda: not hosts[0].links)
                    await _carry(*hosts, image=2)
            finally:
                for host in hosts:
                    await host.close()
            build, boards = image.parents[1], (camera, edge)
            arenas = [mark for board in boards if (mark := arena_mark(board, build)) is not None]
            return [mark for board in boards for mark in stack_marks(board, build)], arenas

    marks, arenas = asyncio.run(run())
    with capsys.disabled():
        for mark in marks:
            print(f"\n{mark.thread}: {mark.used} of {mark.size} bytes used, at most {mark.most} by its code", end="")
        print("".join(f"\nC library: {used} of {size} bytes used" for size, used in arenas))
    assert {"main", "board", "sender", "BT LW WQ", "sysworkq"} <= {mark.thread for mark in marks}
    for mark in marks:
        assert 0 < mark.used <= mark.most, mark
        assert mark.used <= (1 - MARGIN) * mark.size, mark
    assert all(0 < used <= (1 - MARGIN) * size for size, used in arenas)


def test_boards_pair_although_their_processors_have_little_time_for_it(image: Path, folder: Callable[[], Path]) -> None:
    async def run() -> None:
        air = Air()
        async with (
            emulated_board(air, folder(), image, shift=SLOW) as camera,
            emulated_board(air, folder(), image, shift=SLOW) as edge,
        ):
            hosts = [
                Host(SerialTransport(str(edge.port)), Role.EDGE),
                Host(SerialTransport(str(camera.port)), Role.CAMERA),
            ]
            try:
                async with asyncio.timeout(pace.seconds(HANG_S)):
                    for host in hosts:
                        await host.open()
                    opened_ms = (await hosts[-1].statistics()).uptime_ms
                    await hosts[-1].linked()
                    assert (
                        await hosts[-1].statistics()
                    ).uptime_ms - opened_ms > AUTH_TIMEOUT_MS  # or this shows nothing
                    report = await hosts[-1].ask(Pair(action=PairAction.REPORT), Pairing)
                    assert (report.paired, report.failed) == (1, 0)
            finally:
                for host in hosts:
                    await host.close()

    asyncio.run(run())


async def _open(camera: Host, edge: Host) -> None:
    """Open both and wait until they have paired."""
    for host in (camera, edge):
        hello = await host.open()
        assert not hello.capabilities & Capability.VIRTUAL
    await camera.linked()
    await edge.linked()


async def _carry(camera: Host, edge: Host, *, image: int) -> None:
    """Send a picture from one to the other, which are paired."""
    await camera.linked()
    await edge.linked()
    for host in (camera, edge):
        assert (await host.ask(Pair(action=PairAction.REPORT), Pairing)).bonds == 1
    before = await camera.statistics()
    sent = [picture(image, rank) for rank in range(PACKETS)]
    await camera.offer(sent)
    await edge.until(lambda: len(_packets(edge, image)) == len(sent))
    assert _packets(edge, image) == [(each.rank, each.data) for each in sent]
    after = await camera.statistics()
    assert (after.acked - before.acked, after.lost - before.lost) == (PACKETS, 0)


def _packets(edge: Host, image: int) -> list[tuple[int, bytes]]:
    return [(packet.rank, packet.data) for packet in edge.pictures() if packet.image == image]
