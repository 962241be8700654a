"""A submitted picture: which of its ranks were sent and which are still to be sent."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from ..ranked import RankedPacket
from ..wire import Picture
from .events import Answer
from .sealing import PictureSeal


@dataclass(slots=True)
class OutgoingImage:
    """One submitted picture. Times in us of the sender's clock.

    ``submitted_us`` is when it was submitted. ``send_by_us`` is when the server begins with its last answer: a packet
    that reaches it later is useless.
    ``leaves_by_us`` is when that answer has to leave it.
    ``answer_by_us`` is the deadline of the answer. ``best`` is the best provisional answer so far. ``more`` returns the
    packets after ``packets``, some at a time; none at the end. ``seal`` seals them, if there is a key.
    """

    number: int
    submitted_us: int
    packets: list[RankedPacket]
    send_by_us: int
    leaves_by_us: int
    answer_by_us: int
    more: Callable[[], Sequence[RankedPacket]] | None = None
    flushed: bool = False
    best: Answer | None = None
    seal: PictureSeal | None = None
    sent: set[int] = field(default_factory=set)
    resent: int = 0
    _next: int = 0
    _again: list[int] = field(default_factory=list)

    @property
    def first_unsent(self) -> int:
        """The first rank that was never sent."""
        return self._next

    @property
    def rank(self) -> int | None:
        """Most important rank that has not been sent; None if all have."""
        if self.flushed:
            return None
        if self._again:
            return self._again[0]
        return self._next if self._next < len(self.packets) else None

    def final_answer(self) -> Answer | None:
        """Return the best provisional answer as the final one; None if there is none."""
        return None if self.best is None else replace(self.best, final=True)

    def take(self, now_us: int, program: int, transit_us: int) -> Picture:
        """Return the next packet as sent now; ``transit_us`` is the time that no hop can measure and subtract."""
        if self._again:
            rank = heapq.heappop(self._again)
            self.resent += 1
        else:
            rank = self._next
            self._next += 1
            self._know(self._next)  # whether there is one more: the last packet says that it is the last
        self.sent.add(rank)
        packet = self.packets[rank]
        picture = Picture(
            image=self.number,
            rank=rank,
            position=packet.position,
            remaining_ms=max(0, (self.send_by_us - transit_us - now_us) // 1000),
            data=packet.data,
            last=rank == len(self.packets) - 1,
            program=program,
        )
        return picture if self.seal is None else self.seal.seal(picture)

    def _know(self, rank: int) -> None:
        """Ask for more packets until ``rank`` is among them, or there are no more."""
        while self.more is not None and rank >= len(self.packets):
            packets = self.more()
            self.packets += packets
            if not packets:
                self.more = None

    def requeue(self, rank: int) -> None:
        """Send a rank again, in its order of importance: the board did not receive it, or lost it."""
        if rank in self.sent:
            self.sent.discard(rank)
            heapq.heappush(self._again, rank)

    def requeue_all(self) -> None:
        """Send all sent ranks again: the board was reset, and which of them it still held is unknown."""
        for rank in list(self.sent):
            self.requeue(rank)
