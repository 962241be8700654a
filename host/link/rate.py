"""Estimators of the link: the rate from returned credits, and delays."""

from __future__ import annotations

from ..wire import Credit

_WRAP = 1 << 32


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

    def restart(self) -> None:
        """Expect the board's totals to restart from zero; the estimate stays."""
        self._last = None

    def update(self, credit: Credit) -> None:
        """Take the totals of a credit."""
        last, self._last = self._last, credit
        if last is None:
            return
        busy_us = (credit.busy_us - last.busy_us) % _WRAP
        keep = 0.5 ** (busy_us / self._half_life_us)
        self._bytes = self._bytes * keep + (credit.acked_bytes - last.acked_bytes) % _WRAP
        self._busy_us = self._busy_us * keep + busy_us

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
