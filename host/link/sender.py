"""The sender: gives the board only what it can send soon, and starts no packet that would arrive too late.

A protocol machine without I/O: bytes and time go in, bytes and events come out. ``host.transport.driver`` runs it on a
transport, ``host.sim`` runs it in virtual time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import PncError, Reason
from ..ranked import RankedPacket
from ..wire import (
    MAX_CODEC_BYTES,
    MAX_DEADLINE_MS,
    MAX_RANKS,
    Configure,
    Control,
    Credit,
    Flush,
    Hop,
    LinkState,
    MalformedError,
    Picture,
    Ping,
    Pong,
    Result,
    ResultStatus,
    Role,
)
from .answers import unpack_classes
from .channel import MAX_FRAMES_IN_FLIGHT, Sent
from .events import Answer, Event, LinkChanged, Opened, Ready, Unanswered
from .outgoing import OutgoingImage
from .rate import DelayEstimator, RateEstimate
from .session import Session, State

#: Most images that wait for their answer at a time: half of the image numbers.
MAX_PENDING = 128
PING_EVERY_US = 1_000_000
FIRST_PING_EVERY_US = 100_000


@dataclass(frozen=True, slots=True)
class Policy:
    """Margins of the sender. All times in us."""

    slack_us: int = 10_000  # for the timers of two computers and the jitter of the link
    grace_us: int = 500_000  # an answer up to this long after the deadline is reported as late
    refill_us: int = 12_000  # between a credit and our next packet, besides the measured round trip
    unknown_interval_us: int = 50_000  # connection interval until the board reports it


class DeadlineInfeasibleError(PncError, ValueError):
    """A deadline that this link cannot meet."""

    reason = Reason.DEADLINE_INFEASIBLE


class Sender:
    """The camera computer's end of the link. Times are microseconds of the caller's clock."""

    def __init__(self, *, nonce: int, configure: Configure | None = None, policy: Policy | None = None) -> None:
        self.session = Session(configure or Configure(role=Role.CAMERA, tx_power_dbm=127), nonce=nonce, name="send")
        self.rate = RateEstimate()
        self.round_trip = DelayEstimator()
        self.service = DelayEstimator()
        self.return_trip = DelayEstimator()
        self.policy = policy or Policy()
        self.link = LinkState.DOWN
        self.ready = False
        self._interval_us = self.policy.unknown_interval_us
        self._credit: Credit | None = None
        self._images: dict[int, OutgoingImage] = {}
        self._nonce = nonce
        self._number = nonce % 65536
        self._pinged_us: int | None = None

    @property
    def pending(self) -> int:
        """Number of images without an answer."""
        return len(self._images)

    def start(self, now_us: int) -> None:
        """Send hello to the board, on a newly opened transport."""
        self._forget_board()
        self.session.start(now_us)

    def submit(self, now_us: int, packets: Sequence[RankedPacket], deadline_us: int) -> int:
        """Send a picture whose answer is due at ``deadline_us``; return its number.

        Raises:
            DeadlineInfeasibleError: the deadline is below the link's latency plus the server's time.
            ValueError: the deadline is more than 65.5 s away, the ranks are not 0, 1, 2, ..., or too many images wait
                for their answer.
        """
        if [packet.rank for packet in packets] != list(range(len(packets))) or not packets:
            raise ValueError("a picture's packets must have the ranks 0, 1, 2, ... in this order")
        if deadline_us - now_us > MAX_DEADLINE_MS * 1000:
            raise ValueError(f"a deadline is at most {MAX_DEADLINE_MS} ms away")
        if len(self._images) >= MAX_PENDING:
            raise ValueError(f"{MAX_PENDING} images already wait for their answer")
        send_by_us = int(deadline_us - self._answer_time_us())
        if send_by_us - now_us < self._latency_us():
            least_ms = (self._latency_us() + self._answer_time_us()) / 1000
            service_ms = self.service.upper_bound_us / 1000
            raise DeadlineInfeasibleError(
                f"this link needs at least {least_ms:.0f} ms, {service_ms:.0f} of them to decode and classify"
            )
        while self._number in self._images:
            self._number = (self._number + 1) % 65536
        number, self._number = self._number, (self._number + 1) % 65536
        self._images[number] = OutgoingImage(number, packets, send_by_us, deadline_us)
        return number

    def receive(self, now_us: int, data: bytes) -> list[Event]:
        """Take bytes from the transport; return the events."""
        events, packets = self.session.receive(now_us, data)
        for event in events:
            match event:
                case Opened():
                    self._forget_board()
                    for image in self._images.values():
                        image.requeue_all()
                case LinkChanged():
                    self._interval_us = event.interval_us or self.policy.unknown_interval_us
        for packet in packets:
            events += self._on_packet(now_us, packet)
        self._fill(now_us)
        return events

    def tick(self, now_us: int) -> list[Event]:
        """Advance the time: handle deadlines, ping, and send what may be sent now; return the events."""
        events = self.session.tick(now_us)
        for image in list(self._images.values()):
            if now_us >= image.send_by_us and not image.flushed:
                image.flushed = True
                if self._outstanding():
                    self.session.channel.write(now_us, Flush(image=image.number))
            if now_us >= image.answer_by_us + self.policy.grace_us:
                del self._images[image.number]
                events.append(Unanswered(image.number, len(image.sent), image.resent))
        ping_us = self._ping_at()
        if ping_us is not None and now_us >= ping_us:
            self._ping(now_us)
        self._fill(now_us)
        return events

    def output(self) -> bytes:
        """Return the bytes for the transport; each is returned once."""
        return self.session.channel.output()

    def wake_at(self) -> int | None:
        """Return when ``tick`` is due if no bytes arrive before; None: never."""
        times = [self.session.wake_at(), self._ping_at()]
        for image in self._images.values():
            times.append(image.answer_by_us + self.policy.grace_us if image.flushed else image.send_by_us)
        return min((time for time in times if time is not None), default=None)

    # Packets from the board

    def _on_packet(self, now_us: int, packet: Picture | Control) -> list[Event]:
        match packet:
            case Credit():
                return self._on_credit(now_us, packet)
            case Pong(hop=Hop.PEER_HOST):
                round_trip_us = (now_us - packet.origin_us) % (1 << 32) - packet.held_us
                self.round_trip.add(round_trip_us)
                self.return_trip.add(round_trip_us / 2)
                self.service.add(packet.service_us)
                if not self.ready:
                    self.ready = True
                    return [Ready(int(self.round_trip.mean_us or 0), packet.service_us)]
            case Result():
                return self._on_result(now_us, packet)
        return []

    def _on_credit(self, now_us: int, credit: Credit) -> list[Event]:
        self._credit = credit
        self.link = LinkState(credit.link) if credit.link in list(LinkState) else LinkState.DOWN
        self.rate.update(credit)
        for lost in self.session.confirm(now_us, credit):
            self._on_lost(now_us, lost)
        return []

    def _on_lost(self, now_us: int, lost: Sent) -> None:
        match lost.packet:
            case Picture(image=number, rank=rank) if number in self._images:
                self._images[number].requeue(rank)
            case Flush():
                self.session.channel.write(now_us, lost.packet)

    def _on_result(self, now_us: int, result: Result) -> list[Event]:
        image = self._images.pop(result.image, None)
        if image is None:
            return []
        known = result.status in list(ResultStatus)
        status = ResultStatus(result.status) if known else ResultStatus.FAILED
        text = ""
        classes: tuple[tuple[int, str, float], ...] = ()
        if status is ResultStatus.OK:
            try:
                classes = unpack_classes(result.text)
            except MalformedError as error:
                status, text = ResultStatus.FAILED, str(error)
        else:
            text = result.text.decode(errors="replace")
        ranks = frozenset(r for r in range(MAX_RANKS) if result.ranks[r // 8] >> r % 8 & 1)
        if result.service_us:
            # The server starts when the picture is whole, at the latest at the transmission deadline.
            whole = len(ranks) == len(image.packets)
            started_us = image.send_by_us - result.margin_ms * 1000 if whole else image.send_by_us
            self.service.add(result.service_us)
            self.return_trip.add(max(0, now_us - started_us - result.service_us))
        answer = Answer(
            image=image.number,
            status=status,
            text=text,
            classes=classes,
            ranks=ranks,
            send_by_us=image.send_by_us,
            margin_us=result.margin_ms * 1000,
            service_us=result.service_us,
            answered_us=now_us,
            late=now_us > image.answer_by_us,
            final=True,
            sent=len(image.sent),
            resent=image.resent,
        )
        return [answer]

    # Packets to the board

    def _fill(self, now_us: int) -> None:
        """Fill the tx window with packets that still arrive in time, the most important first."""
        self.session.expect_until(max((image.answer_by_us for image in self._images.values()), default=None))
        while self._has_room():
            image = self._next_image(now_us)
            if image is None:
                return
            self.session.channel.write(now_us, image.take(now_us, self._transit_us()))

    def _next_image(self, now_us: int) -> OutgoingImage | None:
        """Return the image whose next packet is the most important that would arrive in time; None if there is none."""
        arrives_us = self._arrives_us(now_us)
        best: tuple[int, int, OutgoingImage] | None = None
        for image in self._images.values():
            rank = image.rank
            if rank is None or arrives_us > image.send_by_us:
                continue
            if best is None or (rank, image.send_by_us) < best[:2]:
                best = (rank, image.send_by_us, image)
        return best[2] if best else None

    def _has_room(self) -> bool:
        credit = self._credit
        if self.session.state is not State.OPEN or credit is None or self.link is not LinkState.UP:
            return False
        channel = self.session.channel
        if channel.frames_in_flight >= MAX_FRAMES_IN_FLIGHT or channel.pictures_in_flight() >= credit.free:
            return False
        return self._outstanding() < self._window()

    def _outstanding(self) -> int:
        """Return the number of picture packets given to the board and not known to have left it."""
        credit = self._credit
        held = credit.waiting + credit.in_radio if credit else 0
        return held + self.session.channel.pictures_in_flight()

    def _window(self) -> int:
        """Return the tx window in packets: what leaves while a credit and the next packet travel, plus the radio's."""
        hello, rate = self.session.hello, self.rate.bytes_per_s
        in_flight = hello.in_flight if hello else 1
        if rate is None:
            return 2 * in_flight
        trip_us = (self.session.serial_round_trip.mean_us or 0.0) + self._interval_us + self.policy.refill_us
        return in_flight + 1 + int(rate * trip_us / 1e6 / MAX_CODEC_BYTES)

    def _arrives_us(self, now_us: int) -> float:
        """Return when a full packet given to the board now would reach the edge server.

        With nothing outstanding the measured rate does not count: the sender always tries one packet, because it could
        not measure a recovered link otherwise.
        """
        rate, outstanding = self.rate.bytes_per_s, self._outstanding()
        if rate is None or outstanding == 0:
            return now_us + self._latency_us()
        return now_us + self._latency_us() + (outstanding + 1) * MAX_CODEC_BYTES / rate * 1e6

    def _answer_time_us(self) -> float:
        """Return the time from the end of the transmission to the answer: the server's, the return trip, and slack."""
        waits_us = self._interval_us / 2  # until the connection event that carries the answer
        return self.service.upper_bound_us + self.return_trip.upper_bound_us + waits_us + self.policy.slack_us

    def _latency_us(self) -> float:
        """Return the one-way delay of an idle link."""
        return (self.round_trip.mean_us or 0.0) / 2

    def _transit_us(self) -> int:
        """Return the propagation and air time, which no hop subtracts from the remaining time."""
        return int(self.round_trip.min_us or 0.0) // 2

    def _ping_at(self) -> int | None:
        """Return when the next ping is due; None while pictures are outstanding: it would queue behind them."""
        if self.session.state is not State.OPEN or self.link is not LinkState.UP or self._outstanding():
            return None
        if self._pinged_us is None:
            return 0
        return self._pinged_us + (PING_EVERY_US if self.ready else FIRST_PING_EVERY_US)

    def _ping(self, now_us: int) -> None:
        self._pinged_us = now_us
        self.session.channel.write(now_us, Ping(hop=Hop.PEER_HOST, token=self._nonce, origin_us=now_us % (1 << 32)))

    def _forget_board(self) -> None:
        self._credit = None
        self.rate.restart()
        self.link = LinkState.DOWN
        self._pinged_us = None
