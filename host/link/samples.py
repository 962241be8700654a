"""Recent measurements: what they were lately, robust against single ones."""

from __future__ import annotations

from collections import deque


class RecentSamples:
    """The last measurements of a quantity, with their times. Old ones are forgotten, but never the last few."""

    def __init__(self, most: int = 32, kept_us: int = 10_000_000, fewest: int = 3) -> None:
        """``most``: samples kept; ``kept_us``: for how long; ``fewest``: of which so many stay, however old."""
        self._samples: deque[tuple[int, float]] = deque(maxlen=most)
        self._kept_us, self._fewest = kept_us, fewest

    def __len__(self) -> int:
        return len(self._samples)

    def add(self, now_us: int, value: float) -> None:
        """Take a measurement."""
        self._samples.append((now_us, value))
        while len(self._samples) > self._fewest and now_us - self._samples[0][0] > self._kept_us:
            self._samples.popleft()

    def clear(self) -> None:
        """Forget all."""
        self._samples.clear()

    def quantile(self, share: float) -> float:
        """Return the value at ``share`` of the way from the least measurement to the largest, by rank, rounded down.

        0 without any. Of two measurements the median is the lesser one: a single large one counts for nothing.
        """
        values = sorted(value for _, value in self._samples)
        return values[int(share * (len(values) - 1))] if values else 0.0
