"""The classes inside a result packet: index u16, probability u16 in 1/65535, label length u8, label UTF-8."""

from __future__ import annotations

from collections.abc import Iterable
from struct import Struct

from ..wire import MAX_PACKET, MalformedError, Result

_ENTRY = Struct("<HHB")
_ROOM = MAX_PACKET - Result.LAYOUT.size
_ONE = 65535

Class = tuple[int, str, float]


def pack_classes(classes: Iterable[Class]) -> bytes:
    """Classes (index, label, probability), best first; long labels are cut, what does not fit is left out."""
    wanted = list(classes)
    text = b""
    for count, (index, label, probability) in enumerate(wanted):
        share = (_ROOM - len(text)) // (len(wanted) - count) - _ENTRY.size
        if share < 0:
            break
        name = _cut(label, min(share, 255))
        text += _ENTRY.pack(index, round(min(max(probability, 0.0), 1.0) * _ONE), len(name)) + name
    return text


def unpack_classes(text: bytes) -> tuple[Class, ...]:
    """The classes in a result's text; MalformedError if it ends in the middle of one."""
    classes = []
    at = 0
    while at < len(text):
        if at + _ENTRY.size > len(text):
            raise MalformedError("result: a class is cut short")
        index, probability, length = _ENTRY.unpack_from(text, at)
        at += _ENTRY.size
        if at + length > len(text):
            raise MalformedError("result: a label is cut short")
        classes.append((index, text[at : at + length].decode(errors="replace"), probability / _ONE))
        at += length
    return tuple(classes)


def _cut(label: str, length: int) -> bytes:
    """UTF-8 of at most that many bytes, not ending inside a character."""
    return label.encode()[:length].decode(errors="ignore").encode()
