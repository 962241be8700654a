"""The sender: gives the board what still arrives in time, the most important first, and takes the best answer in time.

A protocol machine without I/O: bytes and time go in, bytes and events come out. ``host.transport.driver`` runs it on a
transport, ``host.sim`` runs it in virtual time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ..errors import PncError, Reason
from ..ranked import RankedPacket
from ..wire import (
    MAX_CODEC_BYTES,
    MAX_DEADLINE_MS,
    Configure,
    Control,
    Credit,
    Flush,
    Hop,
    LinkState,
    Picture,
    Ping,
    Pong,
    Result,
    ResultStatus,
    Role,
)
from .answer_of import answer_of
from .border import LONGEST_US, Flaw
from .byte_time import ByteTime
from .camera_key import CameraKey
from .channel import MAX_FRAMES_IN_FLIGHT, Sent
from .events import Answer, Event, LinkChanged, Opened, Ready, Unanswered
from .image_number import CLOCK_MODULO_US, LEAST_SHARE, UsedNumbers, left_in_time
from .outgoing import OutgoingImage
from .rate import RateEstimate
from .sealing import CameraSeal
from .server_clock import JUMP_US, ServerClock
from .session import Session, State

#: Most images that wait for their answer at a time.
MAX_PENDING = 64
PING_EVERY_US = 1_000_000
FIRST_PING_EVERY_US = 100_000
#: An answer to a ping before the last so many is not used.
_PINGS_KEPT = 256
_PROGRAMS = 4


@dataclass(frozen=True, slots=True)
class Policy:
    """Limits of the sender. All times in us."""

    grace_us: int = 500_000  # an answer up to this long after the deadline is reported as late
    ahead_us: int = 150_000  # what the board may hold: as much as it sends in this time
    slow_packet_us: int = 25_000  # packets that take longer are sent in parts
    first_bytes: int = 40  # codec bytes of the first part
    least_ahead: int = 8  # packets that the board may hold at any rate


class DeadlineInfeasibleError(PncError, ValueError):
    """A deadline that this link cannot meet."""

    reason = Reason.DEADLINE_INFEASIBLE


class Sender:
    """The camera computer's end of the link. Times are microseconds of the caller's clock.

    ``seal`` seals the pictures with a key. Then only pictures that an edge server with this key can open are sent, and
    only its answers count.
    """

    def __init__(
        self,
        *,
        nonce: int,
        configure: Configure | None = None,
        policy: Policy | None = None,
        seal: CameraSeal | None = None,
    ) -> None:
        self.session = Session(configure or Configure(role=Role.CAMERA, tx_power_dbm=127), nonce=nonce, name="send")
        self.rate = RateEstimate()
        self.byte_time = ByteTime()
        self.server = ServerClock()
        self.policy = policy or Policy()
        self.link = LinkState.DOWN
        self.ready = False
        self._credit: Credit | None = None
        self._images: dict[int, OutgoingImage] = {}
        self._numbers = UsedNumbers()
        self._interval_us = 0
        self._nonce = nonce
        self._program: int | None = None
        self._pinged_us: int | None = None
        self._origins: deque[int] = deque(maxlen=_PINGS_KEPT)  # of the pings to the server
        self._doubts_server = False  # its clock or key may be another one: a pong is to say which
        self.key = CameraKey(seal)

    @property
    def pending(self) -> int:
        """Number of images without an answer."""
        return len(self._images)

    def start(self, now_us: int) -> None:
        """Send hello to the board, on a newly opened transport."""
        self._forget_board()
        self.session.start(now_us)

    def submit(
        self,
        now_us: int,
        packets: Sequence[RankedPacket],
        deadline_us: int,
        more: Callable[[], Sequence[RankedPacket]] | None = None,
    ) -> int:
        """Send a picture whose answer is due at ``deadline_us``; return its number.

        Args:
            now_us: the present time.
            packets: the picture, or its beginning.
            deadline_us: when the answer is due.
            more: returns the packets that follow, some at a time; none at the end. It is called when the last packet
                known is sent, so the link never waits for it. It must not block. None: all are known.

        Raises:
            DeadlineInfeasibleError: the deadline is below the least that the link and the server have ever needed.
            ValueError: the deadline is more than 65.5 s away, the ranks are not 0, 1, 2, ..., too many images wait for
                their answer, or a packet is too long to be sealed.
        """
        if [packet.rank for packet in packets] != list(range(len(packets))) or not packets:
            raise ValueError("a picture's packets must have the ranks 0, 1, 2, ... in this order")
        self.key.check_sizes(packets)
        if deadline_us - now_us > MAX_DEADLINE_MS * 1000:
            raise ValueError(f"a deadline is at most {MAX_DEADLINE_MS} ms away")
        if len(self._images) >= MAX_PENDING:
            raise ValueError(f"{MAX_PENDING} images already wait for their answer")
        if deadline_us - now_us < self.server.least_us:
            least_ms, service_ms = self.server.least_us / 1000, self.server.least_service_us / 1000
            raise DeadlineInfeasibleError(
                f"this link needs at least {least_ms:.0f} ms, {service_ms:.0f} of them to decode and classify"
            )
        leaves_by_us = self.server.leaves_by_us(now_us, deadline_us)
        number = self._numbers.free(now_us, self.server.number_for(leaves_by_us))
        # A server that was slow once is not given up: it may be fast again.
        send_by_us = round(max(leaves_by_us - self.server.service_us, now_us + (leaves_by_us - now_us) * LEAST_SHARE))
        self._images[number] = OutgoingImage(
            number, now_us, list(packets), send_by_us, round(leaves_by_us), deadline_us, more
        )
        return number

    def likely_bytes(self, now_us: int, deadline_us: int) -> int | None:
        """Return how many codec bytes the link carries for a deadline at its present rate; None if it is not known.

        Other pictures that are under way share them.
        """
        rate = self.rate.bytes_per_s
        if rate is None:
            return None
        left_us = self.server.leaves_by_us(now_us, deadline_us) - self.server.service_us - now_us
        return int(rate * self.key.packet_bytes[0] / MAX_CODEC_BYTES * max(0.0, left_us) / 1e6)

    def part_bytes(self) -> tuple[int, int]:
        """Return how many codec bytes the first part of a picture should have, and the longest; MAX_CODEC_BYTES: whole.

        On a slow link a whole packet takes so long that a deadline or a slower moment would often cut it off. The first
        part is short there in any case, and so shows whether shorter packets take less time. If so, others are short.
        """
        limit_us, us_per_byte = max(self.policy.slow_packet_us, self._interval_us), self.byte_time.slow_us()
        if MAX_CODEC_BYTES * us_per_byte < limit_us:
            return MAX_CODEC_BYTES, MAX_CODEC_BYTES
        first_bytes = round(self.policy.first_bytes * self.key.longer_parts)
        if self.byte_time.is_of_packets() is not False:
            return first_bytes, MAX_CODEC_BYTES
        return first_bytes, max(first_bytes, int(limit_us * self.key.longer_parts / us_per_byte))

    def receive(self, now_us: int, data: bytes) -> list[Event]:
        """Take bytes from the transport; return the events."""
        events, packets = self.session.receive(now_us, data)
        for event in events:
            match event:
                case Opened():
                    self._on_opened(event)
                case LinkChanged():
                    self._interval_us = event.interval_us
                    self.server.events.set_interval(event.interval_us)
        for packet in packets:
            events += self._on_packet(now_us, packet)
        self._fill(now_us)
        return events

    def tick(self, now_us: int) -> list[Event]:
        """Advance the time: handle deadlines, ping, and send what may be sent now; return the events."""
        events = self.session.tick(now_us)
        for image in list(self._images.values()):
            if now_us >= image.send_by_us and not image.flushed:
                self._flush(now_us, image)
            if now_us >= self._ends_us(image):
                del self._images[image.number]
                events.append(image.final_answer() or Unanswered(image.number, len(image.sent), image.resent))
                if image.best is None:
                    self.key.on_unanswered()
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
            times.append(self._ends_us(image) if image.flushed else image.send_by_us)
        return min((time for time in times if time is not None), default=None)

    def _ends_us(self, image: OutgoingImage) -> int:
        """Return when an image is given up: at its deadline if there is a provisional answer, else some time later."""
        return image.answer_by_us if image.best else image.answer_by_us + self.policy.grace_us

    # Packets from the board

    def _on_opened(self, opened: Opened) -> None:
        self._forget_board()
        if self._program is None:
            self._program = opened.hello.sessions % _PROGRAMS
        for image in self._images.values():
            image.requeue_all()

    def _on_packet(self, now_us: int, packet: Picture | Control) -> list[Event]:
        match packet:
            case Credit():
                return self._on_credit(now_us, packet)
            case Pong() | Result() if packet.peer:
                self.session.channel.border.count(Flaw.OTHER_CAMERA)
            case Pong(hop=Hop.PEER_HOST) if packet.token == self._nonce:
                return self._on_pong(now_us, packet)
            case Result() if packet.program == self._program:
                return self._on_result(now_us, packet)
        return []

    def _on_credit(self, now_us: int, credit: Credit) -> list[Event]:
        self._credit = credit
        self.link = self.session.channel.border.link_state(credit.link)
        self.rate.update(credit)
        self.byte_time.update(credit)
        for lost in self.session.confirm(now_us, credit):
            self._on_lost(now_us, lost)
        return []

    def _on_lost(self, now_us: int, lost: Sent) -> None:
        match lost.packet:
            case Picture(image=number, rank=rank) if number in self._images:
                self._images[number].requeue(rank)
            case Flush():
                self.session.channel.write(now_us, lost.packet)

    def _on_pong(self, now_us: int, pong: Pong) -> list[Event]:
        elapsed_us = (now_us - pong.origin_us) % (1 << 32)
        round_trip_us = elapsed_us - pong.held_us
        if (fault := self.key.fault_of(now_us, pong, self._images.values())) is not None:
            return [*fault]
        # A clock that was set back meanwhile makes an endless round trip of a short one.
        is_known = pong.origin_us in self._origins and elapsed_us <= LONGEST_US
        if not is_known or round_trip_us < 0:
            self.session.channel.border.count(Flaw.PONG_HELD if is_known else Flaw.PONG_ORIGIN)
            return []
        self._doubts_server = False
        self.server.on_pong(now_us, pong.clock_us, round_trip_us, pong.service_us)
        if self.ready:
            return []
        self.ready = True
        return [Ready(round_trip_us, pong.service_us)]

    def _on_result(self, now_us: int, received: Result) -> list[Event]:
        image = self._images.get(received.image)
        if image is None:
            return []
        result = self.key.opened(image, received)
        if result is None:
            self.session.channel.border.count(Flaw.SEALED_RESULT)
            self._doubts_server = True
            return []
        self._learn(now_us, image, result)
        answer = answer_of(now_us, image, result, self.session.channel.border)
        if answer.late and image.best is not None:
            return []
        if image.best is None or _worth(answer) >= _worth(image.best):
            image.best = answer
        if result.more and not answer.late:
            return [answer]
        if answer.status is ResultStatus.OK and (left_in_time(result.image, result.clock_us) or not answer.late):
            self.server.on_outcome(image.best.answered_us - image.answer_by_us)
        self._flush(now_us, image)
        del self._images[result.image]
        return [replace(image.best, final=True)]

    def _learn(self, now_us: int, image: OutgoingImage, result: Result) -> None:
        """Take the server's clock and time from a result, unless they cannot be true.

        Another clock than before is asked for in a ping: a single result with a wrong one would put wrong numbers on
        the pictures that follow.
        """
        border = self.session.channel.border
        if result.service_us > LONGEST_US:
            border.count(Flaw.RESULT_SERVICE)
        behind_us = self.server.behind_us(now_us, result.clock_us)
        if result.clock_us < CLOCK_MODULO_US and self.server.soonest_us <= behind_us <= JUMP_US:
            service_us = result.service_us if result.service_us <= LONGEST_US else 0
            self.server.on_result(now_us, result.clock_us, service_us)
        elif result.clock_us >= CLOCK_MODULO_US or not 0 < behind_us <= now_us - image.submitted_us:
            border.count(Flaw.RESULT_CLOCK)  # it was not just long on its way
            self._doubts_server = True

    # Packets to the board

    def _flush(self, now_us: int, image: OutgoingImage) -> None:
        """Send no more of an image, and recall what the board still holds of it."""
        image.flushed = True
        if self._outstanding():
            self.session.channel.write(now_us, Flush(image=image.number))

    def _fill(self, now_us: int) -> None:
        """Give the board packets that may still arrive in time, the most important first."""
        self.session.expect_until(max((image.answer_by_us for image in self._images.values()), default=None))
        if not self._images or not self.key.may_send or not self._has_room():
            return
        transit_us = self.server.least_one_way_us
        while self._has_room():
            image = self._next_image(now_us + transit_us)
            if image is None:
                return
            packet = self.key.prepare(image).take(now_us, self._program or 0, round(transit_us))
            self.session.channel.write(now_us, packet)

    def _next_image(self, earliest_us: float) -> OutgoingImage | None:
        """Return the image whose next packet is the most important that may arrive in time; None if there is none.

        ``earliest_us`` is when a packet that is given to the board now arrives at best.
        """
        best: tuple[int, int, OutgoingImage] | None = None
        for image in self._images.values():
            rank = image.rank
            if rank is None or earliest_us > image.send_by_us:
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
        """Return how many packets the board may hold."""
        rate = self.rate.bytes_per_s or 0.0
        return self.policy.least_ahead + int(rate * self.policy.ahead_us / 1e6 / MAX_CODEC_BYTES)

    def _ping_at(self) -> int | None:
        """Return when the next ping is due; None while pictures are outstanding: it would queue behind them."""
        if self.session.state is not State.OPEN or self.link is not LinkState.UP:
            return None
        if self._outstanding() and not self._doubts_server and not self.key.is_doubtful:
            return None
        if self._pinged_us is None:
            return 0
        is_settled = self.ready and not self._doubts_server
        return self._pinged_us + (PING_EVERY_US if is_settled else FIRST_PING_EVERY_US)

    def _ping(self, now_us: int) -> None:
        self._pinged_us = now_us
        origin_us = now_us % (1 << 32)
        self._origins.append(origin_us)
        ping = Ping(hop=Hop.PEER_HOST, token=self._nonce, origin_us=origin_us)
        self.session.channel.write(now_us, self.key.ping(ping))

    def _forget_board(self) -> None:
        self._credit = None
        self.rate.restart()
        self.byte_time.restart()
        self.link = LinkState.DOWN
        self._pinged_us = None


def _worth(answer: Answer) -> tuple[bool, int]:
    """Return a key that orders answers: one with classes before a refusal, then the one for more ranks."""
    return answer.status is ResultStatus.OK, len(answer.ranks)
