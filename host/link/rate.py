"""Estimators of the link: the rate from returned credits, and delays."""

from __future__ import annotations

from collections import deque

from ..wire import Credit

_WRAP = 1 << 32
_PARTS = 128


class RateEstimate:
    """Codec bytes per second of busy time, the time in which the board had picture packets to send.

    Both sums decay with a half-life of ``half_life_us`` of busy time. The estimate follows a slower link within about
    that time and stays unchanged on an idle link.
    """

    def __init__(self, half_life_us: int = 250_000) -> None:
        self._half_life_us = half_life_us
        self._last: Credit | None = None
        self._bytes = 0.0
        self._busy_us = 0.0
        self._since: tuple[int, int] | None = None  # bytes and busy time at the last credit that acknowledged any
        self._parts: deque[tuple[int, int]] = deque(maxlen=_PARTS)  # bytes and busy time of the last acknowledgements

    def restart(self) -> None:
        """Expect the board's totals to restart from zero; the estimate stays."""
        self._last = self._since = None

    def update(self, now_us: int, credit: Credit) -> None:
        """Take the totals of a credit."""
        if self._since is None:
            self._since = (credit.acked_bytes, credit.busy_us)
        acked = (credit.acked_bytes - self._since[0]) % _WRAP
        if acked:
            self._parts.append((acked, (credit.busy_us - self._since[1]) % _WRAP))
            self._since = (credit.acked_bytes, credit.busy_us)
        last, self._last = self._last, credit
        if last is None:
            return
        busy_us = (credit.busy_us - last.busy_us) % _WRAP
        keep = 0.5 ** (busy_us / self._half_life_us)
        self._bytes = self._bytes * keep + (credit.acked_bytes - last.acked_bytes) % _WRAP
        self._busy_us = self._busy_us * keep + busy_us

    def usual_us_per_byte(self) -> float:
        """Return the time that a codec byte usually takes: in half of the busy time it took longer."""
        slower_us, half_us = 0, sum(busy_us for _, busy_us in self._parts) / 2
        for acked, busy_us in sorted(self._parts, key=lambda part: part[1] / part[0], reverse=True):
            slower_us += busy_us
            if slower_us >= half_us:
                return busy_us / acked
        return 0.0

    @property
    def bytes_per_s(self) -> float | None:
        """Estimated rate; None until a packet was acknowledged."""
        if self._bytes <= 0 or self._busy_us <= 0:
            return None
        return self._bytes / self._busy_us * 1e6


class DelayEstimator:
    """Estimator of a delay in us: minimum, and exponentially weighted mean and mean deviation (as in RFC 6298)."""

    def __init__(self) -> None:
        self.mean_us: float | None = None
        self.deviation_us = 0.0
        self.min_us: float | None = None

    def add(self, value_us: float) -> None:
        """Take a measurement."""
        if self.mean_us is None or self.min_us is None:
            self.mean_us = self.min_us = value_us
            return
        self.deviation_us += (abs(value_us - self.mean_us) - self.deviation_us) / 4
        self.mean_us += (value_us - self.mean_us) / 8
        self.min_us = min(self.min_us, value_us)

    @property
    def upper_bound_us(self) -> float:
        """Bound above most measurements: mean plus twice the deviation; 0 before the first."""
        return (self.mean_us or 0.0) + 2 * self.deviation_us
