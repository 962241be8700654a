"""When connection events bring answers: their times follow the connection interval.

An answer waits at the edge board for the next connection event. So answers arrive at a steady phase of the interval,
and the last one that can be in time arrives with the last event before the deadline. A server that is to begin as late
as possible has to aim at that event, not at the deadline: the two differ by up to an interval.
"""

from __future__ import annotations

from collections import deque

#: Arrivals that the phase is computed from, and how many are needed.
_MOST, _FEWEST = 24, 6
#: The phase is steady if this share of the arrivals came at most so much of an interval before the latest of them.
_STEADY, _NEAR = 0.3, 0.1


class EventPhase:
    """The phase of arrivals in the connection interval. Times in us."""

    def __init__(self) -> None:
        self._interval_us = 0
        self._arrivals: deque[int] = deque(maxlen=_MOST)

    def set_interval(self, interval_us: int) -> None:
        """Take the connection interval; 0 if it is unknown. The phase begins anew."""
        self._interval_us = interval_us
        self._arrivals.clear()

    def add(self, now_us: int) -> None:
        """Take the arrival of an answer."""
        self._arrivals.append(now_us)

    def last_before(self, deadline_us: int) -> int | None:
        """Return the last usual arrival by ``deadline_us``; None if arrivals have no steady phase."""
        if not self._interval_us or len(self._arrivals) < _FEWEST:
            return None
        near_us = self._interval_us * _NEAR
        best_us, most = 0, 0
        for arrival_us in self._arrivals:
            early_us = (deadline_us - arrival_us) % self._interval_us
            near = sum((deadline_us - other - early_us) % self._interval_us <= near_us for other in self._arrivals)
            if near > most:
                best_us, most = early_us, near
        return deadline_us - best_us if most >= len(self._arrivals) * _STEADY else None
