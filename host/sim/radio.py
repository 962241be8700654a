"""Model of the BLE radio: one connection between a camera board and an edge board.

A connection event starts at every anchor point, one connection interval apart. In it, edge (central) and camera
(peripheral) exchange packets in turn until neither has more, the time is over, or a packet is lost. A loss ends the
event; the packet is repeated in the next one (link-layer retransmission: packets are late, not lost). A packet
counts as sent when the next packet from the other side acknowledges it. When a board receives nothing for the
supervision timeout, the connection is down, and the boards search for each other again.

Losses are a function of seed, connection event and number in the event (``losses.draw``). So the air is the same
whatever is sent: policies of the sender can be compared picture by picture.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from ..wire import MAX_PACKET, Phy
from .air import EVENT_CLOSE_US, HEADERS, air_us, cycle_us
from .losses import draw
from .schedule import Schedule
from .trace import Trace

#: As the firmware has it: a connection is lost after so many intervals without a packet, in 2 to 4 s.
_SUPERVISION_INTERVALS = 40
_SUPERVISION_LEAST_US, _SUPERVISION_MOST_US = 2_000_000, 4_000_000
#: Time from an advertisement to the subscription: connection, feature exchange, MTU, data length, PHY.
CONNECT_US = 30_000
ADVERTISE_US = 100_000
#: Bluetooth reason code: connection timeout.
TIMEOUT_REASON = 0x08


@dataclass(frozen=True, slots=True)
class RadioParameters:
    """Parameters of a connection."""

    phy: Phy = Phy.LE_2M
    interval_us: int = 7_500

    @property
    def possible(self) -> bool:
        """False if one full exchange does not fit the connection interval."""
        full = MAX_PACKET + HEADERS
        legal = 7_500 <= self.interval_us <= 4_000_000
        return legal and cycle_us(self.phy, 0, full) <= self.interval_us - EVENT_CLOSE_US

    @property
    def supervision_timeout_us(self) -> int:
        """After this time without a packet the connection is down."""
        timeout_us = min(_SUPERVISION_MOST_US, _SUPERVISION_INTERVALS * self.interval_us)
        return max(timeout_us, _SUPERVISION_LEAST_US, 3 * self.interval_us)


class RadioBoard(Protocol):
    """What a radio calls on its board. ``BoardCore`` is one."""

    def radio_up(self, now_us: int, peer: int, *, interval_us: int, phy: Phy) -> None:
        """Take note of a connection, or of its new parameters."""

    def radio_down(self, now_us: int, peer: int, reason: int) -> None:
        """Take note that a connection has ended."""

    def radio_rx(self, now_us: int, peer: int, packet: bytes) -> None:
        """Take a received packet."""

    def radio_tx(self, now_us: int, peer: int) -> bytes:
        """Return the next packet for the radio; empty if there is none."""

    def radio_sent(self, now_us: int, peer: int) -> None:
        """Take note that the other end has the oldest packet in the radio."""


class Endpoint:
    """A board's end of a connection: the packets in its radio, and a limit of the rate."""

    def __init__(self, board: RadioBoard, peer: int) -> None:
        self.board = board
        self.peer = peer
        self.in_radio: deque[bytes] = deque()
        self.on_handed: Callable[[int, bytes], None] | None = (
            None  # called for each packet that the board gives to its radio
        )
        self.on_air: Callable[[int, bytes], None] | None = None  # called for each transmission, also repeated ones
        self.delivered = False  # the other end has the first of them, but its acknowledgement is still to come
        self._tokens = 0.0
        self._filled_us = 0

    def refill(self, now_us: int) -> None:
        """Take packets from the board until it offers no more."""
        while packet := self.board.radio_tx(now_us, self.peer):
            self.in_radio.append(packet)
            if self.on_handed is not None:
                self.on_handed(now_us, packet)

    def allowed(self, now_us: int, rate_bps: float | None, interval_us: int, packet: bytes) -> bool:
        """Return True if the limit of the rate admits a packet now."""
        if rate_bps is None:
            return True
        most = MAX_PACKET * 8 + rate_bps * interval_us / 1e6
        self._tokens = min(most, self._tokens + rate_bps * (now_us - self._filled_us) / 1e6)
        self._filled_us = now_us
        return self._tokens >= len(packet) * 8

    def transmit(self, now_us: int, packet: bytes) -> None:
        """Transmit a packet, received or not; an empty one has no payload."""
        self._tokens -= len(packet) * 8
        if packet and self.on_air is not None:
            self.on_air(now_us, packet)

    def acknowledged(self, now_us: int) -> None:
        """Remove the first packet: the other end has acknowledged it."""
        self.in_radio.popleft()
        self.delivered = False
        self.board.radio_sent(now_us, self.peer)
        self.refill(now_us)

    def arrived(self, packet: bytes) -> None:
        """Note that the other end has the first packet in the radio, unless it was discarded meanwhile."""
        self.delivered = bool(self.in_radio) and self.in_radio[0] is packet

    def clear(self) -> None:
        """Discard all packets: the connection is down, or an ideal radio recalls them."""
        self.in_radio.clear()
        self.delivered = False


@dataclass(frozen=True, slots=True)
class Exchange:
    """One exchange of packets: the time of its connection event, its number there, and which packets are lost.

    ``forth`` is from the edge to the camera.
    """

    event_us: int
    number: int
    forth_lost: bool
    back_lost: bool


class Connection:
    """The connection of one camera to the edge. All connections of an edge share its ``medium``: it has one radio."""

    def __init__(
        self,
        schedule: Schedule,
        camera: Endpoint,
        edge: Endpoint,
        medium: Medium,
        parameters: RadioParameters,
        trace: Trace,
        seed: int,
    ) -> None:
        self.camera = camera
        self.edge = edge
        self.up = False
        self.trace = trace
        self.parameters = parameters
        self._schedule = schedule
        self._medium = medium
        self.anchor_us = 0
        self.on_exchange: Callable[[Exchange], None] | None = None  # called for each exchange when it begins
        self._seed = seed
        self._event_us = 0
        self._draws = 0
        self._received_us = 0
        self._epoch = 0  # actions scheduled in an earlier epoch do nothing

    def search(self) -> None:
        """Let the boards search for each other until they connect."""
        self._epoch += 1
        epoch = self._epoch
        self._schedule.at(self._schedule.now_us + ADVERTISE_US // 10, lambda: self._advertise(epoch))

    def drop(self, reason: int) -> None:
        """End the connection, with Bluetooth's reason code."""
        self._epoch += 1
        if self.up:
            self.up = False
            self._medium.connections.remove(self)
            for endpoint in (self.camera, self.edge):
                endpoint.clear()
                endpoint.board.radio_down(self._schedule.now_us, endpoint.peer, reason)

    def change(self, parameters: RadioParameters) -> None:
        """Use other parameters from the next event on."""
        self.parameters = parameters
        if self.up:
            self._report()

    def wake(self) -> None:
        """Take packets from the boards."""
        if self.up:
            self.camera.refill(self._schedule.now_us)
            self.edge.refill(self._schedule.now_us)

    def _begin_event(self) -> None:
        """Begin another event of the radio: its losses depend on its time and are counted from 0."""
        self._event_us = self._schedule.now_us
        self._draws = 0

    def _lost(self) -> bool:
        loss = self.trace.at(self._schedule.now_us).loss
        number, self._draws = self._draws, self._draws + 1
        return loss > 0 and draw(self._seed, self._event_us, number) < loss

    def _advertise(self, epoch: int) -> None:
        if epoch != self._epoch:
            return
        now_us = self._schedule.now_us
        self._begin_event()
        if self._lost() or self._lost() or self._lost():  # advertisement, request, first packet
            self._schedule.at(now_us + ADVERTISE_US, lambda: self._advertise(epoch))
        else:
            self._schedule.at(now_us + CONNECT_US, lambda: self._connect(epoch))

    def _connect(self, epoch: int) -> None:
        if epoch != self._epoch:
            return
        self.up = True
        self._received_us = self._schedule.now_us
        self.anchor_us = self._medium.add(self)
        self._report()
        self._schedule.at(self.anchor_us, lambda: self._event(epoch))

    def _report(self) -> None:
        now_us, parameters = self._schedule.now_us, self.parameters
        for endpoint in (self.camera, self.edge):
            endpoint.board.radio_up(now_us, endpoint.peer, interval_us=parameters.interval_us, phy=parameters.phy)
            endpoint.refill(now_us)

    def _event(self, epoch: int) -> None:
        """Run a connection event."""
        if epoch != self._epoch:
            return
        now_us = self._schedule.now_us
        if now_us - self._received_us > self.parameters.supervision_timeout_us:
            self.drop(TIMEOUT_REASON)
            self.search()
            return
        self.anchor_us = now_us + self.parameters.interval_us
        self._schedule.at(self.anchor_us, lambda: self._event(epoch))
        self._begin_event()
        if now_us >= self._medium.busy_until_us:  # else another connection still uses the radio: skip this event
            self._exchange(epoch, first=True)

    def _exchange(self, epoch: int, *, first: bool) -> None:
        """Exchange one packet each way if the event has time for it."""
        now_us = self._schedule.now_us
        forth = self._offer(self.edge, 0)
        # The edge's packet acknowledges the one it received before, so the camera continues with the next.
        back = self._offer(self.camera, 1 if self.camera.delivered else 0)
        duration_us = cycle_us(
            self.parameters.phy, len(forth) + HEADERS if forth else 0, len(back) + HEADERS if back else 0
        )
        if not first and (
            not (forth or back or self.camera.delivered)
            or now_us + duration_us > self._medium.next_anchor_us() - EVENT_CLOSE_US
        ):
            return
        number = self._draws // 2
        forth_lost, back_lost = self._lost(), self._lost()
        if self.on_exchange is not None:
            self.on_exchange(Exchange(self._event_us, number, forth_lost, back_lost))
        self.edge.transmit(now_us, forth)
        if not forth_lost:
            self.camera.transmit(now_us, back)
        self._medium.busy_until_us = now_us + duration_us
        if forth and not forth_lost:
            forth_us = air_us(self.parameters.phy, len(forth) + HEADERS)
            self._schedule.at(now_us + forth_us, lambda: self._arrive(epoch, forth))
        self._schedule.at(
            now_us + duration_us, lambda: self._complete(epoch, forth, back, forth_lost=forth_lost, back_lost=back_lost)
        )

    def _offer(self, endpoint: Endpoint, index: int) -> bytes:
        """Return the packet with that index in the radio if the limit of the rate admits it; else an empty one."""
        packet = endpoint.in_radio[index] if len(endpoint.in_radio) > index else b""
        rate_bps = self.trace.at(self._schedule.now_us).rate_bps
        return packet if endpoint.allowed(self._schedule.now_us, rate_bps, self.parameters.interval_us, packet) else b""

    def _arrive(self, epoch: int, forth: bytes) -> None:
        """Deliver the edge's packet of an exchange, which comes first."""
        if epoch == self._epoch and not self.edge.delivered:
            self.edge.arrived(forth)
            self.camera.board.radio_rx(self._schedule.now_us, self.camera.peer, forth)

    def _complete(self, epoch: int, forth: bytes, back: bytes, *, forth_lost: bool, back_lost: bool) -> None:
        """Finish an exchange: deliver and acknowledge packets."""
        if epoch != self._epoch or forth_lost:
            return
        now_us = self._schedule.now_us
        if self.camera.delivered:
            self.camera.acknowledged(now_us)
        if back_lost:
            return
        self._received_us = now_us
        if self.edge.delivered:
            self.edge.acknowledged(now_us)
        if back:
            self.camera.arrived(back)
            self.edge.board.radio_rx(now_us, self.edge.peer, back)
        if back or forth:
            self._exchange(epoch, first=False)


class Medium:
    """The edge board's radio: one exchange at a time; the anchors of its connections are spread over the interval."""

    def __init__(self, schedule: Schedule) -> None:
        self.connections: list[Connection] = []
        self.busy_until_us = 0
        self._schedule = schedule

    def add(self, connection: Connection) -> int:
        """Add a connection; return its first anchor, in the middle of the widest gap between the others, us."""
        now_us, interval_us = self._schedule.now_us, connection.parameters.interval_us
        offsets = sorted((other.anchor_us - now_us) % interval_us for other in self.connections)
        self.connections.append(connection)
        if not offsets:
            return now_us + interval_us
        gaps = [
            ((after - before) % interval_us or interval_us, before)
            for before, after in zip(offsets, [*offsets[1:], offsets[0]], strict=True)
        ]
        gap_us, before_us = max(gaps)
        return now_us + (before_us + gap_us // 2) % interval_us

    def next_anchor_us(self) -> int:
        """Return the start of the next connection event of any connection."""
        return min(connection.anchor_us for connection in self.connections)
