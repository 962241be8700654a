"""A picture on its way out: which ranks are still to be sent, and what became of the others."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field

from ..ranked import RankedPacket
from ..wire import Picture


@dataclass(slots=True)
class OutgoingImage:
    """One submitted picture. Times in us of the sender's clock.

    ``send_by_us`` is when its last useful packet must have reached the edge server, ``answer_by_us`` when the
    answer must be back.
    """

    number: int
    packets: Sequence[RankedPacket]
    send_by_us: int
    answer_by_us: int
    flushed: bool = False
    sent: set[int] = field(default_factory=set)
    resent: int = 0
    _next: int = 0
    _again: list[int] = field(default_factory=list)

    @property
    def rank(self) -> int | None:
        """The most important rank that is still to be sent; None when there is none."""
        if self.flushed:
            return None
        if self._again:
            return self._again[0]
        return self._next if self._next < len(self.packets) else None

    def take(self, now_us: int, transit_us: int) -> Picture:
        """The next packet, as it goes to the board now; ``transit_us`` is what no hop will subtract."""
        if self._again:
            rank = heapq.heappop(self._again)
            self.resent += 1
        else:
            rank = self._next
            self._next += 1
        self.sent.add(rank)
        packet = self.packets[rank]
        return Picture(
            image=self.number,
            rank=rank,
            position=packet.position,
            remaining_ms=max(0, (self.send_by_us - transit_us - now_us) // 1000),
            data=packet.data,
            last=rank == len(self.packets) - 1,
        )

    def requeue(self, rank: int) -> None:
        """The board never got this rank, or lost it: it is to be sent again, in its place."""
        if rank in self.sent:
            self.sent.discard(rank)
            heapq.heappush(self._again, rank)

    def give_back_all(self) -> None:
        """The board was reset: what of the picture it still held is lost, and nobody knows what it was."""
        for rank in list(self.sent):
            self.requeue(rank)
