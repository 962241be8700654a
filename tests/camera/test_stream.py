"""A stream of pictures: several under way, every file reported in order, and outages outlived."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from host.camera.camera import Camera, CameraError
from host.camera.report import TransferReport
from host.camera.source import FileSource
from host.camera.stream import MOST_UNDER_WAY, PictureStream
from host.codec import load
from host.errors import Reason
from host.link.events import Answer, Event, ImageCollected, Unanswered
from host.link.receiver import Receiver
from host.ranked import split
from host.sim.realtime import RealTimeWorld
from host.sim.trace import ChannelState, Trace
from host.sim.world import WorldSettings
from host.transport.driver import Driver, now_us
from host.transport.serial_port import SerialTransport
from tests import pace
from tests.codec.conftest import drawing
from tests.sim.realtime_scene import BAUD, connected, live, running, running_world

CODEC = load()
AMPLE_MS = 2000.0


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    """Return 24 drawn pictures."""
    files = [tmp_path / f"{number:02}.png" for number in range(24)]
    for number, file in enumerate(files):
        Image.fromarray(drawing(number)).save(file)
    return files


@asynccontextmanager
async def server(
    path: str, answer_after_s: float = 0.0, *, provisional: bool = False
) -> AsyncIterator[list[ImageCollected]]:
    """Run an edge server that classifies every picture for so long, any number at a time.

    With ``provisional`` it answers at once with another class whenever more of a picture has arrived.
    """
    collected: list[ImageCollected] = []
    receiver = Receiver(nonce=5, service_us=1_000)
    loop = asyncio.get_running_loop()

    def answer(event: ImageCollected) -> None:
        used = [packet.rank for packet in event.packets]
        best = (7, "cock", 1.0) if event.final else (8, "hen", 0.5)
        receiver.answer(now_us(), event, [best], service_us=1_000, used=used)
        driver.wake()

    def on_event(event: Event) -> None:
        if isinstance(event, ImageCollected) and event.final:
            collected.append(event)
            loop.call_later(answer_after_s, answer, event)
        elif isinstance(event, ImageCollected) and provisional:
            answer(event)

    transport = SerialTransport(path, BAUD)
    driver = Driver(receiver, transport, on_event)
    await transport.open()
    try:
        async with running(driver.run()):
            yield collected
    finally:
        await transport.close()


def camera_on(port: str, notices: list[str] | None = None) -> Camera:
    """Return a camera that outlives outages."""
    return Camera(
        SerialTransport(port, BAUD), CODEC, reopen=True, on_notice=None if notices is None else notices.append
    )


async def sent(
    camera: Camera,
    files: list[Path],
    deadline_ms: float | None = None,
    *,
    period_ms: float | None = None,
    max_bytes: int | None = None,
) -> list[TransferReport]:
    """Send a stream; return its reports."""
    reports: list[TransferReport] = []
    deadline_ms = pace.seconds(AMPLE_MS) if deadline_ms is None else deadline_ms
    await PictureStream(
        camera, FileSource(files), deadline_ms, on_report=reports.append, period_ms=period_ms, max_bytes=max_bytes
    ).run()
    assert [report.file for report in reports] == [str(file) for file in files]
    return reports


def test_several_are_under_way_and_each_gets_its_own_answer(pictures: list[Path]) -> None:
    answer_after_s = 0.3

    async def test() -> float:
        async with (
            running_world(WorldSettings()) as world,
            server(world.paths[-1], answer_after_s) as collected,
            camera_on(world.paths[0]) as camera,
        ):
            await connected(camera)
            start_s = time.monotonic()
            reports = await sent(camera, pictures)
            took_s = time.monotonic() - start_s
            assert {report.status for report in reports} == {"ok"}
            by_number = {event.image: sum(len(packet.data) for packet in event.packets) for event in collected}
            assert len(by_number) == len(reports)
            for report in reports:
                assert by_number[report.image] == report.bytes_delivered == report.bytes_encoded  # type: ignore[index]
        return took_s

    assert live(test()) < 0.7 * len(pictures) * answer_after_s


def test_a_period_starts_pictures_whether_or_not_those_before_are_answered(pictures: list[Path]) -> None:
    period_s, answer_after_s = pace.seconds(0.1), pace.seconds(0.6)

    async def test() -> None:
        async with (
            running_world(WorldSettings()) as world,
            server(world.paths[-1], answer_after_s) as collected,
            camera_on(world.paths[0]) as camera,
        ):
            await connected(camera)
            start_s = time.monotonic()
            reports = await sent(camera, pictures[:12], period_ms=1000 * period_s)
            took_s = time.monotonic() - start_s
            assert {report.status for report in reports} == {"ok"}
            assert 11 * period_s + answer_after_s <= took_s < 12 * answer_after_s
            arrived_us = sorted(max(event.arrived_us.values()) for event in collected)
            assert 0.5 * period_s < np.median(np.diff(arrived_us)) / 1e6 < 2 * period_s

    live(test())


def test_a_period_that_the_link_cannot_follow_leaves_pictures_out_and_goes_on(
    pictures: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("host.camera.stream.MOST_UNDER_WAY", 4)
    assert MOST_UNDER_WAY > 4

    async def test() -> None:
        async with (
            running_world(WorldSettings()) as world,
            server(world.paths[-1], pace.seconds(1.0)),
            camera_on(world.paths[0]) as camera,
        ):
            await connected(camera)
            reports = await sent(camera, pictures, pace.seconds(3000), period_ms=10)
            assert [report.status for report in reports[:4]] == ["ok"] * 4
            unsent = [report for report in reports if report.status == "unsent"]
            assert len(unsent) >= 10
            assert {report.detail for report in unsent} == {"4 pictures are already under way"}

    live(test())


def test_neither_a_bad_file_nor_a_refused_deadline_ends_the_stream(pictures: list[Path]) -> None:
    pictures[3].write_bytes(b"no picture")
    pictures[4].unlink()

    async def test() -> None:
        async with (
            running_world(WorldSettings()) as world,
            server(world.paths[-1]),
            camera_on(world.paths[0]) as camera,
        ):
            await connected(camera)
            reports = await sent(camera, pictures)
            others = [report.status for number, report in enumerate(reports) if number not in (3, 4)]
            assert set(others) == {"ok"}
            for number in (3, 4):
                assert reports[number].status == "not a picture"
                assert pictures[number].name in reports[number].detail
            refused = await sent(camera, pictures[5:10], 1.0)
            assert {report.status for report in refused} == {"unsent"}
            assert "needs at least" in refused[0].detail

    live(test())


def test_a_picture_may_be_bounded_by_bytes(pictures: list[Path]) -> None:
    async def test() -> None:
        async with (
            running_world(WorldSettings()) as world,
            server(world.paths[-1]) as collected,
            camera_on(world.paths[0]) as camera,
        ):
            await connected(camera)
            reports = await sent(camera, pictures[:4], max_bytes=1000)
            assert [report.bytes_delivered for report in reports] == [1000] * 4
            for event in collected:
                whole = CODEC.encode(drawing([report.image for report in reports].index(event.image)))
                assert b"".join(p.data for p in event.packets) == b"".join(p.data for p in whole)[:1000]
            with pytest.raises(ValueError, match="at most 0 bytes"):
                await camera.send_picture(drawing(0), AMPLE_MS, max_bytes=0)
            for wrong in (float("nan"), 1.5, "x"):
                with pytest.raises(TypeError, match=r"max_bytes is .*: it must be an integer"):
                    await camera.send_picture(drawing(0), AMPLE_MS, max_bytes=wrong)

    live(test())


def test_packets_are_sent_in_parts_of_the_length_that_the_link_wants(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        async with (
            running_world(WorldSettings()) as world,
            server(world.paths[-1]) as collected,
            camera_on(world.paths[0]) as camera,
        ):
            await connected(camera)
            monkeypatch.setattr(camera.sender, "part_bytes", lambda: (40, 90))
            report = await camera.send_picture(drawing(1), pace.seconds(AMPLE_MS))
            parts = tuple(split(CODEC.encode(drawing(1)), 40, 90))
            assert report.status == "ok"
            assert report.packets_delivered == report.packets_encoded == len(parts)
            assert collected[-1].packets == parts

    live(test())


def test_provisional_answers_are_events_and_the_report_is_of_the_final_one() -> None:
    events: list[Event] = []

    async def test() -> TransferReport:
        settings = WorldSettings(trace=Trace.constant(ChannelState(rate_bps=40_000)))
        async with (
            running_world(settings) as world,
            server(world.paths[-1], provisional=True),
            Camera(SerialTransport(world.paths[0], BAUD), CODEC, on_event=events.append) as camera,
        ):
            await connected(camera)
            return await camera.send_picture(drawing(3), pace.seconds(3000))

    report = live(test())
    answers = [event for event in events if isinstance(event, Answer)]
    assert [answer.final for answer in answers] == [False] * (len(answers) - 1) + [True]
    assert len(answers) > 1
    assert {answer.classes[0][1] for answer in answers[:-1]} == {"hen"}
    assert answers[-1].classes[0][1] == "cock"
    assert (report.status, report.top[0][1]) == ("ok", "cock")
    assert report.packets_delivered == report.packets_encoded


def silent_for(seconds: float) -> Callable[[RealTimeWorld], asyncio.Task[None]]:
    """Return a fault: the camera board neither hears nor is heard for a while."""

    async def cut(world: RealTimeWorld) -> None:
        world.world.cameras[0].line.cut = True
        await asyncio.sleep(seconds)
        world.world.cameras[0].line.cut = False

    return lambda world: asyncio.create_task(cut(world))


def test_a_stream_outlives_a_board_that_is_silent_for_a_second(pictures: list[Path]) -> None:
    """What was sent into the silence is lost; a second after it pictures are answered again."""
    period_s, silence_s = pace.seconds(0.1), pace.seconds(1.0)
    files = pictures + pictures

    async def test() -> None:
        notices: list[str] = []
        async with (
            running_world(WorldSettings()) as world,
            server(world.paths[-1]),
            camera_on(world.paths[0], notices) as camera,
        ):
            await connected(camera)
            asyncio.get_running_loop().call_later(5 * period_s, silent_for(silence_s), world)
            reports = await sent(camera, files, pace.seconds(400), period_ms=1000 * period_s)
            statuses = [report.status for report in reports]
            assert statuses[:3] == ["ok"] * 3
            assert {"unsent", "unanswered"} & set(statuses)
            after = 5 + int((silence_s + pace.seconds(1.0)) / period_s) + 1
            assert after < len(files) - 5
            assert set(statuses[after:]) == {"ok"}, statuses

    live(test())


def test_a_stream_outlives_a_cable_that_is_pulled_and_plugged_in_again(pictures: list[Path], tmp_path: Path) -> None:
    port = tmp_path / "board"
    period_s = pace.seconds(0.1)

    async def plug_out_and_in(world: RealTimeWorld) -> None:
        await asyncio.sleep(5 * period_s)
        world.unplug(0)
        port.unlink()
        await asyncio.sleep(pace.seconds(1.0))
        port.symlink_to(world.replug(0))

    async def test() -> None:
        notices: list[str] = []
        async with running_world(WorldSettings()) as world, server(world.paths[-1]):
            port.symlink_to(world.paths[0])
            async with camera_on(str(port), notices) as camera:
                await connected(camera)
                async with running(plug_out_and_in(world)):
                    reports = await sent(camera, pictures * 2, pace.seconds(300), period_ms=1000 * period_s)
        statuses = [report.status for report in reports]
        assert statuses[:3] == ["ok"] * 3
        assert statuses[-5:] == ["ok"] * 5, statuses
        assert statuses.count("unsent") >= 3
        assert len(notices) == 2
        assert notices[0].startswith(f"{port}: ")
        assert notices[0].endswith(": waiting for it to come back")
        assert notices[1] == f"{port}: the board is back"

    live(test())


def test_a_picture_whose_deadline_outlasts_the_outage_is_answered(tmp_path: Path) -> None:
    port = tmp_path / "board"

    async def test() -> Answer | Unanswered:
        settings = WorldSettings(trace=Trace.constant(ChannelState(rate_bps=16_000)))
        async with running_world(settings) as world, server(world.paths[-1]):
            port.symlink_to(world.paths[0])
            async with camera_on(str(port)) as camera:
                await connected(camera)
                packets = CODEC.encode(drawing(3))
                sending = asyncio.create_task(camera.send(packets, now_us() + pace.deadline_us(12_000_000)))
                await asyncio.sleep(0.5)
                world.unplug(0)
                port.unlink()
                await asyncio.sleep(0.5)
                port.symlink_to(world.replug(0))
                return await sending

    reply = live(test())
    assert isinstance(reply, Answer)
    assert not reply.late
    assert len(reply.ranks) == len(CODEC.encode(drawing(3)))


def test_without_reopening_an_outage_ends_the_picture_with_an_error_at_once() -> None:
    async def test() -> CameraError:
        async with (
            running_world(WorldSettings()) as world,
            server(world.paths[-1], 30),
            Camera(SerialTransport(world.paths[0], BAUD), CODEC) as camera,
        ):
            await connected(camera)
            sending = asyncio.create_task(camera.send_picture(drawing(1), 20_000))
            await asyncio.sleep(0.3)
            world.unplug(0)
            start_s = time.monotonic()
            with pytest.raises(CameraError) as error:
                await sending
            assert time.monotonic() - start_s < pace.seconds(2)
        return error.value

    assert live(test()).reason is Reason.PORT_LOST


def test_a_board_that_never_answered_is_an_error_also_for_a_stream() -> None:
    master, slave = os.openpty()

    async def test() -> CameraError:
        async with camera_on(os.ttyname(slave)) as camera:
            with pytest.raises(CameraError) as error:
                await camera.connect(pace.seconds(10))
        return error.value

    try:
        assert live(test()).reason is Reason.NO_BOARD
    finally:
        os.close(master)
        os.close(slave)


def test_a_stream_that_is_stopped_reports_what_has_ended(pictures: list[Path]) -> None:
    async def test() -> None:
        async with (
            running_world(WorldSettings()) as world,
            server(world.paths[-1]),
            camera_on(world.paths[0]) as camera,
        ):
            await connected(camera)
            reports: list[TransferReport] = []
            completed: list[str] = []
            stuck, ended = asyncio.Event(), asyncio.Event()

            async def complete(report: TransferReport) -> TransferReport:
                if report.file == str(pictures[2]):
                    await stuck.wait()
                completed.append(report.file)
                if len(completed) == 8:
                    ended.set()
                return report

            stream = PictureStream(
                camera, FileSource(pictures), pace.seconds(AMPLE_MS), on_report=reports.append, complete=complete
            )
            running_stream = asyncio.create_task(stream.run())
            await ended.wait()
            assert [report.file for report in reports] == [str(file) for file in pictures[:2]]
            running_stream.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running_stream
            names = [report.file for report in reports]
            assert str(pictures[2]) not in names
            assert len(names) >= 8
            assert names == sorted(completed)

    live(test())
