"""What the link gives: the rate at which credits return, and round trips."""

from __future__ import annotations

from ..wire import Credit

_WRAP = 1 << 32


class RateEstimate:
    """Codec bytes a second, over the time in which the board had something to send.

    Both sums fade with the time constant ``memory_us`` of busy time, so a link that slows down shows
    within about that time, and an idle link keeps its last figure.
    """

    def __init__(self, memory_us: int = 250_000) -> None:
        self._memory_us = memory_us
        self._last: Credit | None = None
        self._bytes = 0.0
        self._busy_us = 0.0

    def restart(self) -> None:
        """The board's totals start from zero again; the estimate stays."""
        self._last = None

    def update(self, credit: Credit) -> None:
        """Take a credit's totals."""
        last, self._last = self._last, credit
        if last is None:
            return
        busy_us = (credit.busy_us - last.busy_us) % _WRAP
        keep = 0.5 ** (busy_us / self._memory_us)
        self._bytes = self._bytes * keep + (credit.acked_bytes - last.acked_bytes) % _WRAP
        self._busy_us = self._busy_us * keep + busy_us

    @property
    def bytes_per_s(self) -> float | None:
        """None until a packet was acknowledged."""
        if self._bytes <= 0 or self._busy_us <= 0:
            return None
        return self._bytes / self._busy_us * 1e6


class DelayEstimator:
    """A measured time in us: its mean and its mean deviation, exponentially weighted (as RFC 6298), and the least."""

    def __init__(self) -> None:
        self.mean_us: float | None = None
        self.spread_us = 0.0
        self.least_us: float | None = None

    def add(self, value_us: float) -> None:
        """Take one measurement."""
        if self.mean_us is None or self.least_us is None:
            self.mean_us = self.least_us = value_us
            return
        self.spread_us += (abs(value_us - self.mean_us) - self.spread_us) / 4
        self.mean_us += (value_us - self.mean_us) / 8
        self.least_us = min(self.least_us, value_us)

    @property
    def upper_bound_us(self) -> float:
        """A time that most measurements stay below; 0 before the first."""
        return (self.mean_us or 0.0) + 2 * self.spread_us
