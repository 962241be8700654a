"""The border to the other end: what no honest board, camera or edge server sends is not used, is counted and reported.

Another end may be broken, of another make, or hostile. What it says that cannot be true costs at most the pictures that
it is about. This module has the checks that one packet alone allows; sender, receiver and session check what depends on
what they know.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

from ..wire import (
    MAX_DEADLINE_MS,
    MAX_SOURCES,
    VERSION,
    Control,
    Hello,
    Hop,
    Kind,
    LinkState,
    Picture,
    Ping,
    Pong,
    Role,
)
from .events import Implausible
from .image_number import CLOCK_MODULO_US

#: No picture waits longer for its answer than this, so no time of a server for one picture is longer, us.
LONGEST_US = MAX_DEADLINE_MS * 1000
#: The connection intervals that Bluetooth LE has, us.
SHORTEST_INTERVAL_US, LONGEST_INTERVAL_US = 7_500, 4_000_000
#: Shortest and longest time between two reports of a kind of flaw, us.
_LEAST_PAUSE_US, _MOST_PAUSE_US = 1_000_000, 60_000_000
#: After so long without a report of it, a kind of flaw is reported as often as a new one, us.
_FORGOTTEN_US = 600_000_000


class Flaw(StrEnum):
    """What the other end sent and cannot be true. The value is text for the user."""

    MALFORMED = "a packet that is too short for its type"
    HELLO = "a hello of an unknown kind or role"
    CAMERA = "a packet for a camera beyond those that a board can have"
    HOP = "a ping or pong of an unknown hop"
    LINK = "a radio connection in a state, or with a PHY, that does not exist"
    INTERVAL = "a connection interval that Bluetooth LE does not have"
    PONG_TIME = "a pong with a time that no server can mean"
    PONG_ORIGIN = "a pong to a ping that was never sent"
    PONG_HELD = "a pong that was held for longer than its round trip took"
    OTHER_CAMERA = "a result or a pong for another camera"
    RESULT_STATUS = "a result with a status that does not exist"
    RESULT_RANKS = "a result that rests on packets that were never sent"
    RESULT_SERVICE = "a result with a time that no server can mean"
    RESULT_MARGIN = "a result whose packets arrived when they cannot have"
    RESULT_CLOCK = "a result with another clock than the server's"
    LAST = "a picture whose packets do not agree which one is the last"
    CLASSES = "classes that no result can carry"
    SEALED_PICTURE = "a picture packet that the key does not open"
    SEALED_REPLAY = "a picture that was sent before"
    SEALED_RESULT = "a result that the key does not open"


@dataclass(slots=True)
class _Report:
    """When a kind of flaw was last reported, and how long it is not reported again, us."""

    at_us: int
    pause_us: int

    @property
    def due_us(self) -> int:
        return self.at_us + self.pause_us


class Border:
    """Counts flaws, and reports each kind with how often it occurred since: at once, and then ever more rarely.

    While a kind goes on, the time between two of its reports doubles from 1 s to 60 s: an end that goes on lying fills
    no log.
    """

    def __init__(self) -> None:
        self.counts: Counter[Flaw] = Counter()
        self._unreported: Counter[Flaw] = Counter()
        self._reports: dict[Flaw, _Report] = {}

    def count(self, flaw: Flaw) -> None:
        """Take note of a flaw."""
        self.counts[flaw] += 1
        self._unreported[flaw] += 1

    def link_state(self, number: int) -> LinkState:
        """Return the state of a connection; down, and counted, if there is no such state."""
        if number in list(LinkState):
            return LinkState(number)
        self.count(Flaw.LINK)
        return LinkState.DOWN

    def report(self, now_us: int) -> list[Implausible]:
        """Return the reports that are due."""
        due = [flaw for flaw in self._unreported if now_us >= self._due_us(flaw)]
        for flaw in due:
            last = self._reports.get(flaw)
            if last is None or now_us - last.at_us >= _FORGOTTEN_US:
                self._reports[flaw] = _Report(now_us, _LEAST_PAUSE_US)
            else:
                self._reports[flaw] = _Report(now_us, min(2 * last.pause_us, _MOST_PAUSE_US))
        return [Implausible(flaw.value, self._unreported.pop(flaw)) for flaw in due]

    def wake_at(self) -> int | None:
        """Return when ``report`` has something to return; None: never."""
        return min(map(self._due_us, self._unreported), default=None)

    def _due_us(self, flaw: Flaw) -> int:
        last = self._reports.get(flaw)
        return 0 if last is None else last.due_us


def flaw_of(packet: Picture | Control) -> Flaw | None:
    """Return what is wrong with a packet, whatever else was said; None if it can be true."""
    if isinstance(packet, Picture):
        return None
    if isinstance(packet, Hello):
        if packet.version != VERSION:
            return None  # its other fields may have moved
        return None if packet.kind in list(Kind) and packet.role in list(Role) else Flaw.HELLO
    if packet.peer >= MAX_SOURCES:
        return Flaw.CAMERA
    if isinstance(packet, Ping | Pong) and packet.hop not in list(Hop):
        return Flaw.HOP
    if isinstance(packet, Pong) and not _has_plausible_times(packet):
        return Flaw.PONG_TIME
    return None


def plausible_interval_us(interval_us: int) -> int:
    """Return a connection interval as a board reports it; 0, unknown, if Bluetooth LE has no such interval."""
    return interval_us if SHORTEST_INTERVAL_US <= interval_us <= LONGEST_INTERVAL_US else 0


def _has_plausible_times(pong: Pong) -> bool:
    return pong.held_us <= LONGEST_US and pong.service_us <= LONGEST_US and pong.clock_us < CLOCK_MODULO_US
