"""Events in the order of their time: the clock of the model, virtual or following the wall."""

from __future__ import annotations

import heapq
from collections.abc import Callable


class Schedule:
    """A heap of actions. Actions of the same time run in the order in which they were scheduled."""

    def __init__(self, now_us: int = 0) -> None:
        self.now_us = now_us
        self._heap: list[tuple[int, int, Callable[[], None]]] = []
        self._count = 0

    @property
    def next_us(self) -> int | None:
        """Time of the next action; None if there is none."""
        return self._heap[0][0] if self._heap else None

    def at(self, time_us: int, action: Callable[[], None]) -> None:
        """Run an action at a time; one in the past runs now."""
        self._count += 1
        heapq.heappush(self._heap, (max(time_us, self.now_us), self._count, action))

    def every(self, interval_us: int, action: Callable[[], None]) -> None:
        """Run an action again and again, first one interval from now."""

        def again() -> None:
            action()
            self.at(self.now_us + interval_us, again)

        self.at(self.now_us + interval_us, again)

    def run_until(self, time_us: int) -> None:
        """Run everything that is due by a time; the clock then stands there."""
        while self._heap and self._heap[0][0] <= time_us:
            self.now_us, _, action = heapq.heappop(self._heap)
            action()
        self.now_us = max(self.now_us, time_us)
