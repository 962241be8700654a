"""How many pictures a stream keeps under way if it has no period of its own. A rule without I/O."""

from __future__ import annotations

#: Two keep the radio busy while the edge server classifies.
LEAST = 2
MOST = 32


class UnderWayLimit:
    """The number of pictures that a stream may have under way: raised and lowered by one.

    When as many pictures as are allowed were answered in time in a row, with everything delivered, one more is allowed.
    A picture that was not takes one away. Those that were under way with it then do not count: the same congestion
    met them.
    """

    def __init__(self) -> None:
        self.value = LEAST
        self._good = 0
        self._ignored = 0

    def ended(self, *, in_time: bool, whole: bool) -> None:
        """Take note of how a picture ended: whether its answer came in time, and rests on the whole picture."""
        if self._ignored:
            self._ignored -= 1
        elif in_time and whole:
            self._good += 1
            if self._good >= self.value:
                self.value = min(self.value + 1, MOST)
                self._good = 0
        else:
            self._ignored = self.value - 1
            self._good = 0
            self.value = max(self.value - 1, LEAST)
