"""Run a sender or a receiver on a virtual board's serial line in virtual time."""

from __future__ import annotations

from collections.abc import Callable

from ..link.events import Event
from ..transport.driver import ProtocolMachine
from .line import SerialLine
from .schedule import Schedule


class VirtualHost:
    """Runs one protocol machine on one line, by the schedule's clock; ``Driver`` does so in real time."""

    def __init__(
        self, schedule: Schedule, line: SerialLine, machine: ProtocolMachine, on_event: Callable[[Event], None]
    ) -> None:
        self._schedule = schedule
        self._line = line
        self._machine = machine
        self._on_event = on_event
        self._wake_us: int | None = None
        line.on_bytes = self._receive
        machine.start(schedule.now_us)
        self.wake()

    def wake(self) -> None:
        """Let the machine act now. Call it after changing the machine from outside."""
        self._report(self._machine.tick(self._schedule.now_us))
        self._flush()

    def _receive(self, data: bytes) -> None:
        self._report(self._machine.receive(self._schedule.now_us, data))
        self._flush()

    def _flush(self) -> None:
        data = self._machine.output()
        if data:
            self._line.write(self._schedule.now_us, data)
        wake_us = self._machine.wake_at()
        if wake_us is not None and wake_us != self._wake_us:
            self._wake_us = wake_us
            self._schedule.at(wake_us, lambda: self._woken(wake_us))

    def _woken(self, wake_us: int) -> None:
        if wake_us == self._wake_us:  # else a later call set another time
            self._wake_us = None
            self.wake()

    def _report(self, events: list[Event]) -> None:
        for event in events:
            self._on_event(event)
