"""Ctrl-C between two steps, never within one."""

from __future__ import annotations

import signal
from types import FrameType, TracebackType

from .distributed import Team


class Interrupt:
    """In its block the first Ctrl-C sets a flag. The second one ends a single process at once."""

    def __init__(self, team: Team) -> None:
        self.team, self.asked = team, False

    def __enter__(self) -> Interrupt:
        self._before = signal.signal(signal.SIGINT, self._on_signal)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        signal.signal(signal.SIGINT, self._before)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        if self.asked and self.team.size == 1:
            raise KeyboardInterrupt
        self.asked = True

    def agreed(self) -> bool:
        """Return whether any process was asked to stop. All processes must call it at the same points."""
        return self.team.any(self.asked)
