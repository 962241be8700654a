"""What a result holds: the ranks that it rests on, and as many classes as fit, labels cut between characters."""

from __future__ import annotations

from collections.abc import Iterable

from ..wire import MAX_PACKET, MAX_RANKS, Result, ResultClass

_ROOM = MAX_PACKET - Result.LAYOUT.size
_ONE = 65535
_LONGEST_LABEL = 255

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


def pack_classes(classes: Iterable[Class]) -> bytes:
    """Return the text of a result with these classes, most probable first.

    Long labels are cut so that every class gets its share of the packet; classes that still do not fit are left out.
    """
    all_classes = list(classes)
    text = b""
    for count, (index, label, probability) in enumerate(all_classes):
        share = (_ROOM - len(text)) // (len(all_classes) - count) - ResultClass.LAYOUT.size
        if share < 0:
            break
        clipped = min(max(probability, 0.0), 1.0)
        text += ResultClass(index, round(clipped * _ONE), _cut(label, min(share, _LONGEST_LABEL))).pack()
    return text


def unpack_classes(text: bytes) -> tuple[Class, ...]:
    """Return the classes in a result's text; MalformedError if it ends inside one."""
    return tuple(
        (record.index, record.label.decode(errors="replace"), record.probability / _ONE)
        for record in ResultClass.unpack_all(text)
    )


def _cut(label: str, length: int) -> bytes:
    """Return the UTF-8 of a label, cut between characters to at most ``length`` bytes."""
    return label.encode()[:length].decode(errors="ignore").encode()
