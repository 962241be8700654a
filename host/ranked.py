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


class Splitter:
    """Splits packets into parts as they come: short ones first, then longer ones, as a slow link needs them.

    A part that a deadline cuts off is lost as a whole. So no part is longer than ``first_bytes`` plus ``GROWTH`` of
    what goes before it, nor than ``most_bytes``. If that is a whole packet, only the first part is short. The parts of
    one packet keep its position and have ranks in a row. Packets that would exceed ``MAX_RANKS`` ranks are not split.
    """

    def __init__(self, first_bytes: int, most_bytes: int = MAX_CODEC_BYTES) -> None:
        self._first_bytes, self._most_bytes = first_bytes, most_bytes
        self._count = self._bytes = 0

    def parts(self, packets: Sequence[RankedPacket], following: int = 0) -> list[RankedPacket]:
        """Split the next packets of the picture; at most ``following`` more will come after them."""
        parts: list[RankedPacket] = []
        for index, packet in enumerate(packets):
            room = MAX_RANKS - self._count - (len(packets) - index) - following
            at = 0
            while at < len(packet.data):
                left = len(packet.data) - at
                size = max(1, min(self._next_bytes(), self._most_bytes))
                if room <= 0 or left < size + size // 2:
                    size = left
                parts.append(RankedPacket(self._count, packet.position, packet.data[at : at + size]))
                at, room = at + size, room - 1
                self._count, self._bytes = self._count + 1, self._bytes + size
        return parts

    def _next_bytes(self) -> int:
        """Return how long the next part may be."""
        if self._count and self._most_bytes >= MAX_CODEC_BYTES:
            return self._most_bytes
        return int(self._first_bytes + GROWTH * self._bytes)


def split(packets: Sequence[RankedPacket], first_bytes: int, most_bytes: int = MAX_CODEC_BYTES) -> list[RankedPacket]:
    """Split all packets of a picture into parts (see ``Splitter``)."""
    return Splitter(first_bytes, most_bytes).parts(packets)
