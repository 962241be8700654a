"""A ranked packet: the interface between the codec and the link."""

from __future__ import annotations

from dataclasses import dataclass

from .wire import MAX_CODEC_BYTES, MAX_RANKS


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
