"""Situations that once ended a stream, on virtual boards in virtual time: a freeze, many pictures, other programs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from host.link.events import Answer, Event, ImageCollected, Unanswered
from host.link.receiver import MAX_OPEN, Receiver
from host.link.sender import Sender
from host.ranked import RankedPacket
from host.sim.line import USB_BYTES_PER_S
from host.sim.virtual import VirtualHost
from host.sim.world import World, WorldSettings
from host.wire import Picture
from tests.sim.scene import picture

SERVICE_US = 45_000


class Edge:
    """An edge server that answers each image after its service time, and can freeze."""

    def __init__(self, world: World, service_us: int = SERVICE_US) -> None:
        self.schedule = world.schedule
        self.service_us = service_us
        self.receiver = Receiver(nonce=9, service_us=service_us)
        self.collected: list[ImageCollected] = []
        self.slow: dict[int, int] = {}  # service time by the number of the final answer
        self._frozen_until_us = 0
        self._host = VirtualHost(world.schedule, world.edge.line, self.receiver, self._on_event)
        receive, wake = self._host._receive, self._host.wake
        world.edge.line.on_bytes = lambda data: self._when_awake(lambda: receive(data))
        self._host.wake = lambda: self._when_awake(wake)  # type: ignore[method-assign]

    def freeze(self, duration_us: int) -> None:
        """Do nothing for a time: what arrives meanwhile is read afterwards."""
        self._frozen_until_us = self.schedule.now_us + duration_us

    def _when_awake(self, action: Callable[[], None]) -> None:
        if self.schedule.now_us < self._frozen_until_us:
            self.schedule.at(self._frozen_until_us, action)
        else:
            action()

    def _on_event(self, event: Event) -> None:
        if isinstance(event, ImageCollected):
            service_us = self.service_us
            if event.final:
                service_us = self.slow.get(len(self.collected), service_us)
                self.collected.append(event)
            begun_us = self.schedule.now_us
            self.schedule.at(begun_us + service_us, lambda: self._when_awake(lambda: self._answer(event, begun_us)))

    def _answer(self, event: ImageCollected, begun_us: int) -> None:
        used = [packet.rank for packet in event.packets]
        service_us = self.schedule.now_us - begun_us
        self.receiver.answer(self.schedule.now_us, event, [(1, "tench", 0.9)], service_us=service_us, used=used)
        self._host.wake()


class Camera:
    """A camera program; ``outcomes`` by image number."""

    def __init__(self, world: World, nonce: int, index: int = 0) -> None:
        self.schedule = world.schedule
        self.sender = Sender(nonce=nonce)
        self.outcomes: dict[int, Answer | Unanswered] = {}
        self.host = VirtualHost(world.schedule, world.cameras[index].line, self.sender, self._on_event)

    def submit(self, packets: list[RankedPacket], deadline_us: int) -> int:
        number = self.sender.submit(self.schedule.now_us, packets, self.schedule.now_us + deadline_us)
        self.host.wake()
        return number

    def in_time(self, number: int) -> bool:
        outcome = self.outcomes[number]
        return isinstance(outcome, Answer) and not outcome.late and bool(outcome.ranks)

    def _on_event(self, event: Event) -> None:
        if isinstance(event, Unanswered) or (isinstance(event, Answer) and event.final):
            assert event.image not in self.outcomes
            self.outcomes[event.image] = event


def a_world(**settings: Any) -> tuple[World, Edge, Camera]:
    """Return a world with an edge server and a camera that is ready."""
    world = World(WorldSettings(**settings))
    edge, camera = Edge(world), Camera(world, 5)
    until_ready(world, camera)
    return world, edge, camera


def until_ready(world: World, camera: Camera) -> None:
    end_us = world.schedule.now_us + 5_000_000
    while not camera.sender.ready and world.schedule.now_us < end_us:
        world.schedule.run_until(world.schedule.now_us + 5_000)
    assert camera.sender.ready


def stream(world: World, camera: Camera, count: int, period_us: int, deadline_us: int) -> list[int]:
    """Submit a picture each period and return their numbers."""
    numbers = []
    for seed in range(count):
        numbers.append(camera.submit(picture(6, seed), deadline_us))
        world.schedule.run_until(world.schedule.now_us + period_us)
    return numbers


@pytest.mark.parametrize("deadline_us", [300_000, 1_000_000])
@pytest.mark.parametrize("freeze_ms", [100, 500, 2000])
def test_after_a_freeze_every_picture_is_in_time_again(freeze_ms: int, deadline_us: int) -> None:
    world, edge, camera = a_world()
    before = stream(world, camera, 10, 200_000, deadline_us)
    edge.freeze(freeze_ms * 1000)
    frozen_until_us = world.schedule.now_us + freeze_ms * 1000
    during = []
    while world.schedule.now_us < frozen_until_us:
        during += stream(world, camera, 1, 200_000, deadline_us)
    after = stream(world, camera, 20, 200_000, deadline_us)
    world.schedule.run_until(world.schedule.now_us + 2_000_000)
    assert len(camera.outcomes) == len(before + during + after)
    assert all(camera.in_time(number) for number in before)
    assert [number for number in after if not camera.in_time(number)] == []


@pytest.mark.parametrize("deadline_us", [300_000, 1_000_000])
def test_an_answer_that_took_nine_seconds_costs_its_own_picture_only(deadline_us: int) -> None:
    world, edge, camera = a_world()
    edge.slow = {5: 9_000_000}
    numbers = stream(world, camera, 70, 200_000, deadline_us)
    world.schedule.run_until(world.schedule.now_us + 2_000_000)
    assert len(camera.outcomes) == 70
    assert [index for index, number in enumerate(numbers) if not camera.in_time(number)] in ([], [5])


@pytest.mark.parametrize("period_us", [11_111, 5_000])
def test_many_pictures_a_second_are_all_answered(period_us: int) -> None:
    world = World(WorldSettings(bytes_per_s=USB_BYTES_PER_S))
    edge, camera = Edge(world, service_us=1_000), Camera(world, 5)
    until_ready(world, camera)
    numbers = []
    for _ in range(900):
        numbers.append(camera.submit([RankedPacket(0, 0, b"x" * 40)], 400_000))
        world.schedule.run_until(world.schedule.now_us + period_us)
    world.schedule.run_until(world.schedule.now_us + 2_000_000)
    assert len(set(numbers)) == 900
    assert all(camera.in_time(number) for number in numbers)
    assert edge.receiver.late == 0


class _Dead:
    """The machine of a killed program."""

    def tick(self, now_us: int) -> list[Event]:  # noqa: ARG002
        return []

    def output(self) -> bytes:
        return b""

    def wake_at(self) -> int | None:
        return None


@pytest.mark.parametrize("stall_us", [50_000, 200_000])
@pytest.mark.parametrize("killed_after_us", [12_000, 20_000, 60_000])
def test_pictures_of_a_killed_program_are_not_mixed_with_the_next_ones(stall_us: int, killed_after_us: int) -> None:
    """The edge server reads nothing for a while, so that its board holds packets of both programs."""
    world, edge, first = a_world(seed=3)
    schedule, line = world.schedule, world.edge.line
    schedule.run_until(2_000_000)
    line.stall(True)
    first.submit(picture(21, seed=1), 2_000_000)
    schedule.run_until(schedule.now_us + killed_after_us)
    world.cameras[0].line.on_bytes = None
    first.host._machine = _Dead()  # type: ignore[assignment]
    second = Camera(world, 77)
    schedule.run_until(schedule.now_us + stall_us)
    line.stall(False)
    until_ready(world, second)
    number = second.submit(picture(21, seed=2), 2_000_000)
    schedule.run_until(schedule.now_us + 4_000_000)
    mine, other = ({packet.data for packet in picture(21, seed)} for seed in (2, 1))
    for collected in edge.collected:
        data = {packet.data for packet in collected.packets}
        assert data <= mine or data <= other
    assert second.in_time(number)
    answer = second.outcomes[number]
    assert isinstance(answer, Answer)
    assert answer.ranks == frozenset(range(21))
    assert list(second.outcomes) == [number]


def test_a_camera_that_opens_many_images_does_not_cut_those_of_another() -> None:
    world = World(WorldSettings(cameras=2, seed=4))
    edge = Edge(world, service_us=30_000)
    good, evil = Camera(world, 5, 0), Camera(world, 6, 1)
    until_ready(world, good)
    until_ready(world, evil)
    schedule, opened = world.schedule, 0

    def flood() -> None:
        nonlocal opened
        channel = evil.sender.session.channel
        for _ in range(2):
            if channel.frames_in_flight < 20:
                opened += 1
                number = (schedule.now_us // 1000 + 30_000 + opened) % 65536
                channel.write(schedule.now_us, Picture(number, 0, 0, 30_000, b"\x24\0", program=0))
        evil.host.wake()
        schedule.at(schedule.now_us + 10_000, flood)

    flood()
    numbers = []
    for seed in range(20):
        numbers.append(good.submit(picture(8, seed), 300_000))
        schedule.run_until(schedule.now_us + 400_000)
    assert opened > 3 * MAX_OPEN
    assert sum(key[0] == 1 for key in edge.receiver._open) == MAX_OPEN
    for number in numbers:
        answer = good.outcomes[number]
        assert isinstance(answer, Answer)
        assert answer.ranks == frozenset(range(8))
