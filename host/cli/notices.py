"""What a command says beside its results: a line on stderr for each event, and a count for a flood of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from ..printing import note

#: In this time after a line, equal ones are counted and not printed, s.
PERIOD_S = 1.0
#: Lines of a board in that time. What a board says is written by its firmware, so it need not be equal to flood.
BOARD_LINES = 10
_BOARD = "board: "
#: Issues of a picture that its line lists.
LISTED = 3


@dataclass(slots=True)
class _Printed:
    """A line that was printed, and how many more of its kind were not since."""

    text: str
    at_s: float
    more: int = 0


class Notices:
    """Prints notices. As a context manager it prints at the end what is still only counted.

    Of equal notices within ``PERIOD_S``, the first is printed, and then their number. Of a board, the first
    ``BOARD_LINES`` are printed, and then the number of the others.
    """

    def __init__(self, command: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._command = command
        self._clock = clock
        self._printed: dict[str, _Printed] = {}
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self.print_counts(everything=True)

    def __call__(self, text: str) -> None:
        """Print a line, or count it."""
        self.print_counts()
        now_s = self._clock()
        if text in self._printed:
            self._printed[text].more += 1
        elif text.startswith(_BOARD) and self._board_lines() >= BOARD_LINES:
            self._printed.setdefault(_BOARD, _Printed(f"{_BOARD}it said more", now_s)).more += 1
        else:
            self._printed[text] = _Printed(text, now_s)
            note(f"{self._command}: {text}")
        self._set_timer()

    def of_picture(self, name: str, issues: Iterable[str]) -> None:
        """Print one line about a picture, however many issues it has; nothing if it has none."""
        listed = list(issues)
        if listed:
            more = f" (and {len(listed) - LISTED} more)" if len(listed) > LISTED else ""
            note(f"{self._command}: {name}: {'; '.join(listed[:LISTED])}{more}")

    def print_counts(self, *, everything: bool = False) -> None:
        """Print the counts that are due, or all of them."""
        due_s = self._clock() - PERIOD_S
        for key, printed in list(self._printed.items()):
            if printed.at_s > due_s and not everything:
                continue
            del self._printed[key]
            if printed.more:
                note(f"{self._command}: {printed.text} ({printed.more:,} more of these)")
                if not everything:  # a flood that goes on has a line in each period
                    self._printed[key] = _Printed(printed.text, self._clock())

    def _board_lines(self) -> int:
        return sum(key.startswith(_BOARD) for key in self._printed)

    def _set_timer(self) -> None:
        """Call ``print_counts`` when the counts of a flood that has ended are due, if an event loop runs."""
        if self._timer is not None or not any(printed.more for printed in self._printed.values()):
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        self._timer = loop.call_later(PERIOD_S, self._timed)

    def _timed(self) -> None:
        self._timer = None
        self.print_counts()
        self._set_timer()
