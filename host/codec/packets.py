"""The bitstream: symbols of a picture <-> ranked packets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ..ranked import RankedPacket
from ..wire import MAX_CODEC_BYTES
from .entropy import EntropyCoder
from .weights import Kind, describe_mark


@dataclass(frozen=True)
class Collected:
    """What came out of some packets: symbols uint8 [c, k, k], arrived bool [c, k, k], packets used, what was wrong."""

    symbols: np.ndarray
    arrived: np.ndarray
    used: int
    faults: tuple[str, ...]

    @property
    def channels(self) -> float:
        """Channels that arrived, parts counted as parts."""
        side = self.arrived.shape[-1]
        return int(self.arrived.sum()) / float(side**2)


class Bitstream:
    """A packet is the codec's mark (a byte), then the coder's bytes; its position is that of its first symbol."""

    def __init__(self, kind: Kind, coder: EntropyCoder) -> None:
        self._kind, self._coder = kind, coder

    def pack(self, symbols: np.ndarray) -> list[RankedPacket]:
        """Symbols uint8 [c, k, k] as packets of at most 237 bytes, most important first, ranks from 0."""
        packets: list[RankedPacket] = []
        position = 0
        while position < self._coder.total:
            data, count = self._coder.encode(symbols, position, MAX_CODEC_BYTES - 1)
            packets.append(RankedPacket(len(packets), position, bytes([self._kind.mark]) + data))
            position += count
        return packets

    def collect(self, packets: Iterable[RankedPacket]) -> Collected:
        """Whatever is sound in ``packets`` (any of them, in any order, some twice); the rest is told, not raised."""
        coder = self._coder
        symbols = np.zeros(coder.total, dtype=np.uint8)
        arrived = np.zeros(coder.total, dtype=bool)
        faults: list[str] = []
        seen: set[tuple[int, bytes]] = set()
        used = 0
        for packet in sorted(packets, key=lambda p: (p.rank, p.position)):
            key = (packet.position, packet.data)
            if key in seen:
                continue
            seen.add(key)
            mark = packet.data[0]
            if mark != self._kind.mark:
                kind = self._kind
                faults.append(
                    f"packet {packet.rank} is of {describe_mark(mark)}; "
                    f"this decoder reads {kind.name} version {kind.version}"
                )
                continue
            run = coder.decode(packet.data[1:], packet.position)
            if run is None:
                faults.append(f"packet {packet.rank} at position {packet.position} is damaged")
                continue
            where = slice(packet.position, packet.position + len(run))
            if arrived[where].any():
                faults.append(f"packet {packet.rank} at position {packet.position} overlaps another")
                continue
            symbols[where] = run
            arrived[where] = True
            used += 1
        shape = (coder.channels, coder.side, coder.side)
        return Collected(symbols.reshape(shape), arrived.reshape(shape), used, tuple(faults))


class MaskedValues:
    """Brings what arrived to the network's inputs ``values`` (symbol less its zero) and ``arrived``."""

    def __init__(self, zero: np.ndarray) -> None:
        self._zero = zero.astype(np.float32).reshape(-1, 1, 1)

    def __call__(self, found: Sequence[Collected]) -> dict[str, np.ndarray]:
        """Both inputs, float32 [n, c, k, k]."""
        arrived = np.stack([f.arrived for f in found]).astype(np.float32)
        symbols = np.stack([f.symbols for f in found]).astype(np.float32)
        return {"values": (symbols - self._zero) * arrived, "arrived": arrived}
