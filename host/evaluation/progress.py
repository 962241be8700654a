"""Tells on stderr how far a long run is, and how long it may still take."""

from __future__ import annotations

import sys
import time

_SECONDS_BETWEEN_LINES = 10.0


class Progress:
    """On a terminal one line that is rewritten; elsewhere a line every ten seconds."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._started_s = self._told_s = time.monotonic()
        self._on_terminal = sys.stderr.isatty()

    def __call__(self, done: int) -> None:
        now_s = time.monotonic()
        if not self._on_terminal and now_s - self._told_s < _SECONDS_BETWEEN_LINES:
            return
        self._told_s = now_s
        left_s = (now_s - self._started_s) / done * (self._total - done)
        text = f"{done} of {self._total} pictures, about {_duration(left_s)} left"
        self._write(f"\r{text}\x1b[K" if self._on_terminal else f"{text}\n")

    def notice(self, text: str) -> None:
        """A line of its own."""
        self.clear()
        self._write(f"{text}\n")

    def clear(self) -> None:
        """Takes the rewritten line away, so that other output may follow."""
        if self._on_terminal:
            self._write("\r\x1b[K")

    @staticmethod
    def _write(text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
