"""Cameras that send more than the server can answer: link and queue on virtual boards, in virtual time."""

from __future__ import annotations

from collections import Counter
from functools import partial

import pytest

from host.edge.picture_queue import Key, PictureQueue, key_of
from host.edge.service_time import ServiceTime
from host.link.events import Answer, Event, ImageCollected
from host.link.receiver import Receiver
from host.link.sender import Sender
from host.ranked import RankedPacket
from host.sim.virtual import VirtualHost
from host.sim.world import World, WorldSettings
from host.wire import ResultStatus

PACKETS = [RankedPacket(rank, rank, bytes(200)) for rank in range(6)]
START_US = 3_000_000
SECONDS = 8


class Server:
    """Workers that take a fixed time, behind the server's queue and the receiver."""

    def __init__(self, world: World, service_us: int, workers: int) -> None:
        self._schedule = world.schedule
        self._service_us, self._workers = service_us, workers
        time = ServiceTime()
        time.add(service_us)
        self._queue = PictureQueue(time)
        self._receiver = Receiver(nonce=9, service_us=round(time.expected_us), workers=workers)
        self._busy_since_us: list[int] = []
        self._running: set[Key] = set()
        self._host = VirtualHost(self._schedule, world.edge.line, self._receiver, self._on_event)

    def _on_event(self, event: Event) -> None:
        if isinstance(event, ImageCollected):
            self._queue.add(event)
            self._schedule.at(self._schedule.now_us, self._attend)

    def _attend(self) -> None:
        now_us, queue = self._schedule.now_us, self._queue
        while taken := queue.take(now_us, self._workers - len(self._busy_since_us), self._busy_since_us, self._running):
            self._busy_since_us.append(now_us)
            self._running.update(map(key_of, taken))
            self._schedule.at(now_us + self._service_us, partial(self._done, taken))
        for picture in queue.drop_provisional():
            self._receiver.skip(picture)
        for picture in queue.expired(now_us):
            self._receiver.refuse(now_us, picture, ResultStatus.FAILED, "busy")
        wake_us = queue.wake_at()
        if wake_us is not None:
            self._schedule.at(max(wake_us, now_us + 1000), self._attend)

    def _done(self, taken: tuple[ImageCollected, ...]) -> None:
        self._busy_since_us.pop(0)
        for picture in taken:
            self._running.discard(key_of(picture))
            used = [packet.rank for packet in picture.packets]
            classes = [(1, "x", 0.5)]
            self._receiver.answer(self._schedule.now_us, picture, classes, service_us=self._service_us, used=used)
        self._host.wake()
        self._attend()


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
