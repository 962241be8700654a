"""What is associated with a sealed packet, and the padding of a text."""

from __future__ import annotations

from struct import Struct

from ..wire import Picture, PictureFlags, Result
from .cipher import MOST_PADDED

_PICTURE = Struct("<BHBH")
_PEER_AT = 1
_IS_PICTURE, _IS_LAST = int(PictureFlags.PICTURE), int(PictureFlags.LAST)
#: A text is padded to one of these sizes, in bytes, so that its length says little about the labels in it.
_PADDED = (64, 128, MOST_PADDED)
_END = b"\x80"


def of_picture(packet: Picture) -> bytes:
    """Return the first six bytes of a picture packet with source 0: no hop may change them."""
    flags = (_IS_PICTURE | _IS_LAST if packet.last else _IS_PICTURE) | packet.program << 4
    return _PICTURE.pack(flags, packet.image, packet.rank, packet.position)


def of_result(result: Result) -> bytes:
    """Return the fields of a result with peer 0."""
    data = bytearray(result.pack()[: Result.LAYOUT.size])
    data[_PEER_AT] = 0
    return bytes(data)


def with_data(packet: Picture, data: bytes) -> Picture:
    """Return a packet with other codec bytes."""
    return Picture(
        packet.image,
        packet.rank,
        packet.position,
        packet.remaining_ms,
        data,
        packet.last,
        packet.program,
        packet.source,
    )


def padded(text: bytes) -> bytes:
    """Return a text with 0x80 and zeros after it (ISO/IEC 7816-4). It has at most ``MOST_PADDED`` - 1 bytes."""
    size = next(size for size in _PADDED if len(text) < size)
    return (text + _END).ljust(size, b"\0")


def without_padding(text: bytes) -> bytes | None:
    """Return a text without its padding; None if it has none."""
    text = text.rstrip(b"\0")
    return text[:-1] if text.endswith(_END) else None
