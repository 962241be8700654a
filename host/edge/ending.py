"""The time that a server which is stopped has for its end, shared by all of its parts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from typing import Any

#: How long the end of a program takes at most, s: its answers and workers, its sinks, its log and its page.
END_S = 4.0
#: What each part has at least, s.
LEAST_S = 0.2


class Ending:
    """One deadline for the end of a program: it begins with Ctrl-C, and its parts end within what is left.

    Args:
        total_s: the time from the beginning to the deadline, s.
    """

    def __init__(self, total_s: float = END_S) -> None:
        self._total_s = total_s
        self._end_s: float | None = None

    def begin(self) -> None:
        """Let the time run from now on; a second call does nothing."""
        if self._end_s is None:
            self._end_s = time.monotonic() + self._total_s

    def left_s(self, most_s: float) -> float:
        """Return how long a part may take that usually takes at most ``most_s``. If need be, this is the beginning."""
        self.begin()
        assert self._end_s is not None
        return min(most_s, max(LEAST_S, self._end_s - time.monotonic()))

    async def of(self, work: Coroutine[Any, Any, None]) -> None:
        """Wait for what a program does until it is stopped. The end begins before ``work`` is cancelled."""
        task = asyncio.create_task(work)
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            self.begin()
            task.cancel()
            await task
            raise
