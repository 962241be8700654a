"""Parts of packets: a slow link sends a packet in several parts, which keep its position and have ranks in a row."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ..ranked import RankedPacket
from ..wire import MAX_CODEC_BYTES


def joined(packets: Iterable[RankedPacket]) -> list[RankedPacket]:
    """Join parts to packets, with ranks in a row where nothing is missing between them.

    A part without the one before it is left as it is: it begins no packet. A packet that was sent twice is still there
    twice.
    """
    found: list[RankedPacket] = []
    last_rank = rank = -1
    for packet in sorted(packets, key=lambda packet: packet.rank):
        before = found[-1] if found else None
        if (
            before is not None
            and packet.position == before.position
            and packet.rank == last_rank + 1
            and len(before.data) + len(packet.data) <= MAX_CODEC_BYTES
        ):
            found[-1] = replace(before, data=before.data + packet.data)
        else:
            rank += packet.rank - last_rank
            found.append(replace(packet, rank=rank))
        last_rank = packet.rank
    return found
