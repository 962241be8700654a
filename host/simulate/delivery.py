"""What became of a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..ranked import RankedPacket
from .timetable import Slot


@dataclass(slots=True)
class Delivery:
    """What became of one picture. Times in us; None if it did not happen.

    ``ranks`` are those that the answer rests on, empty unless it came in time. ``collected`` are those that the edge
    server had when it began to decode, whenever that was. ``packets`` are those of the picture, perhaps in parts.
    """

    slot: Slot
    packets: Sequence[RankedPacket] = ()
    sent: int = 0
    refused: bool = False
    collected_us: int | None = None
    arrived_us: Mapping[int, int] = field(default_factory=dict)  # by rank
    collected: frozenset[int] = frozenset()
    answered_us: int | None = None
    ranks: frozenset[int] = frozenset()

    @property
    def in_time(self) -> bool:
        """Whether an answer that rests on something came by the deadline."""
        return bool(self.ranks)

    @property
    def unsent(self) -> bool:
        """Whether nothing of the picture was given to the board."""
        return self.sent == 0
