"""The number of a picture: the moment at which its answer must leave the edge server, in ms of that server's clock."""

from __future__ import annotations

from collections.abc import Container

#: Image numbers are moments modulo this many ms.
MODULO = 1 << 16
#: The clock in pongs and results counts modulo this, us: as the numbers do.
CLOCK_MODULO_US = MODULO * 1000
#: Of the time that a picture has until its answer must leave, at least this share is for sending it, however slow the
#: server seems to be.
LEAST_SHARE = 0.25
_HALF = MODULO // 2
#: A number that names a moment further from the packet's own estimate than this is no moment of this clock, us.
_PLAUSIBLE_US = 5_000_000
#: A number is not given again within this time after the deadline of its picture, us: the server remembers it so long.
KEPT_US = 10_000_000
_MOST_KEPT = 4_096


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


class GivenNumbers:
    """The numbers that a sender gave lately.

    A picture that is answered early can leave its number to a later one with the same deadline. The server would take
    its packets for late ones of the first.
    """

    def __init__(self) -> None:
        self._until_us: dict[int, int] = {}

    def take(self, now_us: int, wanted: int, answer_by_us: int, pending: Container[int]) -> int:
        """Return the number ``wanted``, or the nearest earlier one that is neither ``pending`` nor was given lately."""
        while self._until_us:
            oldest = next(iter(self._until_us))
            if self._until_us[oldest] >= now_us and len(self._until_us) < _MOST_KEPT:
                break
            del self._until_us[oldest]
        while wanted in self._until_us or wanted in pending:
            wanted = (wanted - 1) % MODULO
        self._until_us[wanted] = answer_by_us + KEPT_US
        return wanted
