"""The bitstream: coefficients of a picture to ranked packets, and back."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import SupportsIndex

import numpy as np

from ..ranked import RankedPacket
from ..wire import MAX_CODEC_BYTES, MAX_RANKS
from .analysis import Analysed
from .entropy import BitPlaneCoder
from .layout import MEANS, NO_COLOUR
from .parts import joined
from .weights import Kind, describe_tag

#: A picture has at most this many packets of full size, 4,956 bytes, or as many shorter ones as fit into these bytes.
#: More bytes would hardly change a classifier's answer.
MOST_PACKETS = 21
#: Candidates tried for one pass row. More than one differs only if bytes were damaged.
MOST_COPIES = 4


@dataclass(frozen=True)
class PartialSymbols:
    """The coefficients of a picture as far as its packets decide them."""

    #: The picture colour, a byte for luma, blue and red difference; see ``Analysed``.
    colour: bytes
    #: Four times the middle of the interval of each coefficient, int16 [c, k, k].
    reconstruction: np.ndarray
    #: Missing bit-planes of each coefficient, uint8 [c, k, k].
    missing: np.ndarray
    #: Bit-planes of each channel, uint8 [c].
    plane_counts: np.ndarray
    #: Number of packets that were used.
    used: int
    #: Their bytes.
    used_bytes: int
    #: Why other packets were not used, a line each.
    issues: tuple[str, ...]

    @property
    def channels(self) -> float:
        """Received planes in units of channels; a part of a channel counts as that part."""
        return _channels(self.plane_counts, self.missing)

    @property
    def interpolated(self) -> np.ndarray:
        """Share of each cell's bit-planes that was not received, float32 [k, k], 0 to 1: the decoder fills it in."""
        share: np.ndarray = self.missing.sum(axis=0, dtype=np.float32) / self.plane_counts.sum(dtype=np.float32)
        return share


def _content(packet: RankedPacket) -> bytes:
    """Return the coder's bytes of a packet."""
    return packet.data[1 + MEANS if packet.position == 0 else 1 :]


def _channels(plane_counts: np.ndarray, missing: np.ndarray) -> float:
    whole = plane_counts.astype(np.float64)[:, None, None]
    return float((1 - missing / whole).mean() * len(whole))


@dataclass(frozen=True, slots=True)
class _Decoded:
    """The state after a packet, and its whole rows; for the last packet of a prefix ``symbols`` instead of rows."""

    state: np.ndarray
    rows: int | None
    symbols: int = 0


class Bitstream:
    """Packets of one byte, the codec tag, followed by the coder's bytes. ``position`` is the first pass row.

    In the first packet the three bytes of the picture colour follow the codec tag.
    A packet needs all packets before it: packets after a gap are not used.
    """

    def __init__(self, kind: Kind, coder: BitPlaneCoder) -> None:
        self._kind, self._coder = kind, coder

    @property
    def least_packet_bytes(self) -> int:
        """The shortest packets that hold any pass row, with codec tag and picture colour, in bytes."""
        return self._coder.least_room + MEANS + 1

    @property
    def rows(self) -> int:
        """Pass rows of a whole picture."""
        return self._coder.rows

    def packets_in(self, packet_bytes: int, max_bytes: int | None = None, first_less: int = 0) -> tuple[int, int]:
        """Return how many packets of ``packet_bytes`` a picture has at most, and the bytes of one after them.

        The first packet counts as if it had ``packet_bytes``.

        Args:
            packet_bytes: most bytes of a packet, with the codec tag.
            max_bytes: most bytes of the picture; None: as many as it may have.
            first_less: how many bytes fewer the first packet has.

        Raises:
            ValueError: ``packet_bytes`` is not between ``least_packet_bytes`` and 236, ``max_bytes`` is below 1, or
                the first packet would be shorter than ``least_packet_bytes``.
            TypeError: one of them is no integer.
        """
        packet_bytes, first_less = as_integer(packet_bytes, "packet_bytes"), as_integer(first_less, "first_less")
        if not 0 <= first_less <= max(0, packet_bytes - self.least_packet_bytes):
            raise ValueError(f"a first packet of {packet_bytes - first_less} bytes cannot be")
        if not self.least_packet_bytes <= packet_bytes <= MAX_CODEC_BYTES:
            raise ValueError(f"packets of {packet_bytes} bytes: {self.least_packet_bytes} to {MAX_CODEC_BYTES} can be")
        most = min(MOST_PACKETS * MAX_CODEC_BYTES // packet_bytes, MAX_RANKS)
        if max_bytes is None:
            return most, 0
        max_bytes = as_integer(max_bytes, "max_bytes")
        if max_bytes < 1:
            raise ValueError(f"a picture of at most {max_bytes} bytes: nothing to encode")
        whole, rest = divmod(max_bytes + first_less, packet_bytes)
        return (whole, rest) if whole < most else (most, 0)

    def encode(
        self,
        picture: Analysed,
        row: int,
        rank: int,
        count: int,
        rest: int,
        packet_bytes: int,
        first_less: int = 0,
    ) -> tuple[list[RankedPacket], int]:
        """Encode a stretch of a picture's packets.

        Args:
            picture: coefficients int8 [c, k, k] and picture colour.
            row: the first pass row: 0, or that after an earlier stretch.
            rank: the rank of the first packet.
            count: most packets.
            rest: bytes of the packet after them, with the codec tag; 0: none.
            packet_bytes: most bytes of a packet, with the codec tag.
            first_less: how many bytes fewer the first packet of the picture has.

        Returns:
            The packets, fewer if the picture ends; and the pass row after the last whole one.
        """
        # Bytes of the packet after them that are not the coder's.
        head = 1 + MEANS if row == count == 0 else 1
        if row == count == 0:
            rest = max(0, rest - first_less)
        coded, after = self._coder.packetize(
            picture.coefficients, packet_bytes - 1, count, row, max(0, rest - head), MEANS + first_less
        )
        if not 0 < rest <= head or after == self.rows:
            return self.ranked(coded, picture.colour, rank), after
        *whole, last = self.ranked([*coded, (after, b"")], picture.colour, rank)
        return [*whole, RankedPacket(last.rank, last.position, last.data[:rest])], after

    def packetize(
        self, picture: Analysed, most_packets: int | None = None, packet_bytes: int = MAX_CODEC_BYTES
    ) -> list[RankedPacket]:
        """Encode a picture as ranked packets, most important first, ranks from 0.

        Args:
            picture: coefficients int8 [c, k, k] and picture colour.
            most_packets: the least important passes of a picture that needs more are left out. By default as many as
                fit into the bytes of ``MOST_PACKETS`` packets of full size; never more than there are ranks.
            packet_bytes: most bytes of a packet, with the codec tag.

        Raises:
            ValueError: ``packet_bytes`` is not between ``least_packet_bytes`` and 236.
        """
        usual, _ = self.packets_in(packet_bytes)
        most = usual if most_packets is None else min(most_packets, MAX_RANKS)
        return self.encode(picture, 0, 0, most, 0, packet_bytes)[0]

    def ranked(self, coded: Sequence[tuple[int, bytes]], colour: bytes, rank: int = 0) -> list[RankedPacket]:
        """Make ranked packets of the coder's packets (first pass row and bytes) and the picture colour.

        Ranks begin with ``rank``.
        """
        tag = bytes([self._kind.tag])
        first = tag + colour
        return [RankedPacket(rank + i, row, (tag if row else first) + data) for i, (row, data) in enumerate(coded)]

    def channels_until(self, coefficients: np.ndarray, last: RankedPacket | None) -> float:
        """Return the channels that a picture's packets hold up to ``last``, which may be cut; None: none of them."""
        coder = self._coder
        row, symbols = 0, 0
        if last is not None:
            row = last.position
            symbols = coder.decode(_content(last), row, None, coder.state_at(coefficients, row)) or 0
        return _channels(coder.plane_counts, coder.missing_planes(row, symbols))

    def depacketize(self, packets: Iterable[RankedPacket]) -> PartialSymbols:
        """Decode packets of one picture, in any order, with or without duplicates.

        Packets that cannot be used are listed in ``issues``; no packet raises an error.
        """
        issues: list[str] = []
        waiting = self._by_row(joined(packets), issues)
        state, row, symbols, used, used_bytes, colour = self._coder.new_state(), 0, 0, 0, 0, NO_COLOUR
        while row in waiting:
            candidates = waiting.pop(row)
            found: _Decoded | None = None
            for packet in candidates:
                if found is not None:
                    issues.append(f"packet {packet.rank} at position {row} overlaps another")
                    continue
                if packet.rank != used:
                    issues.append(f"packet {packet.rank} at position {row} is not used: one before it is missing")
                    continue
                found = self._decoded(packet, state, waiting)
                if found is None:
                    issues.append(f"packet {packet.rank} at position {row} is damaged")
                else:
                    used_bytes += len(packet.data)
                    if row == 0:
                        given = packet.data[1 : 1 + MEANS]
                        colour = given + NO_COLOUR[len(given) :]
            if found is None:
                break
            state, used = found.state, used + 1
            if found.rows is None:
                symbols = found.symbols
                break
            row += found.rows
        rest = sorted((p for left in waiting.values() for p in left), key=lambda p: (p.position, p.rank))
        issues += [f"packet {p.rank} at position {p.position} is not used: one before it is missing" for p in rest]
        coder = self._coder
        return PartialSymbols(
            colour,
            coder.reconstruction(state),
            coder.missing_planes(row, symbols),
            coder.plane_counts,
            used,
            used_bytes,
            tuple(issues),
        )

    def _decoded(
        self, packet: RankedPacket, state: np.ndarray, waiting: Mapping[int, list[RankedPacket]]
    ) -> _Decoded | None:
        """Decode ``packet`` from ``state`` on; None if no encoder writes it in front of the packets in ``waiting``.

        The row at which the next packet begins says how many rows this packet must hold.
        """
        coder, row, content = self._coder, packet.position, _content(packet)
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
            # The packets that begin earlier belong to another picture.
            tried = state.copy()
            return None if coder.decode(content, row, rows, tried) is None else _Decoded(tried, rows)
        return None if nearest in follow else _Decoded(tried, None, symbols)

    def _by_row(self, packets: Iterable[RankedPacket], issues: list[str]) -> dict[int, list[RankedPacket]]:
        """Group this codec's packets by their first pass row, the likeliest candidate for a row first."""
        kind, found, seen = self._kind, dict[int, list[RankedPacket]](), set[tuple[int, bytes]]()
        for packet in sorted(packets, key=lambda p: (p.rank, p.position, -len(p.data))):
            key = (packet.position, packet.data)
            if key in seen:
                continue
            seen.add(key)
            tag = packet.data[0]
            if tag != kind.tag:
                issues.append(
                    f"packet {packet.rank} is of {describe_tag(tag)}; "
                    f"this decoder reads {kind.name} version {kind.version}"
                )
            elif packet.position >= self._coder.rows:
                issues.append(f"packet {packet.rank} at position {packet.position} is outside the picture")
            elif len(found.get(packet.position, ())) == MOST_COPIES:
                issues.append(f"packet {packet.rank} at position {packet.position} overlaps another")
            else:
                found.setdefault(packet.position, []).append(packet)
        return found


def as_integer(value: SupportsIndex, name: str) -> int:
    """Return an integer of any type, such as numpy's, as an int. Raises TypeError, which calls it ``name``."""
    try:
        return operator.index(value)
    except TypeError:
        raise TypeError(f"{name} is {value!r}: it must be an integer") from None


def cut(packets: Sequence[RankedPacket], size_bytes: int) -> list[RankedPacket]:
    """Return the first ``size_bytes`` of a stream: whole packets, and the last one shortened to the rest."""
    kept: list[RankedPacket] = []
    for packet in packets:
        if size_bytes <= 0:
            break
        kept.append(RankedPacket(packet.rank, packet.position, packet.data[:size_bytes]))
        size_bytes -= len(packet.data)
    return kept
