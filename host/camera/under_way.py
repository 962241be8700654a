"""How many pictures a stream keeps under way if it has no period of its own. A rule without I/O."""

from __future__ import annotations

LEAST = 1
MOST = 32
#: An answer with at least this share of its deadline to spare leaves room for one more; with less than the other, there
#: are too many. A rule that waits for a missed deadline would miss deadlines.
ROOM, TOO_MANY = 0.6, 0.4


class UnderWayLimit:
    """The number of pictures that a stream may have under way: raised and lowered by one.

    When as many pictures as are allowed had time to spare in a row, one more is allowed. One that had hardly any, or
    was late, takes one away. Those that were under way with it then do not count: the same congestion met them.
    """

    def __init__(self) -> None:
        self.value = LEAST
        self._good = 0
        self._ignored = 0

    def ended(self, spare: float) -> None:
        """Take note of how a picture ended: the share of its deadline that was left; 0 without an answer in time."""
        if self._ignored:
            self._ignored -= 1
        elif spare < TOO_MANY:
            self._ignored = self.value - 1
            self._good = 0
            self.value = max(self.value - 1, LEAST)
        elif spare < ROOM:
            self._good = 0
        else:
            self._good += 1
            if self._good >= self.value:
                self.value = min(self.value + 1, MOST)
                self._good = 0
