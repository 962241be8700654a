"""Clocks that can be stepped: of a computer's protocol machine, and of a board."""

from __future__ import annotations

from collections.abc import Callable

from host.link.events import Event
from host.transport.driver import ProtocolMachine


class SteppedMachine:
    """A protocol machine whose clock is ahead of the model's by ``step_us``. ``on_call`` is called before each call."""

    def __init__(self, machine: ProtocolMachine, on_call: Callable[[], None] = lambda: None) -> None:
        self.step_us = 0
        self._machine = machine
        self._on_call = on_call

    def start(self, now_us: int) -> None:
        self._on_call()
        self._machine.start(now_us + self.step_us)

    def receive(self, now_us: int, data: bytes) -> list[Event]:
        self._on_call()
        return self._machine.receive(now_us + self.step_us, data)

    def tick(self, now_us: int) -> list[Event]:
        self._on_call()
        return self._machine.tick(now_us + self.step_us)

    def output(self) -> bytes:
        return self._machine.output()

    def wake_at(self) -> int | None:
        wake_us = self._machine.wake_at()
        return None if wake_us is None else wake_us - self.step_us
