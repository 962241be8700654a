"""The number of a picture: the moment at which its answer must leave the edge server, in ms of that server's clock."""

from __future__ import annotations

#: Image numbers are moments modulo this many ms.
MODULO = 1 << 16
#: The clock in pongs and results counts modulo this, us: as the numbers do.
CLOCK_MODULO_US = MODULO * 1000
#: Of the time that a picture has until its answer must leave, at least this share is for sending it, however slow the
#: server seems to be.
LEAST_SHARE = 0.1
_HALF = MODULO // 2
#: A number that names a moment further from the packet's own estimate than this is no moment of this clock, us.
_PLAUSIBLE_US = 5_000_000


def number_of(moment_us: int) -> int:
    """Return the image number for a moment, us."""
    return moment_us // 1000 % MODULO


def moment_us(image: int, estimate_us: int) -> int:
    """Return the moment that an image number names, us.

    Args:
        image: the number.
        estimate_us: the arrival of a packet plus its remaining time; late by the time that no hop could measure. It is
            returned if the number names no moment near it: then the sender does not know this clock.
    """
    estimate_ms = estimate_us // 1000
    off_ms = (image - estimate_ms + _HALF) % MODULO - _HALF
    return (estimate_ms + off_ms) * 1000 if abs(off_ms) * 1000 <= _PLAUSIBLE_US else estimate_us


def left_in_time(image: int, clock_us: int) -> bool:
    """Return whether an answer left the server by the moment that its image names.

    Args:
        image: the number.
        clock_us: the server's clock when the answer left, modulo ``CLOCK_MODULO_US``.
    """
    return (image - clock_us // 1000 + _HALF) % MODULO - _HALF >= 0


#: A used number is free again after this time: no picture waits for its answer any more, whatever its deadline, us.
KEPT_US = CLOCK_MODULO_US + 5_000_000
_MOST_KEPT = MODULO // 2


class UsedNumbers:
    """The numbers that a sender used lately: none comes back within the time in which it would name the same moment."""

    def __init__(self) -> None:
        self._used_us: dict[int, int] = {}  # when each was used, in this order

    def free(self, now_us: int, number: int) -> int:
        """Return ``number``, or the nearest earlier one that is free, and use it. ``now_us``: the caller's clock."""
        while self._used_us:
            oldest = next(iter(self._used_us))
            if now_us - self._used_us[oldest] < KEPT_US and len(self._used_us) < _MOST_KEPT:
                break
            del self._used_us[oldest]
        while number in self._used_us:
            number = (number - 1) % MODULO
        self._used_us[number] = now_us
        return number
