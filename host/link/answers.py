"""What a result holds: the ranks that it rests on, and as many classes as fit, labels cut between characters."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable
from typing import Any

from ..wire import MAX_PACKET, MAX_RANKS, Result, ResultClass

_ROOM = MAX_PACKET - Result.LAYOUT.size
_ONE = 65535
_LONGEST_LABEL = 255
_LAST_CLASS = 65535
#: Of more classes than have so many bytes of their labels in a result, the last ones are left out.
_LEAST_LABEL = 4

#: Index, label, probability.
Class = tuple[int, str, float]


def pack_ranks(ranks: Iterable[int]) -> bytes:
    """Return the bit map of ranks: bit r % 8 of byte r // 8 is rank r."""
    bits = 0
    for rank in ranks:
        bits |= 1 << rank
    return bits.to_bytes(MAX_RANKS // 8, "little")


def unpack_ranks(bitmap: bytes) -> frozenset[int]:
    """Return the ranks in a bit map."""
    bits = int.from_bytes(bitmap, "little")
    return frozenset(rank for rank in range(MAX_RANKS) if bits >> rank & 1)


def sound_class(each: object) -> Class | None:
    """Return a class as a result carries it; None if none can: anybody may have written the classifier.

    Its number is whole and fits 16 bits, its label is a text, and its probability is a finite number.
    """
    fields: Any = each
    try:
        number, label, share = fields
        index, probability = operator.index(number), float(share)
    except Exception:  # whatever an object of another kind raises
        return None
    if not isinstance(label, str) or not 0 <= index <= _LAST_CLASS or not math.isfinite(probability):
        return None
    return index, label, probability


def pack_classes(classes: Iterable[Class], room: int = _ROOM) -> bytes:
    """Return the text of a result with these classes, most probable first, in at most ``room`` bytes.

    Long labels are cut so that every class gets its share of the packet; classes that still do not fit are left out,
    and so are those that no result can carry (``sound_class``).
    """
    all_classes = [sound for each in classes if (sound := sound_class(each)) is not None]
    del all_classes[max(1, room // (ResultClass.LAYOUT.size + _LEAST_LABEL)) :]
    text = b""
    for count, (index, label, probability) in enumerate(all_classes):
        share = (room - len(text)) // (len(all_classes) - count) - ResultClass.LAYOUT.size
        if share < 0:
            break
        clipped = min(max(probability, 0.0), 1.0)
        text += ResultClass(index, round(clipped * _ONE), cut_text(label, min(share, _LONGEST_LABEL))).pack()
    return text


def unpack_classes(text: bytes) -> tuple[Class, ...]:
    """Return the classes in a result's text; MalformedError if it ends inside one."""
    return tuple(
        (record.index, record.label.decode(errors="replace"), record.probability / _ONE)
        for record in ResultClass.unpack_all(text)
    )


def cut_text(text: str, length: int) -> bytes:
    """Return the UTF-8 of a text, cut between characters to at most ``length`` bytes; "?" for what has no UTF-8."""
    return text.encode(errors="replace")[:length].decode(errors="ignore").encode()
