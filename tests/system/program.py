"""A program on a computer: a protocol machine that can be killed, and whose clock is its own."""

from __future__ import annotations

from collections.abc import Callable

from host.link.events import Event, Failed
from host.sim.schedule import Schedule
from host.sim.virtual import VirtualHost
from host.sim.world import Node
from host.transport.driver import ProtocolMachine
from tests.faults.clocks import SteppedMachine

#: A program whose session failed opens its port again after this time, us.
_OPENS_AGAIN_US = 500_000


class Program(SteppedMachine):
    """A machine on a board's line until it is killed. A session that fails is opened again."""

    def __init__(
        self,
        schedule: Schedule,
        node: Node,
        machine: ProtocolMachine,
        on_event: Callable[[Event], None],
        *,
        clock_us: int = 0,
    ) -> None:
        super().__init__(machine)
        self.step_us = clock_us
        self.alive = True
        self._schedule = schedule
        self._node = node
        self._report = on_event
        self.host = VirtualHost(schedule, node.line, self, self._on_event)

    @property
    def now_us(self) -> int:
        """The program's own clock."""
        return self._schedule.now_us + self.step_us

    def kill(self) -> None:
        """End the program: nothing of it acts any more, and its port is closed."""
        self.alive = False
        self._node.line.on_bytes = None
        self._node.board.serial_closed(self._schedule.now_us)

    def receive(self, now_us: int, data: bytes) -> list[Event]:
        return super().receive(now_us, data) if self.alive else []

    def tick(self, now_us: int) -> list[Event]:
        return super().tick(now_us) if self.alive else []

    def output(self) -> bytes:
        return super().output() if self.alive else b""

    def wake_at(self) -> int | None:
        return super().wake_at() if self.alive else None

    def _on_event(self, event: Event) -> None:
        if isinstance(event, Failed):
            self._schedule.at(self._schedule.now_us + _OPENS_AGAIN_US, self._open_again)
        self._report(event)

    def _open_again(self) -> None:
        if self.alive:
            self.start(self._schedule.now_us)
            self.host.wake()
