"""The server's workers in virtual time: each takes a fixed time for a picture. The queue is the product's own."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol

from ..edge.picture_queue import Key, PictureQueue, key_of
from ..edge.service_time import ServiceTime
from ..link.events import ImageCollected
from ..sim.schedule import Schedule
from .scenario import Scenario

_TICK_US = 1_000

Handler = Callable[[ImageCollected], None]


class Service(Protocol):
    """Serves pictures."""

    def take(self, collected: ImageCollected) -> None:
        """Take a picture that the receiver reported."""


def expected_us(service_us: int, workers: int | None) -> int:
    """Return the time for a picture that the server tells its receiver: with workers a little more than it takes."""
    return service_us if workers is None else round(_estimate(service_us).expected_us)


def _estimate(service_us: int) -> ServiceTime:
    time = ServiceTime()
    time.add(service_us)
    return time


class AnyNumber:
    """Serves any number of pictures at a time."""

    def __init__(self, schedule: Schedule, service_us: int, answer: Handler) -> None:
        self._schedule, self._service_us, self._answer = schedule, service_us, answer

    def take(self, collected: ImageCollected) -> None:
        """Take a picture that the receiver reported."""
        self._schedule.at(self._schedule.now_us + self._service_us, partial(self._answer, collected))


class Workers:
    """Serves as many pictures at a time as there are workers; the others wait in the server's queue."""

    def __init__(self, schedule: Schedule, service_us: int, workers: int, answer: Handler, refuse: Handler) -> None:
        time = _estimate(service_us)
        self._schedule, self._service_us, self._workers = schedule, service_us, workers
        self._answer, self._refuse = answer, refuse
        self._queue = PictureQueue(time)
        self._busy_since_us: list[int] = []
        self._running: set[Key] = set()

    def take(self, collected: ImageCollected) -> None:
        """Take a picture that the receiver reported."""
        evicted = self._queue.add(collected)
        if evicted is not None:
            self._refuse(evicted)
        self._schedule.at(self._schedule.now_us, self._attend)

    def _attend(self) -> None:
        now_us, queue = self._schedule.now_us, self._queue
        while taken := queue.take(now_us, self._workers - len(self._busy_since_us), self._busy_since_us, self._running):
            self._busy_since_us.append(now_us)
            self._running.update(map(key_of, taken))
            self._schedule.at(now_us + self._service_us, partial(self._done, taken))
        for picture in [*queue.drop_provisional(), *queue.expired(now_us)]:
            self._refuse(picture)
        wake_us = queue.wake_at()
        if wake_us is not None:
            self._schedule.at(max(wake_us, now_us + _TICK_US), self._attend)

    def _done(self, taken: tuple[ImageCollected, ...]) -> None:
        self._busy_since_us.pop(0)
        for picture in taken:
            self._running.discard(key_of(picture))
            self._answer(picture)
        self._attend()


def service(schedule: Schedule, scenario: Scenario, answer: Handler, refuse: Handler) -> Service:
    """Return a scenario's service. ``answer`` and ``refuse`` are called with the pictures at their time."""
    if scenario.workers is None:
        return AnyNumber(schedule, scenario.service_us, answer)
    return Workers(schedule, scenario.service_us, scenario.workers, answer, refuse)
