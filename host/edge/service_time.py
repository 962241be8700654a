"""How long the server needs for a picture: an estimate that one slow picture does not move, and that forgets."""

from __future__ import annotations

import statistics
from collections import deque

#: Measurements that the median is of. Single slow ones change nothing.
WINDOW = 17
#: The time that is rarely exceeded is the second longest of so many: one picture in 32 takes longer.
_LONG_WINDOW = 63
#: Most pictures that are decoded in one run of the networks.
MOST_IN_BATCH = 8
#: Batches are used if each of their pictures costs less than this share of a single picture.
_WORTH = 0.9
#: The estimate exceeds the median at most by this factor.
_MOST_ABOVE = 1.5


class ServiceTime:
    """Estimator of the time to decode and classify, in us.

    ``usual_us`` is the median of the last ``WINDOW`` pictures that were decoded alone. ``expected_us`` is for cameras:
    the second longest of the last 63; at least 1 ms and a sixteenth, at most half of the median more than that. Both
    are 0 before the first.
    """

    def __init__(self) -> None:
        self._alone_us: deque[float] = deque(maxlen=WINDOW)
        self._long_us: deque[float] = deque(maxlen=_LONG_WINDOW)
        self._shares: deque[float] = deque(maxlen=WINDOW)

    def add(self, duration_us: float, pictures: int = 1) -> None:
        """Take the duration of one run for so many pictures."""
        if pictures == 1:
            self._alone_us.append(duration_us)
            self._long_us.append(duration_us)
        elif self._alone_us:
            self._shares.append(duration_us / pictures / self.usual_us)

    @property
    def usual_us(self) -> float:
        """The median time of a picture alone."""
        return statistics.median(self._alone_us) if self._alone_us else 0.0

    @property
    def expected_us(self) -> float:
        """The time that a picture alone rarely exceeds."""
        usual, times = self.usual_us, sorted(self._long_us)
        rarely = times[-2] if len(times) > 1 else usual
        return min(max(rarely, usual + usual / 16 + 1000), usual * _MOST_ABOVE)

    @property
    def most_in_batch(self) -> int:
        """How many pictures a batch may hold: one, unless batches were measured to be faster."""
        return MOST_IN_BATCH if self._share < _WORTH else 1

    def batch_us(self, pictures: int) -> float:
        """Return the usual time of a batch."""
        return self.usual_us * (1 if pictures == 1 else pictures * self._share)

    @property
    def picture_us(self) -> float:
        """The usual time for a picture when many wait."""
        return self.usual_us * (self._share if self.most_in_batch > 1 else 1)

    @property
    def _share(self) -> float:
        return max(statistics.median(self._shares), 1 / MOST_IN_BATCH) if self._shares else 1.0
