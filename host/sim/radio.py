"""The modelled BLE radio: one connection between a camera board and an edge board.

A connection event starts at every anchor, one connection interval apart. In it the edge (central) and the camera
(peripheral) exchange packets in turn until neither has more, the time is over, or a packet is lost: then the event
ends, and the packet goes again in the next one (link-layer retransmission: packets are late, not lost). A packet
counts as sent when the other side's next packet has acknowledged it. Without a word from the other side for the
supervision timeout the connection is down; the boards then look for each other again.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from ..board.core import BoardCore
from ..wire import MAX_PACKET, Phy
from .air import EVENT_CLOSE_US, HEADERS, cycle_us
from .schedule import Schedule
from .trace import Trace

SUPERVISION_TIMEOUT_US = 4_000_000
#: From hearing an advertisement to the subscription: connection, feature exchange, MTU, data length, PHY.
CONNECT_US = 30_000
ADVERTISE_US = 100_000
#: Bluetooth reason code: connection timeout.
TIMEOUT_REASON = 0x08


@dataclass(frozen=True, slots=True)
class RadioParameters:
    """What a connection runs with."""

    phy: Phy = Phy.LE_2M
    interval_us: int = 7_500

    @property
    def possible(self) -> bool:
        """False if one full exchange does not fit the connection interval."""
        full = MAX_PACKET + HEADERS
        legal = 7_500 <= self.interval_us <= 4_000_000
        return legal and cycle_us(self.phy, 0, full) <= self.interval_us - EVENT_CLOSE_US


class End:
    """A board's side of a connection: the packets inside its radio, and a cap on the rate."""

    def __init__(self, board: BoardCore, peer: int) -> None:
        self.board = board
        self.peer = peer
        self.inside: deque[bytes] = deque()
        self.on_handed: Callable[[int, bytes], None] | None = None  # observes what the board gives to its radio
        self.on_air: Callable[[int, bytes], None] | None = None  # observes what goes on the air, every time it does
        self.heard = False  # the other side has the first of them, but this side does not know yet
        self._tokens = 0.0
        self._filled_us = 0

    def refill(self, now_us: int) -> None:
        """Take what the board hands out."""
        while packet := self.board.radio_tx(now_us, self.peer):
            self.inside.append(packet)
            if self.on_handed is not None:
                self.on_handed(now_us, packet)

    def allowed(self, now_us: int, rate_bps: float | None, interval_us: int, packet: bytes) -> bool:
        """True if the cap on the rate lets a packet pass now."""
        if rate_bps is None:
            return True
        most = MAX_PACKET * 8 + rate_bps * interval_us / 1e6
        self._tokens = min(most, self._tokens + rate_bps * (now_us - self._filled_us) / 1e6)
        self._filled_us = now_us
        return self._tokens >= len(packet) * 8

    def air(self, now_us: int, packet: bytes) -> None:
        """A packet (empty: none of ours) goes over the air, heard or not."""
        self._tokens -= len(packet) * 8
        if packet and self.on_air is not None:
            self.on_air(now_us, packet)

    def acknowledged(self, now_us: int) -> None:
        """The other side acknowledged the first packet."""
        self.inside.popleft()
        self.heard = False
        self.board.radio_sent(now_us, self.peer)
        self.refill(now_us)

    def clear(self) -> None:
        """The connection is down."""
        self.inside.clear()
        self.heard = False


class Connection:
    """One camera and the edge. ``medium`` is shared by all connections of one edge: its radio does one at a time."""

    def __init__(
        self,
        schedule: Schedule,
        camera: End,
        edge: End,
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
        self._random = random.Random(seed)
        self.anchor_us = 0
        self._heard_us = 0
        self._life = 0  # actions scheduled in an earlier life of the connection do nothing

    def search(self) -> None:
        """The boards look for each other, until they connect."""
        self._life += 1
        life = self._life
        self._schedule.at(self._schedule.now_us + ADVERTISE_US // 10, lambda: self._advertise(life))

    def drop(self, reason: int) -> None:
        """The connection ends."""
        self._life += 1
        if self.up:
            self.up = False
            self._medium.connections.remove(self)
            for end in (self.camera, self.edge):
                end.clear()
                end.board.radio_down(self._schedule.now_us, end.peer, reason)

    def change(self, parameters: RadioParameters) -> None:
        """Other parameters, from the next event on."""
        self.parameters = parameters
        if self.up:
            self._report()

    def wake(self) -> None:
        """One of the boards may have packets for the radio."""
        if self.up:
            self.camera.refill(self._schedule.now_us)
            self.edge.refill(self._schedule.now_us)

    def _lost(self) -> bool:
        loss = self.trace.at(self._schedule.now_us).loss
        return loss > 0 and self._random.random() < loss

    def _advertise(self, life: int) -> None:
        if life != self._life:
            return
        now_us = self._schedule.now_us
        if self._lost() or self._lost() or self._lost():  # advertisement, request, first packet
            self._schedule.at(now_us + ADVERTISE_US, lambda: self._advertise(life))
        else:
            self._schedule.at(now_us + CONNECT_US, lambda: self._connect(life))

    def _connect(self, life: int) -> None:
        if life != self._life:
            return
        self.up = True
        self._heard_us = self._schedule.now_us
        self.anchor_us = self._medium.place(self)
        self._report()
        self._schedule.at(self.anchor_us, lambda: self._event(life))

    def _report(self) -> None:
        now_us, parameters = self._schedule.now_us, self.parameters
        for end in (self.camera, self.edge):
            end.board.radio_up(now_us, end.peer, interval_us=parameters.interval_us, phy=parameters.phy)
            end.refill(now_us)

    def _event(self, life: int) -> None:
        """A connection event begins."""
        if life != self._life:
            return
        now_us = self._schedule.now_us
        if now_us - self._heard_us > SUPERVISION_TIMEOUT_US:
            self.drop(TIMEOUT_REASON)
            self.search()
            return
        self.anchor_us = now_us + self.parameters.interval_us
        self._schedule.at(self.anchor_us, lambda: self._event(life))
        if now_us >= self._medium.busy_until_us:  # else another connection still has the radio: skip this event
            self._exchange(life, first=True)

    def _exchange(self, life: int, *, first: bool) -> None:
        """One packet each way, if it ends before the event must."""
        now_us = self._schedule.now_us
        there = self._offer(self.edge, 0)
        # The edge's packet acknowledges what it heard before, so the camera goes on with the next one.
        back = self._offer(self.camera, 1 if self.camera.heard else 0)
        duration_us = cycle_us(
            self.parameters.phy, len(there) + HEADERS if there else 0, len(back) + HEADERS if back else 0
        )
        if not first and (
            not (there or back or self.camera.heard)
            or now_us + duration_us > self._medium.next_anchor_us() - EVENT_CLOSE_US
        ):
            return
        there_lost, back_lost = self._lost(), self._lost()
        self.edge.air(now_us, there)
        if not there_lost:
            self.camera.air(now_us, back)
        self._medium.busy_until_us = now_us + duration_us
        self._schedule.at(
            now_us + duration_us, lambda: self._complete(life, there, back, there_lost=there_lost, back_lost=back_lost)
        )

    def _offer(self, end: End, index: int) -> bytes:
        """The packet with that index inside the radio, if there is one and the cap on the rate lets it pass."""
        packet = end.inside[index] if len(end.inside) > index else b""
        rate_bps = self.trace.at(self._schedule.now_us).rate_bps
        return packet if end.allowed(self._schedule.now_us, rate_bps, self.parameters.interval_us, packet) else b""

    def _complete(self, life: int, there: bytes, back: bytes, *, there_lost: bool, back_lost: bool) -> None:
        """The exchange is over: what was heard, what is acknowledged by it."""
        if life != self._life or there_lost:
            return
        now_us = self._schedule.now_us
        if there and not self.edge.heard:
            self.edge.heard = True
            self.camera.board.radio_rx(now_us, self.camera.peer, there)
        if self.camera.heard:
            self.camera.acknowledged(now_us)
        if back_lost:
            return
        self._heard_us = now_us
        if self.edge.heard:
            self.edge.acknowledged(now_us)
        if back:
            self.camera.heard = True
            self.edge.board.radio_rx(now_us, self.edge.peer, back)
        if back or there:
            self._exchange(life, first=False)


class Medium:
    """The edge board's radio: its connections, their anchors spread over the interval, one exchange at a time."""

    def __init__(self, schedule: Schedule) -> None:
        self.connections: list[Connection] = []
        self.busy_until_us = 0
        self._schedule = schedule

    def place(self, connection: Connection) -> int:
        """The first anchor of a new connection, in the middle of the widest gap between the others, us."""
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
        """When the next connection event of any connection begins."""
        return min(connection.anchor_us for connection in self.connections)
