"""Hosts in virtual time: a sender or a receiver on a virtual board's serial line."""

from __future__ import annotations

from collections.abc import Callable

from ..link.events import Event
from ..transport.driver import ProtocolMachine
from .line import SerialLine
from .schedule import Schedule


class VirtualHost:
    """Runs one logic on one line, on the schedule's clock: what ``host.transport.driver`` does in real time."""

    def __init__(
        self, schedule: Schedule, line: SerialLine, logic: ProtocolMachine, on_event: Callable[[Event], None]
    ) -> None:
        self._schedule = schedule
        self._line = line
        self._logic = logic
        self._on_event = on_event
        self._wake_us: int | None = None
        line.on_bytes = self._receive
        logic.start(schedule.now_us)
        self.wake()

    def wake(self) -> None:
        """Let the logic act now; to be called after it was changed from outside."""
        self._report(self._logic.tick(self._schedule.now_us))
        self._flush()

    def _receive(self, data: bytes) -> None:
        self._report(self._logic.receive(self._schedule.now_us, data))
        self._flush()

    def _flush(self) -> None:
        data = self._logic.output()
        if data:
            self._line.write(data)
        wake_us = self._logic.wake_at()
        if wake_us is not None and wake_us != self._wake_us:
            self._wake_us = wake_us
            self._schedule.at(wake_us, lambda: self._woken(wake_us))

    def _woken(self, wake_us: int) -> None:
        if wake_us == self._wake_us:  # else another time was set since
            self._wake_us = None
            self.wake()

    def _report(self, events: list[Event]) -> None:
        for event in events:
            self._on_event(event)
