"""Faults: a reset board, a cut connection or cable, an unknown board; and the recovery."""

from __future__ import annotations

import asyncio

import pytest

from host.camera.camera import Camera
from host.link.events import Answer
from host.link.session import State
from host.ranked import RankedPacket
from host.transport.driver import now_us
from host.transport.transport import TransportError
from host.wire import MAX_CODEC_BYTES, Boot, ErrorCode, Hello, LinkState, Reset, Role
from tests import pace
from tests.hil.host import RESET_S, Host, picture
from tests.hil.needs import needs
from tests.hil.program import edge_program
from tests.hil.rigs.rig import Rig

IN_TIME_US = 60_000_000
#: A picture that loses packets because its program is not back yet is answered at its deadline only.
CUT_IN_TIME_US = 5_000_000


def packets(count: int) -> list[RankedPacket]:
    return [RankedPacket(rank, rank, bytes([rank]) * MAX_CODEC_BYTES) for rank in range(count)]


@needs("reset")
async def test_a_board_that_was_reset_says_so_and_serves_again(camera: Host, edge: Host) -> None:
    camera.send(Reset())
    await asyncio.sleep(pace.seconds(RESET_S))
    camera.send(picture(1, 0))
    await camera.until(lambda: any(error.code == ErrorCode.NOT_READY for error in camera.errors))
    hello = await camera.greet()
    assert hello.boot == Boot.SOFTWARE
    await camera.linked()
    await camera.offer([picture(2, rank) for rank in range(20)])
    await edge.until(lambda: sum(packet.image == 2 for packet in edge.pictures()) == 20)


@needs("reset", "slow_air")
async def test_a_picture_survives_a_reset_in_the_middle(link: Rig) -> None:
    async with edge_program(link.edge_transport()), Camera(link.camera_transport()) as camera:
        await camera.connect(pace.seconds(60))
        sending = asyncio.create_task(camera.send(packets(40), now_us() + IN_TIME_US))
        await asyncio.sleep(0.3)
        camera.sender.session.channel.write(now_us(), Reset())
        answer = await sending
        assert isinstance(answer, Answer)
        assert answer.ranks == frozenset(range(40))
        assert camera.sender.session.state is State.OPEN


@needs("disconnect")
async def test_a_connection_that_was_cut_comes_back_and_the_accounts_add_up(
    link: Rig, camera: Host, edge: Host
) -> None:
    await camera.offer([picture(1, rank) for rank in range(20)])
    await link.cut(edge)
    await camera.until(lambda: any(credit.link == LinkState.DOWN for credit in camera.credits) or not camera.links)
    await camera.linked()
    await edge.linked()
    await camera.offer([picture(2, rank) for rank in range(20)])
    await edge.until(lambda: sum(packet.image == 2 for packet in edge.pictures()) == 20)
    account = await camera.statistics()
    assert account.accepted == account.sent + account.expired + account.evicted + account.flushed + account.waiting
    firsts = [(packet.image, packet.rank) for packet in edge.pictures()]
    assert len(set(firsts)) == len(firsts)  # nothing twice


@needs("disconnect")
async def test_pictures_go_on_after_every_cut(link: Rig) -> None:
    async with edge_program(link.edge_transport()) as program, Camera(link.camera_transport()) as camera:
        await camera.connect(pace.seconds(60))
        for cuts in range(3):
            answer = await camera.send(packets(8), now_us() + pace.deadline_us(CUT_IN_TIME_US))
            assert isinstance(answer, Answer), f"after {cuts} cuts"
            await link.cut(program)
        assert isinstance(await camera.send(packets(8), now_us() + pace.deadline_us(CUT_IN_TIME_US)), Answer)
        assert len(program.collected) >= 4


@needs("unplug")
async def test_a_cable_that_is_pulled_is_noticed_and_the_board_serves_again_when_it_is_back(
    link: Rig, camera: Host, edge: Host
) -> None:
    link.unplug()
    with pytest.raises(TransportError):
        await camera.until(lambda: False)
    await camera.close()
    with pytest.raises(TransportError, match="no such port"):
        await link.camera_transport().open()
    link.replug()
    again = Host(link.camera_transport(), Role.CAMERA)
    await again.open()
    await again.linked()
    await again.offer([picture(2, rank) for rank in range(20)])
    await edge.until(lambda: sum(packet.image == 2 for packet in edge.pictures()) == 20)
    await again.close()


@needs("pairing")
async def test_a_stranger_gets_nothing(link: Rig, camera: Host, edge: Host) -> None:
    async with link.strangers(camera, edge):
        await camera.until(lambda: not camera.links)
        await camera.offer([picture(1, rank) for rank in range(10)])
        await asyncio.sleep(1.0)
        assert not camera.links
        assert edge.pictures() == []
    await camera.linked()
    await edge.until(lambda: len(edge.pictures()) == 10)


async def test_a_second_host_takes_over_with_a_hello(camera: Host, edge: Host) -> None:
    await camera.offer([picture(1, rank) for rank in range(10)])
    await edge.until(lambda: len(edge.pictures()) == 10)
    hello = await camera.greet()
    assert isinstance(hello, Hello)
    await camera.until(lambda: camera.credit is not None and camera.credit.taken == 0)
