"""How the pictures of a stream ended, counted by their status."""

from __future__ import annotations

from collections import Counter

from .report import OK, STATUSES, TransferReport


class StreamSummary:
    """Counts the reports on a stream.

    Args:
        total: how many pictures the source has; None: as many as are reported.
        count: the most pictures that were asked for; None: all.
    """

    def __init__(self, total: int | None, count: int | None = None) -> None:
        self._expected = total if total is None or count is None else min(total, count)
        self._counts: Counter[str] = Counter()
        #: Pictures that were left out because a newer one was there.
        self.skipped = 0

    def add(self, report: TransferReport) -> None:
        """Count one picture."""
        self._counts[report.status] += 1

    @property
    def total(self) -> int:
        """The number of pictures that are to be sent."""
        return self._counts.total() if self._expected is None else self._expected

    @property
    def all_in_time(self) -> bool:
        """Whether every picture that was to be sent was answered in time."""
        return self._counts[OK] == self.total

    def line(self) -> str:
        """Return one line: how many were answered in time, what became of the others, and how many were left."""
        others = [f"{self._counts[status]} {status}" for status in STATUSES if status != OK and self._counts[status]]
        left = self.total - self._counts.total()
        if left:
            others.append(f"{left} not tried")
        if self.skipped:
            others.append(f"{self.skipped} skipped for a newer one")
        answered = f"{self._counts[OK]} of {self.total} pictures answered in time"
        return f"{answered}; {', '.join(others)}" if others else answered
