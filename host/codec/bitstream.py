"""The bitstream of pnc-v2: coefficients of a picture <-> ranked packets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..ranked import RankedPacket
from ..wire import MAX_CODEC_BYTES
from .weights import Kind, describe_mark
from .entropy import PlaneCoder

#: Packets of a picture at most, 4,977 bytes: what comes after them changes hardly any answer.
MOST_PACKETS = 21
#: Packets that differ but begin at one row, of which a sound one is looked for: there is one unless bytes were damaged.
MOST_COPIES = 4


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


@dataclass(frozen=True, slots=True)
class _Decoded:
    """What a packet brought: the state after it, and the whole rows up to the next packet; of a prefix's last packet no
    rows but symbols."""

    state: np.ndarray
    rows: int | None
    symbols: int = 0


class PlaneBitstream:
    """A packet is the codec's mark (a byte), then the coder's bytes; its position is the row of pieces it begins at.

    A packet needs all packets before it: of packets after a gap nothing is used.
    """

    def __init__(self, kind: Kind, coder: PlaneCoder) -> None:
        self._kind, self._coder = kind, coder

    def pack(self, coefficients: np.ndarray, most_packets: int = MOST_PACKETS) -> list[RankedPacket]:
        """Coefficients int8 [c, k, k] as packets of at most 237 bytes, most important first, ranks from 0.

        Rich pictures need more than ``most_packets``: what comes last is left out, and not coded.
        """
        return self.ranked(self._coder.pack(coefficients, MAX_CODEC_BYTES - 1, most_packets))

    def ranked(self, coded: Sequence[tuple[int, bytes]]) -> list[RankedPacket]:
        """Packets of what the coder gave: first rows and bytes."""
        mark = bytes([self._kind.mark])
        return [RankedPacket(rank, row, mark + data) for rank, (row, data) in enumerate(coded)]

    def collect(self, packets: Iterable[RankedPacket]) -> Collected:
        """Whatever is sound in ``packets`` (any of them, in any order, some twice); the rest is told, not raised."""
        faults: list[str] = []
        waiting = self._by_row(packets, faults)
        state, row, symbols, used = self._coder.new_state(), 0, 0, 0
        while row in waiting:
            here = waiting.pop(row)
            found: _Decoded | None = None
            for packet in here:
                if found is not None:
                    faults.append(f"packet {packet.rank} at position {row} overlaps another")
                    continue
                found = self._decoded(packet, state, waiting)
                if found is None:
                    faults.append(f"packet {packet.rank} at position {row} is damaged")
            if found is None:
                break
            state, used = found.state, used + 1
            if found.rows is None:
                symbols = found.symbols
                break
            row += found.rows
        rest = sorted((p for left in waiting.values() for p in left), key=lambda p: (p.position, p.rank))
        faults += [f"packet {p.rank} at position {p.position} is not used: one before it is missing" for p in rest]
        coder = self._coder
        return Collected(coder.known(state), coder.levels(row, symbols), coder.arrays["top"], used, tuple(faults))

    def _decoded(
        self, packet: RankedPacket, state: np.ndarray, waiting: Mapping[int, list[RankedPacket]]
    ) -> _Decoded | None:
        """What ``packet`` holds beyond ``state``; None where no encoder writes that before the packets that wait.

        Whether it holds what it should can be told where the next packet is there too.
        """
        coder, row, content = self._coder, packet.position, packet.data[1:]
        after = [at for at in waiting if at > row]
        follow = {at for at in after if any(p.rank == packet.rank + 1 for p in waiting[at])}
        nearest = min(after, default=None)
        if nearest in follow:
            tried = state.copy()
            if coder.decode(content, row, nearest - row, tried) is not None:
                return _Decoded(tried, nearest - row)
        tried = state.copy()
        symbols = coder.decode(content, row, None, tried)
        if symbols is None:
            return None
        rows = symbols // coder.side
        if row + rows in follow:
            # What stands before it belongs elsewhere.
            tried = state.copy()
            return None if coder.decode(content, row, rows, tried) is None else _Decoded(tried, rows)
        return None if nearest in follow else _Decoded(tried, None, symbols)

    def _by_row(self, packets: Iterable[RankedPacket], faults: list[str]) -> dict[int, list[RankedPacket]]:
        """The packets of this codec by the row that they begin at; of several the likeliest first."""
        kind, found, seen = self._kind, dict[int, list[RankedPacket]](), set[tuple[int, bytes]]()
        for packet in sorted(packets, key=lambda p: (p.rank, p.position, -len(p.data))):
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
            elif len(found.get(packet.position, ())) == MOST_COPIES:
                faults.append(f"packet {packet.rank} at position {packet.position} overlaps another")
            else:
                found.setdefault(packet.position, []).append(packet)
        return found
