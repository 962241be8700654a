"""Pairing state of a board in this process: the window, its time and its values.

Such boards need no keys to connect; only the reports to the host depend on this state.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import sha256

from ..wire import Pair, PairAction, Pairing, PairMethod

WINDOW_S = 60
_US_PER_S = 1_000_000


@dataclass(frozen=True, slots=True)
class _Window:
    until_us: int
    method: PairMethod
    random: bytes


class PairingWindow:
    """The pairing window of one board. ``address`` is the board's, 6 bytes. Times are microseconds."""

    def __init__(self, address: bytes) -> None:
        self._address = address
        self._window: _Window | None = None
        self._opened = 0
        self._changed = False

    def request(self, now_us: int, pair: Pair) -> None:
        """Carry out a host's request; every legal request succeeds."""
        self._changed = True
        if pair.action == PairAction.OPEN:
            self._opened += 1
            seconds = pair.window_s or WINDOW_S
            shows = pair.method == PairMethod.OUT_OF_BAND and not any(pair.random)
            value = sha256(self._address + self._opened.to_bytes(4, "little")).digest()[:16] if shows else bytes(16)
            self._window = _Window(now_us + seconds * _US_PER_S, PairMethod(pair.method), value)
        elif pair.action == PairAction.CLOSE:
            self._window = None

    def tick(self, now_us: int) -> None:
        """Close the window when its time is over."""
        if self._window is not None and now_us >= self._window.until_us:
            self._window = None
            self._changed = True

    def take_change(self) -> bool:
        """Return True if a request or the end of the window is still to be reported; it then counts as reported."""
        changed, self._changed = self._changed, False
        return changed

    def state(self, now_us: int) -> Pairing:
        """Return the report to the host."""
        closed = Pairing(address_type=1, address=self._address)
        if self._window is None:
            return closed
        window = self._window
        return replace(
            closed,
            open=1,
            method=window.method,
            left_s=-(-(window.until_us - now_us) // _US_PER_S),
            random=window.random,
            confirm=sha256(window.random).digest()[:16] if any(window.random) else bytes(16),
        )
