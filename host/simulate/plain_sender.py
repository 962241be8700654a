"""What the simple policies share: a session with the board, the answers, and the time that an answer needs.

None of it is taken from the product's sender, so that a policy stays the same when that changes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from ..link.answers import unpack_ranks
from ..link.channel import MAX_FRAMES_IN_FLIGHT
from ..link.events import Answer, Event, LinkChanged, Opened, Ready, Unanswered
from ..link.image_number import CLOCK_MODULO_US, MODULO, number_of
from ..link.rate import DelayEstimator
from ..link.session import Session, State
from ..ranked import RankedPacket
from ..wire import (
    MAX_CODEC_BYTES,
    Configure,
    Credit,
    Hop,
    LinkState,
    Picture,
    Ping,
    Pong,
    Result,
    ResultStatus,
    Role,
)

_GRACE_US = 500_000
_PING_EVERY_US = 1_000_000
_FIRST_PING_EVERY_US = 100_000
_SLACK_US = 10_000


@dataclass(slots=True)
class Pending:
    """A picture without an answer; ``next`` is the rank that is sent next. Times on the sender's clock, us.

    ``over``: the time to send has passed.
    """

    number: int
    packets: Sequence[RankedPacket]
    send_by_us: int
    answer_by_us: int
    next: int = 0
    over: bool = False
    best: Answer | None = None

    @property
    def ends_us(self) -> int:
        """When the picture is given up: at its deadline if there is an answer, else some time later."""
        return self.answer_by_us + (0 if self.best else _GRACE_US)


class PlainSender(ABC):
    """A sender that gives packets to its board in their order and recalls none."""

    def __init__(self, nonce: int) -> None:
        """``nonce``: the number of the session."""
        self.session = Session(Configure(role=Role.CAMERA, tx_power_dbm=127), nonce=nonce, name="send")
        self.service = DelayEstimator()
        self.round_trip = DelayEstimator()
        self.ready = False
        self.link = LinkState.DOWN
        self._interval_us = 0
        self._credit: Credit | None = None
        self._pending: dict[int, Pending] = {}
        self._nonce = nonce
        self._difference_us = 0  # arrival of the first pong, on this clock, less its departure on the server's
        self._pinged_us: int | None = None

    @abstractmethod
    def send_by_us(self, now_us: int, deadline_us: int) -> int:
        """Return until when a picture submitted now is sent."""

    @abstractmethod
    def fill(self, now_us: int) -> None:
        """Give the board what it should have now."""

    def part_bytes(self) -> tuple[int, int]:
        """Return how many codec bytes the first part of a picture should have, and the longest: packets stay whole."""
        return MAX_CODEC_BYTES, MAX_CODEC_BYTES

    def start(self, now_us: int) -> None:
        """Send hello to the board, on a newly opened transport."""
        self._forget_board()
        self.session.start(now_us)

    def submit(self, now_us: int, packets: Sequence[RankedPacket], deadline_us: int) -> int:
        """Send a picture whose answer is due at ``deadline_us``; return its number."""
        number = number_of(deadline_us - self._difference_us)
        while number in self._pending:
            number = (number - 1) % MODULO
        self._pending[number] = Pending(number, packets, self.send_by_us(now_us, deadline_us), deadline_us)
        return number

    def receive(self, now_us: int, data: bytes) -> list[Event]:
        """Take bytes from the transport; return the events."""
        events, packets = self.session.receive(now_us, data)
        for event in events:
            match event:
                case Opened():
                    self._forget_board()
                case LinkChanged():
                    self._interval_us = event.interval_us
        for packet in packets:
            match packet:
                case Credit():
                    self._credit = packet
                    self.link = LinkState(packet.link) if packet.link in list(LinkState) else LinkState.DOWN
                    self.session.confirm(now_us, packet)
                case Pong(hop=Hop.PEER_HOST):
                    events += self._on_pong(now_us, packet)
                case Result():
                    events += self._on_result(now_us, packet)
        self.fill(now_us)
        return events

    def tick(self, now_us: int) -> list[Event]:
        """Advance the time; return the events."""
        events = self.session.tick(now_us)
        for image in list(self._pending.values()):
            if now_us >= image.ends_us:
                del self._pending[image.number]
                events.append(image.best or Unanswered(image.number, image.next, 0))
        ping_us = self._ping_at()
        if ping_us is not None and now_us >= ping_us:
            self._pinged_us = now_us
            ping = Ping(hop=Hop.PEER_HOST, token=self._nonce, origin_us=now_us % (1 << 32))
            self.session.channel.write(now_us, ping)
        self.fill(now_us)
        return events

    def output(self) -> bytes:
        """Return the bytes for the transport; each is returned once."""
        return self.session.channel.output()

    def wake_at(self) -> int | None:
        """Return when ``tick`` is due if no bytes arrive before; None: never."""
        times = [self.session.wake_at(), self._ping_at()]
        times += [image.ends_us for image in self._pending.values()]
        return min((time for time in times if time is not None), default=None)

    def has_room(self) -> bool:
        """Return whether the board can take a picture packet."""
        credit, channel = self._credit, self.session.channel
        if self.session.state is not State.OPEN or credit is None or self.link is not LinkState.UP:
            return False
        return channel.frames_in_flight < MAX_FRAMES_IN_FLIGHT and channel.pictures_in_flight() < credit.free

    def below(self) -> int:
        """Return the number of picture packets given to the board and not known to have left it."""
        held = self._credit.waiting + self._credit.in_radio if self._credit else 0
        return held + self.session.channel.pictures_in_flight()

    def answer_time_us(self) -> float:
        """Return the time from the end of the transmission to the answer."""
        bounds_us = self.service.upper_bound_us + self.round_trip.upper_bound_us / 2
        return bounds_us + self._interval_us / 2 + _SLACK_US

    def give(self, now_us: int, packet: Picture) -> None:
        """Give a packet to the board."""
        self.session.channel.write(now_us, packet)

    def _on_pong(self, now_us: int, pong: Pong) -> list[Event]:
        round_trip_us = (now_us - pong.origin_us) % (1 << 32) - pong.held_us
        self.round_trip.add(round_trip_us)
        self.service.add(pong.service_us)
        if self.ready:
            return []
        self.ready = True
        self._difference_us = (now_us - pong.clock_us) % CLOCK_MODULO_US
        return [Ready(round_trip_us, pong.service_us)]

    def _on_result(self, now_us: int, result: Result) -> list[Event]:
        image = self._pending.get(result.image)
        if image is None or (image.best is not None and now_us > image.answer_by_us):
            return []
        self.service.add(result.service_us)
        image.best = Answer(
            image=image.number,
            status=ResultStatus.OK,
            text="",
            classes=(),
            ranks=unpack_ranks(result.ranks),
            send_by_us=image.send_by_us,
            margin_us=result.margin_ms * 1000,
            service_us=result.service_us,
            answered_us=now_us,
            late=now_us > image.answer_by_us,
            final=True,
            sent=image.next,
            resent=0,
        )
        if result.more and now_us <= image.answer_by_us:
            return []
        del self._pending[image.number]
        return [image.best]

    def _ping_at(self) -> int | None:
        """Return when the next ping is due; None while the board has packets: it would queue behind them."""
        if self.session.state is not State.OPEN or self.link is not LinkState.UP or self.below():
            return None
        if self._pinged_us is None:
            return 0
        return self._pinged_us + (_PING_EVERY_US if self.ready else _FIRST_PING_EVERY_US)

    def _forget_board(self) -> None:
        self._credit = None
        self.link = LinkState.DOWN
        self._pinged_us = None
