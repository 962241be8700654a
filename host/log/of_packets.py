"""Entries of the packets between a program and its board."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..link.answers import unpack_classes, unpack_ranks
from ..link.frames import FrameReader
from ..wire import (
    Control,
    Credit,
    Flush,
    Link,
    LinkState,
    MalformedError,
    Phy,
    Picture,
    Result,
    ResultStatus,
    Statistics,
    Unknown,
    parse,
)
from .entry import Entry

#: RSSI that the radio does not know, dBm.
UNKNOWN_RSSI = 127
_COUNTS = ("accepted", "sent", "expired", "evicted", "flushed", "acked", "lost", "damaged", "waiting", "goodput_bps")


class PacketLog:
    """Reads both directions of one serial line and returns an entry for each packet that concerns pictures."""

    def __init__(self, vantage: str, source: int | None = None, *, opened: bool = False) -> None:
        """Prepare the log of a program.

        ``source``: the camera's number, where a camera knows it. ``opened``: pictures and results are sealed on the
        line and are left out there; ``opened`` takes what they hold.
        """
        self._is_sealed = opened
        self._vantage = vantage
        self._source = source
        self._readers = {True: FrameReader(), False: FrameReader()}
        self._credits: dict[int, Credit] = {}

    def read(self, time_us: int, data: bytes, *, to_board: bool) -> Iterator[Entry]:
        """Yield the entries of the packets that these bytes complete."""
        for frame in self._readers[to_board].feed(data):
            try:
                packet = parse(frame.packet)
            except MalformedError:
                continue
            if not isinstance(packet, Unknown) and not (self._is_sealed and isinstance(packet, Picture | Result)):
                yield from self._of(time_us, packet, to_board=to_board)

    def opened(self, time_us: int, packet: Picture | Result) -> Iterator[Entry]:
        """Yield the entry of what a sealed packet holds: a picture's to the program, a result of it."""
        return self._of(time_us, packet, to_board=isinstance(packet, Result))

    def _of(self, time_us: int, packet: Picture | Control, *, to_board: bool) -> Iterator[Entry]:
        match packet:
            case Picture():
                source = packet.source if not to_board or self._source is None else self._source
                fields = {"source": source} if not to_board or self._source is not None else {}
                event = "sent" if to_board else "arrived"
                yield Entry(time_us, self._vantage, event, fields | of_picture(packet), payload=packet.data)
            case Result() if to_board:
                yield Entry(time_us, self._vantage, "result", of_result(packet))
            case Flush() if to_board:
                yield Entry(time_us, self._vantage, "flush", {"source": packet.peer, "image": packet.image})
            case Credit() if not to_board and self._has_news(packet):
                yield Entry(time_us, self._vantage, "credit", of_credit(packet))
            case Statistics() if not to_board:
                yield Entry(time_us, self._vantage, "statistics", of_statistics(packet))
            case Link() if not to_board:
                yield Entry(time_us, self._vantage, "link", of_link(packet))

    def _has_news(self, credit: Credit) -> bool:
        before = self._credits.get(credit.peer)
        self._credits[credit.peer] = credit
        return before is None or of_credit(before) != of_credit(credit)


def of_picture(packet: Picture) -> dict[str, Any]:
    """Return the fields of a picture packet."""
    return {
        "image": packet.image,
        "program": packet.program,
        "rank": packet.rank,
        "position": packet.position,
        "bytes": len(packet.data),
        "remaining_ms": packet.remaining_ms,
        "last": bool(packet.last),
    }


def of_result(packet: Result) -> dict[str, Any]:
    """Return the fields of an answer that the edge server gives to its board."""
    status = name_of(ResultStatus, packet.status)
    top: list[tuple[int, str, float]] = []
    if packet.status == ResultStatus.OK:
        try:
            top = [(index, label, round(probability, 4)) for index, label, probability in unpack_classes(packet.text)]
        except MalformedError:
            status = "malformed"
    return {
        "source": packet.peer,
        "image": packet.image,
        "program": packet.program,
        "status": status,
        "final": not packet.more,
        "packets": len(unpack_ranks(packet.ranks)),
        "margin_ms": packet.margin_ms,
        "service_us": packet.service_us,
        "top": top,
    }


def of_credit(packet: Credit) -> dict[str, Any]:
    """Return the fields of a board's report about its queue."""
    return {
        "source": packet.peer,
        "waiting": packet.waiting,
        "free": packet.free,
        "in_radio": packet.in_radio,
        "acked_packets": packet.acked_packets,
        "acked_bytes": packet.acked_bytes,
    }


def of_statistics(packet: Statistics) -> dict[str, Any]:
    """Return the fields of a board's statistics."""
    counts = {name: getattr(packet, name) for name in _COUNTS}
    rssi = None if packet.rssi_dbm == UNKNOWN_RSSI or packet.link != LinkState.UP else packet.rssi_dbm
    return {"source": packet.peer, **counts, "rssi_dbm": rssi, "link": name_of(LinkState, packet.link)}


def of_link(packet: Link) -> dict[str, Any]:
    """Return the fields of a connection that came up, changed or went down."""
    return {
        "source": packet.peer,
        "state": name_of(LinkState, packet.state),
        "phy": name_of(Phy, packet.phy),
        "mtu": packet.mtu,
        "interval_us": packet.interval_us,
        "reason": packet.reason,
    }


def name_of(kind: type[LinkState] | type[Phy] | type[ResultStatus], number: int) -> str:
    """Return the name of a number of the wire, or the number as text."""
    return kind(number).name.lower() if number in list(kind) else str(number)
