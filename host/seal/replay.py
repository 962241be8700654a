"""Which pictures of a session were there before."""

from __future__ import annotations

from collections.abc import Iterator

#: Pictures before the latest one that may still arrive for the first time.
WINDOW = 1024
#: A counter has 64 bits.
COUNTERS = 1 << 64


class ReplayWindow:
    """The counters of a session that were used, as in IPsec (RFC 4303, section 3.4.3): each may be used once."""

    def __init__(self) -> None:
        self._next = 0  # after the largest counter that was used
        self._used = 0  # bit k: the counter _next - 1 - k was used

    def likely(self, reach: int) -> Iterator[int]:
        """Yield the counters that a new picture probably has: the unused ones at most ``reach`` from the latest."""
        yield from range(self._next, min(self._next + reach, COUNTERS))
        yield from (self._next - 1 - k for k in range(1, min(reach, self._next)) if not self._used >> k & 1)

    def take(self, counter: int) -> bool:
        """Use a counter; return False if it was used before, or is too old to tell."""
        ahead = counter - self._next + 1
        if ahead > 0:
            self._used = (self._used << ahead if ahead < WINDOW else 0) & ((1 << WINDOW) - 1) | 1
            self._next = counter + 1
            return True
        if -ahead >= WINDOW or self._used >> -ahead & 1:
            return False
        self._used |= 1 << -ahead
        return True
