"""What sender and receiver ask of a key, if there is one: to seal and open packets (protocol/SPEC.md, "Sealed").

The link has no cryptography. ``host.seal`` implements these protocols; without a key sender and receiver have none.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Protocol

from ..wire import Picture, Ping, Pong, Result
from .border import Flaw
from .events import KeyFault, KeyMismatch

#: Each fault of one other end is reported at most once in this time, us.
_MOST_REPORTS, _MOST_REPORTS_WITHIN_US = 4, 4_000_000


class Proof(StrEnum):
    """What the seal of a ping or pong proves of the other end."""

    SAME_KEY = "the same key"
    OTHER_KEY = "another key"
    NO_KEY = "no key"


#: What each proof means for an end that has a key.
FAULTS: Mapping[Proof, KeyFault | None] = {
    Proof.SAME_KEY: None,
    Proof.OTHER_KEY: KeyFault.OTHER,
    Proof.NO_KEY: KeyFault.NONE_THERE,
}


class PictureSeal(Protocol):
    """Seals the packets of one picture, and opens its answers."""

    @property
    def is_current(self) -> bool:
        """Whether the edge server can still open what this seals: it knows the session."""

    def seal(self, packet: Picture) -> Picture:
        """Return a packet with sealed codec bytes. A rank that is sealed again has the same bytes."""

    def open(self, result: Result) -> Result | None:
        """Return an answer with its text opened; None if it is not this picture's, or was altered."""


class CameraSeal(Protocol):
    """A camera's side of a key. ``first_room`` and ``room``: most codec bytes of rank 0, and of another packet."""

    first_room: int
    room: int

    @property
    def is_ready(self) -> bool:
        """Whether pictures can be sealed: the edge server has proved that it has the key."""

    def ping(self, ping: Ping) -> Ping:
        """Return a ping to the edge server with this camera's salt and proof."""

    def pong(self, pong: Pong) -> Proof:
        """Take the edge server's salt from its pong, if it proves the same key."""

    def picture(self) -> PictureSeal:
        """Return the seal of the next picture; only when ready."""


class ServerSeal(Protocol):
    """An edge server's side of its keys. ``text_room``: most bytes of a result's text before it is sealed."""

    text_room: int

    def pong(self, ping: Ping, pong: Pong) -> tuple[Proof, Pong]:
        """Return what a ping proves of its camera, and the answer with this server's salt and proof."""

    def open(self, now_us: int, packet: Picture, refuse: Callable[[Flaw], None]) -> list[Picture]:
        """Return the packets that can be opened now: this one, and those that waited for it.

        ``refuse`` is called with what is wrong with one that never can.
        """

    def result(self, result: Result) -> Result | None:
        """Return a sealed answer; None if no packet of its picture was opened."""


class KeyReports:
    """Reports that the two ends do not have the same key: each change once, and at most four in four seconds.

    So programs that are started one after the other are each told, and an end that changes its key with every ping
    fills no terminal.
    """

    def __init__(self) -> None:
        self._faults: dict[int, KeyFault] = {}
        self._reported_us: dict[int, deque[int]] = {}

    def fine(self, source: int) -> None:
        """Take note that the other end has the same key, or none as this one."""
        self._faults.pop(source, None)

    def fault(self, now_us: int, source: int, fault: KeyFault, *, at_camera: bool) -> list[KeyMismatch]:
        """Return what is to be reported of a fault; nothing if it was reported before."""
        reported_us = self._reported_us.setdefault(source, deque(maxlen=_MOST_REPORTS))
        are_many = len(reported_us) == _MOST_REPORTS and now_us - reported_us[0] < _MOST_REPORTS_WITHIN_US
        if self._faults.get(source) is fault or are_many:
            return []
        self._faults[source] = fault
        reported_us.append(now_us)
        return [KeyMismatch(source, fault, at_camera)]
