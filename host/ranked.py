"""A ranked packet: the interface between the codec and the link."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .wire import MAX_CODEC_BYTES, MAX_RANKS

#: A part of a picture is longer than the first one by this share of what goes before it.
GROWTH = 0.3


@dataclass(frozen=True, slots=True)
class RankedPacket:
    """A part of an encoded picture.

    ``rank`` is the order of importance, 0 first; unique and without gaps within a picture (0, 1, 2, ...; at most 255).
    ``position`` is the place of the codec bytes in the picture, 16 bits; only the codec reads it. ``data`` is 1 to 236
    codec bytes.
    """

    rank: int
    position: int
    data: bytes

    def __post_init__(self) -> None:
        if not 0 <= self.rank < MAX_RANKS:
            raise ValueError(f"rank {self.rank} is outside 0..{MAX_RANKS - 1}")
        if not 0 <= self.position <= 0xFFFF:
            raise ValueError(f"position {self.position} does not fit 16 bits")
        if not 1 <= len(self.data) <= MAX_CODEC_BYTES:
            raise ValueError(f"{len(self.data)} codec bytes: a packet carries 1 to {MAX_CODEC_BYTES}")


def split(packets: Sequence[RankedPacket], first_bytes: int, most_bytes: int = MAX_CODEC_BYTES) -> list[RankedPacket]:
    """Split packets into parts: short ones first, then longer ones, as a slow link needs them.

    A part that a deadline cuts off is lost as a whole. So no part is longer than ``first_bytes`` plus ``GROWTH`` of
    what goes before it, nor than ``most_bytes``. The parts of one packet keep its position and have ranks in a row.
    Packets that would exceed ``MAX_RANKS`` ranks are not split.
    """
    parts: list[RankedPacket] = []
    before = 0
    for index, packet in enumerate(packets):
        room = MAX_RANKS - len(parts) - (len(packets) - index)
        at = 0
        while at < len(packet.data):
            left = len(packet.data) - at
            size = max(1, min(int(first_bytes + GROWTH * before), most_bytes))
            if room <= 0 or left < size + size // 2:
                size = left
            parts.append(RankedPacket(len(parts), packet.position, packet.data[at : at + size]))
            at, before, room = at + size, before + size, room - 1
    return parts
