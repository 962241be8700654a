"""The model's clock: scheduled actions in the order of their time."""

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
        """Run an action at ``time_us``, or now if that is past."""
        self._count += 1
        heapq.heappush(self._heap, (max(time_us, self.now_us), self._count, action))

    def every(self, interval_us: int, action: Callable[[], None]) -> None:
        """Run an action periodically, first after one interval."""

        def again() -> None:
            action()
            self.at(self.now_us + interval_us, again)

        self.at(self.now_us + interval_us, again)

    def step(self) -> None:
        """Run the next action, and set the clock to its time."""
        self.now_us, _, action = heapq.heappop(self._heap)
        action()

    def run_until(self, time_us: int) -> None:
        """Run the actions that are due by ``time_us`` and set the clock to it."""
        while self._heap and self._heap[0][0] <= time_us:
            self.step()
        self.now_us = max(self.now_us, time_us)
