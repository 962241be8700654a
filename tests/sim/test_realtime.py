"""The same boards in real time, through serial ports: equal results, several cameras, and faults."""

from __future__ import annotations

import asyncio

import pytest

from host.camera.camera import Camera, CameraError
from host.errors import Reason
from host.link.events import Answer, Event, Failed, FailureReason, Unanswered
from host.ranked import RankedPacket
from host.sim.trace import ChannelState, Trace
from host.sim.world import WorldSettings
from host.transport.driver import now_us
from host.transport.serial_port import SerialTransport
from host.transport.transport import TransportError
from tests import pace
from tests.sim.realtime_scene import BAUD, connected, edge_program, live, running_world
from tests.sim.scene import Scene, air, is_outcome, picture

PICTURES = [picture(count, seed) for seed, count in enumerate([1, 12, 40, 3, 22])]
AMPLE_US = 3_000_000


def ample_us() -> int:
    """Return the time of a deadline that no picture of these tests misses."""
    return now_us() + pace.deadline_us(AMPLE_US)


def in_virtual_time(settings: WorldSettings) -> list[tuple[list[int], tuple[RankedPacket, ...], frozenset[int]]]:
    scene = Scene(settings)
    assert scene.ready()
    answers = [scene.send(packets, AMPLE_US) for packets in PICTURES]
    assert all(isinstance(answer, Answer) for answer in answers)
    return [
        (list(event.arrived_us), event.packets, answer.ranks)  # type: ignore[union-attr]
        for event, answer in zip(scene.collected, answers, strict=True)
    ]


async def in_real_time(settings: WorldSettings) -> list[tuple[list[int], tuple[RankedPacket, ...], frozenset[int]]]:
    async with (
        running_world(settings) as world,
        edge_program(world.paths[-1]) as collected,
        Camera(SerialTransport(world.paths[0], BAUD)) as camera,
    ):
        await connected(camera)
        answers = [await camera.send(packets, ample_us()) for packets in PICTURES]
    assert all(isinstance(answer, Answer) for answer in answers)
    return [
        (list(event.arrived_us), event.packets, answer.ranks)  # type: ignore[union-attr]
        for event, answer in zip(collected, answers, strict=True)
    ]


@pytest.mark.parametrize("settings", [air(), air(rate_bps=400_000, bytes_per_s=300_000), air(loss=0.1)])
def test_real_time_and_virtual_time_give_the_same_packets_in_the_same_order(settings: WorldSettings) -> None:
    virtual = in_virtual_time(settings)
    assert [packets for _, packets, _ in virtual] == [tuple(packets) for packets in PICTURES]
    assert live(in_real_time(settings)) == virtual


def test_two_cameras_in_real_time_get_their_own_answers() -> None:
    async def run() -> None:
        async with (
            running_world(air(cameras=2)) as world,
            edge_program(world.paths[-1]) as collected,
            Camera(SerialTransport(world.paths[0], BAUD)) as first,
            Camera(SerialTransport(world.paths[1], BAUD)) as second,
        ):
            await asyncio.gather(connected(first), connected(second))
            for turn in range(3):
                one, other = picture(5, 10 + turn), picture(9, 50 + turn)
                answers = await asyncio.gather(first.send(one, ample_us()), second.send(other, ample_us()))
                assert [isinstance(answer, Answer) and len(answer.ranks) for answer in answers] == [5, 9]
                got = {event.source: event.packets for event in collected}
                assert got == {0: tuple(one), 1: tuple(other)}
                collected.clear()

    live(run())


def test_a_camera_whose_board_is_unplugged_gets_one_clear_error() -> None:
    async def run() -> None:
        async with (
            running_world(air(rate_bps=20_000)) as world,
            edge_program(world.paths[-1]),
            Camera(SerialTransport(world.paths[0], BAUD)) as camera,
        ):
            await connected(camera)
            sending = asyncio.create_task(camera.send(picture(100), ample_us()))
            await asyncio.sleep(pace.seconds(0.1))
            world.unplug(0)
            with pytest.raises(CameraError, match=f"^{world.paths[0]}: the port went away") as error:
                await sending
            assert "\n" not in str(error.value)
            with pytest.raises(CameraError, match=world.paths[0]):
                await camera.send(picture(1), ample_us())

    live(run())


def test_a_port_that_is_unplugged_raises_port_error_on_read_and_can_be_opened_again_when_it_is_back() -> None:
    async def run() -> None:
        async with running_world(air()) as world:
            port = SerialTransport(world.paths[0], BAUD)
            await port.open()
            reading = asyncio.create_task(port.read())
            await asyncio.sleep(pace.seconds(0.05))
            world.unplug(0)
            with pytest.raises(TransportError, match="unplugged"):
                await reading
            port.write(b"into the void")
            with pytest.raises(TransportError, match="no such port"):
                await port.open()
            port.name = world.paths[1]
            await port.open()
            await port.close()
            await port.close()

    live(run())


def test_a_board_that_stops_answering_ends_in_an_error_not_in_a_hang() -> None:
    async def run() -> None:
        async with (
            running_world(air()) as world,
            edge_program(world.paths[-1]),
            Camera(SerialTransport(world.paths[0], BAUD)) as camera,
        ):
            await connected(camera)
            world.world.cameras[0].line.cut = True
            deadline_us = now_us() + pace.deadline_us(300_000)
            assert isinstance(await camera.send(picture(5), deadline_us), Unanswered)
            with pytest.raises(
                CameraError, match=f"^{world.paths[0]}: the board stopped answering: no answer for 5 s$"
            ) as error:
                await camera.send(picture(5), now_us() + 20_000_000)
            assert error.value.reason is Reason.BOARD_SILENT

    live(run())


@pytest.mark.parametrize("deadline_us", [150_000, 300_000, 2_000_000])
@pytest.mark.parametrize("into_us", [0, 3_000, 40_000])
def test_a_board_that_stops_answering_is_reported_within_a_second_of_the_deadline(
    deadline_us: int, into_us: int
) -> None:
    scene = Scene(air(rate_bps=100_000))
    assert scene.ready()
    start_us = scene.now_us
    scene.submit(picture(40), deadline_us)
    scene.run(into_us)
    scene.world.cameras[0].line.cut = True
    scene.run(6_000_000)
    log = [(at, event) for at, _, event in scene.log if at > start_us]
    ended = [(at, event) for at, event in log if isinstance(event, Failed) or is_outcome(event)]
    assert ended
    assert ended[0][0] <= start_us + deadline_us + 1_000_000
    assert [event.reason for _, event in ended if isinstance(event, Failed)] == [FailureReason.SILENT]


def test_an_idle_camera_learns_that_its_board_is_gone() -> None:
    async def run() -> None:
        async with (
            running_world(air()) as world,
            edge_program(world.paths[-1]),
            Camera(SerialTransport(world.paths[0], BAUD)) as camera,
        ):
            await connected(camera)
            world.unplug(0)
            await asyncio.sleep(pace.seconds(0.3))
            with pytest.raises(CameraError, match=world.paths[0]):
                await camera.send(picture(1), now_us() + pace.deadline_us(300_000))

    live(run())


@pytest.mark.parametrize(
    ("cut", "loss", "words", "reason"),
    [
        (False, 0.0, "no edge server answered", Reason.NO_EDGE_SERVER),
        (False, 1.0, "no edge board in reach", Reason.NO_EDGE_BOARD),
        (True, 0.0, "no board answered: no hello within 1.5 s$", Reason.NO_BOARD),
    ],
)
def test_connect_names_the_part_that_is_missing(cut: bool, loss: float, words: str, reason: Reason) -> None:
    async def run() -> None:
        settings = WorldSettings(trace=Trace.constant(ChannelState(loss=loss)))
        async with running_world(settings) as world, Camera(SerialTransport(world.paths[0], BAUD)) as camera:
            world.world.cameras[0].line.cut = cut
            with pytest.raises(CameraError, match=words) as error:
                await camera.connect(pace.seconds(5 if cut else 0.8))
            assert str(error.value).startswith(f"{world.paths[0]}: ")
            assert error.value.reason is reason
            assert "\n" not in str(error.value)

    live(run())


def test_on_an_idle_link_the_sender_sleeps() -> None:
    async def run() -> int:
        async with (
            running_world(air(interval_us=50_000)) as world,
            edge_program(world.paths[-1]),
            Camera(SerialTransport(world.paths[0], BAUD)) as camera,
        ):
            await connected(camera)
            calls, tick = 0, camera.sender.tick

            def counted(at_us: int) -> list[Event]:
                nonlocal calls
                calls += 1
                return tick(at_us)

            camera.sender.tick = counted  # type: ignore[method-assign]
            await asyncio.sleep(1.0)
            return calls

    assert live(run()) < 100  # a busy loop makes thousands
