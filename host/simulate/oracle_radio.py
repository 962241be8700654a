"""The radio of the oracle: the modelled one, between ideal boards that recall packets and queue nothing."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from ..ranked import RankedPacket
from ..sim.radio import Connection, Endpoint, Exchange, Medium
from ..sim.schedule import Schedule
from ..sim.world import LOCAL_REASON
from ..wire import FRAME_OVERHEAD, MAX_CODEC_BYTES, MAX_PACKET, Phy
from .scenario import Scenario
from .timetable import Slot, schedule_range, times_us

#: Bytes that a serial frame adds to a packet: number, checksum, COBS code and the closing zero.
FRAME_BYTES = FRAME_OVERHEAD + 2
_HEADER_BYTES = MAX_PACKET - MAX_CODEC_BYTES
_IN_RADIO = 4
_INDEX_BYTES, _RANK_BYTES = 4, 2
_SATURATED = 0xFFFF_FFFF


def packet_bytes(packet: RankedPacket) -> int:
    """Return the size of a picture packet on the air."""
    return len(packet.data) + _HEADER_BYTES


def ready_us(begin_us: int, packets: Sequence[RankedPacket], us_per_byte: float) -> list[int]:
    """Return when each packet of a picture is in the camera board, if the serial line carries nothing else."""
    at_us, found = float(begin_us), []
    for packet in packets:
        at_us += (packet_bytes(packet) + FRAME_BYTES) * us_per_byte
        found.append(round(at_us))
    return found


@dataclass(frozen=True, slots=True)
class Arrival:
    """A packet of a picture at the edge board."""

    at_us: int
    camera: int
    index: int
    rank: int


class _IdealBoard:
    """A board without a queue; this one has no packets either."""

    def radio_up(self, now_us: int, peer: int, *, interval_us: int, phy: Phy) -> None:
        """Do nothing."""

    def radio_down(self, now_us: int, peer: int, reason: int) -> None:
        """Do nothing."""

    def radio_rx(self, now_us: int, peer: int, packet: bytes) -> None:
        """Do nothing."""

    def radio_tx(self, now_us: int, peer: int) -> bytes:  # noqa: ARG002
        """Return the next packet for the radio."""
        return b""

    def radio_sent(self, now_us: int, peer: int) -> None:
        """Do nothing."""


class _IdealCamera(_IdealBoard):
    """Gives its radio the packets of one picture in order, as the serial line brings them, and recalls them."""

    def __init__(self) -> None:
        self.endpoint = Endpoint(self, 0)
        self.saturated = False
        self._queue: deque[tuple[int, bytes]] = deque()  # when it is in the board, and the packet
        self._in_radio: deque[tuple[int, bytes]] = deque()

    def offer(self, packets: Sequence[tuple[int, bytes]]) -> None:
        """Take the packets of a picture; nothing of an earlier one is left."""
        self.recall()
        self._queue.extend(packets)

    def recall(self) -> None:
        """Discard what has not been sent."""
        self._queue.clear()
        self._in_radio.clear()
        self.endpoint.clear()

    def radio_tx(self, now_us: int, peer: int) -> bytes:  # noqa: ARG002
        """Return the next packet for the radio; empty if there is none."""
        if len(self._in_radio) >= _IN_RADIO:
            return b""
        if self.saturated:
            self._in_radio.append((now_us, _pack(_SATURATED, 0, MAX_PACKET)))
        elif self._queue and self._queue[0][0] <= now_us:
            self._in_radio.append(self._queue.popleft())
        else:
            return b""
        return self._in_radio[-1][1]

    def radio_sent(self, now_us: int, peer: int) -> None:  # noqa: ARG002
        """Forget the oldest packet in the radio."""
        self._in_radio.popleft()

    def radio_down(self, now_us: int, peer: int, reason: int) -> None:  # noqa: ARG002
        """Take back what was in the radio."""
        if not self.saturated:
            self._queue.extendleft(reversed(self._in_radio))
        self._in_radio.clear()


class _IdealEdge(_IdealBoard):
    """Notes the packets that arrive, each once."""

    def __init__(self, camera: int, arrivals: list[Arrival]) -> None:
        self._camera = camera
        self._arrivals = arrivals
        self._known: set[tuple[int, int]] = set()

    def radio_rx(self, now_us: int, peer: int, packet: bytes) -> None:  # noqa: ARG002
        """Note a packet."""
        index = int.from_bytes(packet[:_INDEX_BYTES], "big")
        rank = int.from_bytes(packet[_INDEX_BYTES : _INDEX_BYTES + _RANK_BYTES], "big")
        if index == _SATURATED or (index, rank) not in self._known:
            self._known.add((index, rank))
            self._arrivals.append(Arrival(now_us, self._camera, index, rank))


class IdealAir:
    """The connections of a scenario's cameras between ideal boards.

    ``open_events_us``: by camera, the connection events whose first packet reaches the camera. ``arrivals``: what
    reached the edge board, in the order of time.
    """

    def __init__(self, scenario: Scenario, begin_us: int, end_us: int) -> None:
        """Set up the connections. ``begin_us``: of the first picture, which the scenario's disconnects refer to."""
        settings = scenario.settings
        self.arrivals: list[Arrival] = []
        self.open_events_us: list[list[int]] = [[] for _ in range(settings.cameras)]
        self._schedule = Schedule()
        self._end_us = end_us
        self._cameras = [_IdealCamera() for _ in range(settings.cameras)]
        medium = Medium(self._schedule)
        self._connections = [
            Connection(
                self._schedule,
                camera.endpoint,
                Endpoint(_IdealEdge(index, self.arrivals), index),
                medium,
                settings.parameters,
                settings.trace,
                settings.seed + index,
            )
            for index, camera in enumerate(self._cameras)
        ]
        for connection, events_us in zip(self._connections, self.open_events_us, strict=True):
            connection.on_exchange = partial(_note, events_us)
            connection.search()
        schedule_range(self._schedule, scenario.disconnects, self._connections, begin_us, end_us)
        for each in scenario.disconnects:
            if each.by != "range":
                affected = self._connections if each.by == "edge" else self._connections[:1]
                for at_us in times_us(each, begin_us, end_us):
                    self._schedule.at(at_us, partial(_reset, affected))

    def offer(self, slot: Slot, packets: Sequence[RankedPacket], us_per_byte: float, until_us: int) -> None:
        """Send a picture from its time on, and recall what is left of it at ``until_us``."""
        camera, connection = self._cameras[slot.camera], self._connections[slot.camera]
        times = ready_us(slot.begin_us, packets, us_per_byte)
        timed = [
            (at_us, _pack(slot.index, packet.rank, packet_bytes(packet)))
            for at_us, packet in zip(times, packets, strict=True)
        ]
        self._schedule.at(slot.begin_us, lambda: camera.offer(timed))
        for at_us in times:
            if at_us < until_us:
                self._schedule.at(at_us, connection.wake)
        self._schedule.at(until_us, camera.recall)

    def saturate(self) -> None:
        """Let every camera send full packets all the time."""
        for camera in self._cameras:
            camera.saturated = True

    def run(self) -> None:
        """Run to the end."""
        self._schedule.run_until(self._end_us)


def _pack(index: int, rank: int, size: int) -> bytes:
    return (index.to_bytes(_INDEX_BYTES, "big") + rank.to_bytes(_RANK_BYTES, "big")).ljust(size, b"\0")


def _note(events_us: list[int], exchange: Exchange) -> None:
    if exchange.number == 0 and not exchange.forth_lost:
        events_us.append(exchange.event_us)


def _reset(connections: Sequence[Connection]) -> None:
    for connection in connections:
        connection.drop(LOCAL_REASON)
    for connection in connections:
        connection.search()
