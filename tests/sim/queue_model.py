"""A simple model of the board's queue, for comparison with the C core."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from host.board.core import Totals
from host.wire import Picture

SLOTS = 64


@dataclass(frozen=True, order=True)
class Waiting:
    """A waiting packet; packets are ordered as they leave."""

    rank: int
    deadline_us: int
    arrival: int
    packet: Picture = field(compare=False)


@dataclass
class QueueModel:
    """A queue that sorts a list when needed. Times in us."""

    waiting: list[Waiting] = field(default_factory=list)
    accepted: int = 0
    sent: int = 0
    expired: int = 0
    evicted: int = 0
    flushed: int = 0

    def push(self, now_us: int, packet: Picture) -> None:
        """Offer a packet."""
        self.accepted += 1
        new = Waiting(packet.rank, now_us + packet.remaining_ms * 1000, self.accepted, packet)
        if packet.remaining_ms == 0:
            self.expired += 1
            return
        if len(self.waiting) == SLOTS:
            self.expire(now_us)
        self.waiting.append(new)
        if len(self.waiting) > SLOTS:
            self.waiting.remove(max(self.waiting))
            self.evicted += 1

    def pop(self, now_us: int) -> Picture | None:
        """Return the most important packet before its deadline, with its remaining time."""
        while self.waiting:
            best = min(self.waiting)
            self.waiting.remove(best)
            left_ms = (best.deadline_us - now_us) // 1000
            if left_ms >= 1:
                self.sent += 1
                return replace(best.packet, remaining_ms=left_ms)
            self.expired += 1
        return None

    def expire(self, now_us: int) -> None:
        """Drop the packets that are past their deadline."""
        alive = [item for item in self.waiting if item.deadline_us - now_us >= 1000]
        self.expired += len(self.waiting) - len(alive)
        self.waiting = alive

    def flush(self, source: int, image: int | None) -> None:
        """Drop the packets of an image; None: of all images of the source."""
        kept = [w for w in self.waiting if w.packet.source != source or image not in (None, w.packet.image)]
        self.flushed += len(self.waiting) - len(kept)
        self.waiting = kept

    @property
    def totals(self) -> Totals:
        return Totals(self.accepted, self.sent, self.expired, self.evicted, self.flushed, len(self.waiting))
