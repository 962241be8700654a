"""Every single fault of the reference scene: each kind at each of its places, at each byte, packet, event or call."""

from __future__ import annotations

import random
from collections.abc import Iterator

from tests.faults.fault import KINDS, Fault
from tests.faults.scene import reference


def count(kind: str, place: str, *, key: bool = False) -> int:
    """Return how many faults of a kind a place can have."""
    found = reference(key=key)
    match kind:
        case "credit":
            return len(found.credits[place])
        case "air":
            return found.counts["transmission"]
        case "end":
            return found.counts["event"]
        case _:
            return found.counts[place]


def every_fault(*, key: bool = False) -> list[Fault]:
    """Return all single faults of the scene."""
    return [
        Fault(kind, place, index)
        for kind, (places, _) in KINDS.items()
        for place in places
        for index in range(count(kind, place, key=key))
    ]


def sample(faults: list[Fault], size: int, seed: int) -> list[Fault]:
    """Return some of the faults: of each kind and place its share, and at least one."""
    bits = random.Random(seed)
    chosen: list[Fault] = []
    for kind, (places, _) in KINDS.items():
        for place in places:
            group = [fault for fault in faults if (fault.kind, fault.place) == (kind, place)]
            chosen += bits.sample(group, min(len(group), max(1, size * len(group) // len(faults))))
    return chosen


def pairs(faults: list[Fault], seed: int) -> Iterator[tuple[Fault, Fault]]:
    """Yield random pairs of faults, without an end. Each kind is as likely as any other: most places are bytes."""
    bits = random.Random(seed)
    groups = [[fault for fault in faults if fault.kind == kind] for kind in KINDS]
    while True:
        first, second = bits.choice(bits.choice(groups)), bits.choice(bits.choice(groups))
        if first != second:
            yield first, second
