"""Cameras that send more than the server can answer: link and queue on virtual boards, in virtual time."""

from __future__ import annotations

from collections import Counter

import pytest

from host.edge.service_time import ServiceTime
from host.link.events import Answer, Event, ImageCollected
from host.link.receiver import Receiver
from host.link.sender import Sender
from host.ranked import RankedPacket
from host.sim.virtual import VirtualHost
from host.sim.world import World, WorldSettings
from host.simulate.service import Workers
from host.wire import ResultStatus

PACKETS = [RankedPacket(rank, rank, bytes(200)) for rank in range(6)]
START_US = 3_000_000
SECONDS = 8


class Server:
    """Workers that take a fixed time, behind the server's queue and the receiver."""

    def __init__(self, world: World, service_us: int, workers: int) -> None:
        self._schedule, self._service_us = world.schedule, service_us
        time = ServiceTime()
        time.add(service_us)
        self._workers = Workers(self._schedule, service_us, workers, self._answer, self._refuse)
        self._receiver = Receiver(nonce=9, service_us=round(time.expected_us), workers=workers)
        self._host = VirtualHost(self._schedule, world.edge.line, self._receiver, self._on_event)

    def _on_event(self, event: Event) -> None:
        if isinstance(event, ImageCollected):
            self._workers.take(event)

    def _answer(self, picture: ImageCollected) -> None:
        used = [packet.rank for packet in picture.packets]
        classes = [(1, "x", 0.5)]
        self._receiver.answer(self._schedule.now_us, picture, classes, service_us=self._service_us, used=used)
        self._host.wake()

    def _refuse(self, picture: ImageCollected) -> None:
        if picture.final:
            self._receiver.refuse(self._schedule.now_us, picture, ResultStatus.FAILED, "busy")
        else:
            self._receiver.skip(picture)


class CameraComputer:
    """A camera with a picture in every period. ``in_time`` are those with an answer by their deadline."""

    def __init__(self, world: World, number: int, period_us: int, cameras: int) -> None:
        self.in_time: set[int] = set()
        self.submitted = 0
        self._schedule, self._period_us = world.schedule, period_us
        self._sender = Sender(nonce=100 + number)
        self._host = VirtualHost(world.schedule, world.cameras[number].line, self._sender, self._on_event)
        world.schedule.at(START_US + number * period_us // cameras, self._next)

    def _on_event(self, event: Event) -> None:
        if isinstance(event, Answer) and not event.late and event.status == ResultStatus.OK:
            self.in_time.add(event.image)

    def _next(self) -> None:
        now_us = self._schedule.now_us
        self._schedule.at(now_us + self._period_us, self._next)
        self._sender.submit(now_us, PACKETS, now_us + 300_000)
        self.submitted += 1
        self._host.wake()


@pytest.mark.parametrize(
    ("cameras", "period_ms", "service_ms", "workers", "least"),
    [(8, 100, 45, 1, 0.9), (8, 100, 45, 2, 0.75), (8, 300, 45, 1, 0.9), (4, 300, 90, 1, 0.9)],
)
def test_what_the_server_can_do_is_answered_in_time_and_no_camera_is_starved(
    cameras: int, period_ms: int, service_ms: int, workers: int, least: float
) -> None:
    world = World(WorldSettings(cameras=cameras, seed=2))
    Server(world, service_ms * 1000, workers)
    computers = [CameraComputer(world, number, period_ms * 1000, cameras) for number in range(cameras)]
    world.schedule.run_until(START_US + SECONDS * 1_000_000)
    answered = Counter({number: len(computer.in_time) for number, computer in enumerate(computers)})
    possible = SECONDS * 1000 // service_ms * workers
    assert sum(computer.submitted for computer in computers) > 1.15 * possible
    assert answered.total() >= least * possible
    assert min(answered.values()) >= 0.5 * answered.total() / cameras
