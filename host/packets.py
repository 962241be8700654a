"""Packets from bytes and to bytes: pictures here, control packets in the generated ``wire``."""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct

from .wire import CONTROL, MAX_PACKET, PICTURE_HEADER, Control, MalformedError, PictureFlags


@dataclass(frozen=True, slots=True)
class Picture:
    """A ranked packet on its way.

    ``remaining_ms`` is the time left until its deadline when the packet was handed on; every hop
    subtracts how long it held it. ``source`` tells cameras apart on the edge's serial port.
    """

    image: int
    rank: int
    position: int
    remaining_ms: int
    data: bytes
    last: bool = False
    source: int = 0

    def pack(self) -> bytes:
        """The packet's bytes; ``struct.error`` if a number does not fit its field."""
        flags = PictureFlags.PICTURE | (PictureFlags.LAST if self.last else 0) | self.source
        return _LAYOUT.pack(flags, self.image, self.rank, self.position, self.remaining_ms) + self.data

    @classmethod
    def unpack(cls, packet: bytes) -> Picture:
        """Read a packet whose first bit says picture; MalformedError if it has no codec bytes."""
        if len(packet) <= PICTURE_HEADER:
            raise MalformedError(f"picture: {len(packet)} bytes, more than {PICTURE_HEADER} needed")
        flags, image, rank, position, remaining_ms = _LAYOUT.unpack_from(packet)
        return cls(
            image=image,
            rank=rank,
            position=position,
            remaining_ms=remaining_ms,
            data=packet[PICTURE_HEADER:],
            last=bool(flags & PictureFlags.LAST),
            source=flags & PictureFlags.SOURCE,
        )


_LAYOUT = Struct("<BBBHH")


@dataclass(frozen=True, slots=True)
class Unknown:
    """A packet of a type that this version does not know: to be skipped."""

    type: int


def parse(packet: bytes) -> Picture | Control | Unknown:
    """Read one packet of 1 to 244 bytes; MalformedError says what is wrong with it."""
    if not 0 < len(packet) <= MAX_PACKET:
        raise MalformedError(f"a packet of {len(packet)} bytes; 1 to {MAX_PACKET} are legal")
    first = packet[0]
    if first & PictureFlags.PICTURE:
        return Unknown(first) if first & PictureFlags.RESERVED else Picture.unpack(packet)
    control = CONTROL.get(first)
    return control.unpack(packet) if control else Unknown(first)
