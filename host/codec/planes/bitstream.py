"""The bitstream of pnc-v2: coefficients of a picture <-> ranked packets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from host.codec.planes.entropy import PlaneCoder
from host.codec.weights import Kind, describe_mark
from protocol.ranked import RankedPacket
from protocol.wire import MAX_CODEC_BYTES

#: Packets of a picture at most, 4,977 bytes: what comes after them changes hardly any answer.
MOST_PACKETS = 21


@dataclass(frozen=True)
class Collected:
    """What came out of some packets.

    ``known``: four times the middle of what is known of each coefficient, int16 [c, k, k]; ``levels``: its unknown
    planes, uint8 [c, k, k]; ``top``: how many planes there are, uint8 [c]; packets used; what was wrong.
    """

    known: np.ndarray
    levels: np.ndarray
    top: np.ndarray
    used: int
    faults: tuple[str, ...]

    @property
    def channels(self) -> float:
        """Planes that arrived, in channels' worth of them, parts counted as parts."""
        whole = self.top.astype(np.float64)[:, None, None]
        return float((1 - self.levels / whole).mean() * len(whole))


class PlaneBitstream:
    """A packet is the codec's mark (a byte), then the coder's bytes; its position is the row of pieces it begins at.

    A packet needs all packets before it: of packets after a gap nothing is used.
    """

    def __init__(self, kind: Kind, coder: PlaneCoder) -> None:
        self._kind, self._coder = kind, coder

    def pack(self, coefficients: np.ndarray, most_packets: int = MOST_PACKETS) -> list[RankedPacket]:
        """Coefficients int8 [c, k, k] as packets of at most 237 bytes, most important first, ranks from 0.

        Rich pictures need more than ``most_packets``: what comes last is left out.
        """
        packets: list[RankedPacket] = []
        row = 0
        while row < self._coder.rows and len(packets) < most_packets:
            data, rows = self._coder.encode(coefficients, row, MAX_CODEC_BYTES - 1)
            packets.append(RankedPacket(len(packets), row, bytes([self._kind.mark]) + data))
            row += rows
        return packets

    def collect(self, packets: Iterable[RankedPacket]) -> Collected:
        """Whatever is sound in ``packets`` (any of them, in any order, some twice); the rest is told, not raised."""
        faults: list[str] = []
        chain = self._chain(packets, faults)
        state, row, symbols, used = self._coder.new_state(), 0, 0, 0
        while chain and chain[0].position == row:
            packet, rest = chain[0], chain[1:]
            # Whether it holds what it should can be told where the next packet is there too.
            follows = bool(rest) and rest[0].rank == packet.rank + 1
            rows = rest[0].position - row if follows else None
            tried = state.copy()
            count = self._coder.decode(packet.data[1:], row, rows, tried)
            if count is None:
                faults.append(f"packet {packet.rank} at position {row} is damaged")
                chain = rest
                break
            state, used, chain = tried, used + 1, rest
            if rows is None:
                symbols = count
                break
            row += rows
        faults += [f"packet {p.rank} at position {p.position} is not used: one before it is missing" for p in chain]
        coder = self._coder
        return Collected(coder.known(state), coder.levels(row, symbols), coder.arrays["top"], used, tuple(faults))

    def _chain(self, packets: Iterable[RankedPacket], faults: list[str]) -> list[RankedPacket]:
        """The packets of this codec by position, each position once."""
        kind, found, seen = self._kind, dict[int, RankedPacket](), set[tuple[int, bytes]]()
        for packet in sorted(packets, key=lambda p: (p.rank, p.position)):
            key = (packet.position, packet.data)
            if key in seen:
                continue
            seen.add(key)
            mark = packet.data[0]
            if mark != kind.mark:
                faults.append(
                    f"packet {packet.rank} is of {describe_mark(mark)}; "
                    f"this decoder reads {kind.name} version {kind.version}"
                )
            elif packet.position >= self._coder.rows:
                faults.append(f"packet {packet.rank} at position {packet.position} is outside the picture")
            elif packet.position in found:
                faults.append(f"packet {packet.rank} at position {packet.position} overlaps another")
            else:
                found[packet.position] = packet
        return [found[position] for position in sorted(found)]
