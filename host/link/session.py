"""A session with one board: hello, version, role, repair of the serial line, and detection of a lost board.

CLOSED --start--> GREETING --hello, role fits--> OPEN
                     |  ^ hello, role to set          ^
                     |  |                             | hello with the role
                     |  +-- not_ready (board reset)   |
                     |  +-- silence                   |
                     +------------> CONFIGURING ------+
any --no answer, other version, other role, refused--> FAILED
"""

from __future__ import annotations

from enum import Enum, auto

from ..wire import (
    FIRST_FAULT,
    VERSION,
    Configure,
    Control,
    Credit,
    Error,
    ErrorCode,
    Hello,
    Hop,
    Kind,
    Link,
    LinkState,
    Log,
    Phy,
    Picture,
    Ping,
    Pong,
    Repeat,
    Role,
)
from .border import LONGEST_US, Flaw, plausible_interval_us
from .channel import Channel, Sent
from .events import Event, Failed, FailureReason, LinkChanged, Notice, Opened
from .rate import DelayEstimator

HELLO_EVERY_US = 200_000
HELLO_LIMIT_US = 1_500_000
#: A board has at least this time to answer the last hello before it is given up.
LAST_WAIT_US = 100_000
CONFIGURE_LIMIT_US = 1_000_000
#: The board is asked for hello again after this time with unconfirmed frames and without a packet from it.
SILENCE_US = 500_000
#: An open session fails after this time without a packet from the board.
SILENCE_LIMIT_US = 5_000_000
#: Bounds of the time until a ping follows an unconfirmed frame: the credit that it causes names missing frames.
PROBE_US = (8_000, 60_000)
#: Bounds of the time until a ping follows silence while a packet is expected: its answer exposes a lost last frame.
QUIET_US = (12_000, 48_000)
#: Within these bounds, the same time in round trips of the serial line.
PROBE_ROUND_TRIPS = 3
#: A damaged frame triggers a ping unless the last one is more recent than this.
DAMAGE_PROBE_US = 4_000
KEEP_ALIVE_US = 1_000_000


class State(Enum):
    """State of a session."""

    CLOSED = auto()
    GREETING = auto()
    CONFIGURING = auto()
    OPEN = auto()
    FAILED = auto()


class Session:
    """One host's session with its board. Times are microseconds of the caller's clock.

    Frames that either side did not receive intact are sent again: lost frames of this host are returned by ``confirm``,
    and the session asks the board for its own.

    ``configure`` is the board's role with radio settings. A board without a role gets this one; a board with another
    role is refused unless ``take_over`` is set.
    """

    def __init__(self, configure: Configure, *, nonce: int, name: str = "", take_over: bool = False) -> None:
        self.channel = Channel()
        self.state = State.CLOSED
        self.hello: Hello | None = None
        self.serial_round_trip = DelayEstimator()
        self._configuration = configure
        self._take_over = take_over
        self._our_hello = Hello(version=VERSION, kind=Kind.HOST, session=nonce, name=name.encode()[:24])
        self._entered_us = 0
        self._limit_us = HELLO_LIMIT_US  # of greeting, and how it then fails
        self._failure = FailureReason.NO_BOARD
        self._requested_us = 0
        self._received_us = 0
        self._ticked_us = 0
        self._expects_until_us: int | None = None
        self._unanswered = 0  # pings since the last packet from the board
        self._fruitless = 0  # pings since the last packet that was more than an answer to one
        self._abandoned: list[Sent] = []
        self._token = 0
        self._damaged: int | None = None
        self._opened_before = False
        self._configured = False
        self._asked_last = False  # hello or configure was sent for the last time before the board is given up

    def start(self, now_us: int) -> None:
        """Send hello to the board, on a newly opened transport."""
        self._greet(now_us, HELLO_LIMIT_US, FailureReason.NO_BOARD)

    def expect_until(self, until_us: int | None) -> None:
        """Set until when a packet from the board is expected; None: none is.

        While one is expected, a short silence triggers a ping: its answer exposes whether the last frame was lost.
        """
        self._expects_until_us = until_us

    def take_abandoned(self) -> list[Sent]:
        """Return the frames that no credit confirmed before the board was greeted again, each once, in order.

        Whether the board received them is unknown. Session's own packets are not among them. Call it after ``Opened``.
        """
        abandoned, self._abandoned = self._abandoned, []
        return abandoned

    def receive(self, now_us: int, data: bytes) -> tuple[list[Event], list[Picture | Control]]:
        """Take bytes from the transport; return the events, and the packets that the session does not handle."""
        events: list[Event] = []
        others: list[Picture | Control] = []
        damaged = self.channel.reader.damaged
        for packet in self.channel.receive(data):
            self._received_us = now_us
            self._unanswered = 0
            if not isinstance(packet, Credit) and not (isinstance(packet, Pong) and packet.hop == Hop.BOARD):
                self._fruitless = 0
            match packet:
                case Hello():
                    events += self._on_hello(now_us, packet)
                case Error():
                    events += self._on_error(now_us, packet)
                case Pong(hop=Hop.BOARD):
                    self._on_pong(now_us, packet)
                case Link():
                    events.append(self._on_link(packet))
                case Log():
                    events.append(Notice(packet.level, packet.text.decode(errors="replace")))
                case _ if self.state is State.OPEN:
                    others.append(packet)
        if self.state is State.OPEN:
            self._repair(now_us, damaged=self.channel.reader.damaged != damaged)
        return events, others

    def confirm(self, now_us: int, credit: Credit) -> list[Sent]:
        """Apply a credit to the frames in flight; return those that the board did not receive.

        Pings and requests for the board's frames are not among them: the session sends them again itself.
        """
        lost: list[Sent] = []
        self.channel.confirm(credit, lost=lost.append)
        for request in [sent.packet for sent in lost if isinstance(sent.packet, Repeat)]:
            self.channel.forget(request)
        self._request(now_us)
        if self._damaged not in (None, credit.damaged) and self.channel.frames_in_flight:
            self.probe(now_us)  # a frame was damaged: the next intact one exposes which
        self._damaged = credit.damaged
        return [sent for sent in lost if not _is_ours(sent.packet)]

    def probe(self, now_us: int) -> None:
        """Send a ping to the board. It measures the serial round trip, and a credit precedes its answer."""
        self._token = (self._token + 1) % (1 << 32)
        self._unanswered += 1
        self._fruitless += 1
        self._requested_us = now_us
        self.channel.write(now_us, Ping(hop=Hop.BOARD, token=self._token, origin_us=now_us % (1 << 32)))

    def tick(self, now_us: int) -> list[Event]:
        """Advance the time; return the events."""
        events: list[Event] = [*self.channel.border.report(now_us)]
        match self.state:
            case State.GREETING:
                events += self._tick_greeting(now_us)
            case State.CONFIGURING:
                events += self._tick_configuring(now_us)
            case State.OPEN:
                self._tick_open(now_us)
        return events

    def _tick_open(self, now_us: int) -> None:
        ticked_us, self._ticked_us = self._ticked_us, now_us
        oldest_us = self.channel.oldest_us()
        if oldest_us is not None and now_us - max(ticked_us, self._received_us) >= SILENCE_US // 2:
            self._received_us = now_us  # this computer slept: what the board sent meanwhile is still to be read
        if oldest_us is not None and now_us - max(oldest_us, self._received_us) >= SILENCE_US:
            self._greet(now_us, SILENCE_LIMIT_US - SILENCE_US, FailureReason.SILENT)
        elif now_us >= self._probe_at():
            self.probe(now_us)

    def wake_at(self) -> int | None:
        """Return when ``tick`` is due; None if only a packet can change anything."""
        times = (self.channel.border.wake_at(), self._next_us())
        return min((time for time in times if time is not None), default=None)

    def _next_us(self) -> int | None:
        match self.state:
            case State.GREETING:
                return self._greeting_at(self._limit_us)
            case State.CONFIGURING:
                return self._greeting_at(CONFIGURE_LIMIT_US)
            case State.OPEN:
                return self._probe_at()
        return None

    def _probe_at(self) -> int:
        """Return when the next ping of an open session is due."""
        at_us = self._requested_us + KEEP_ALIVE_US
        oldest_us = self.channel.oldest_us()
        if oldest_us is not None:
            at_us = min(at_us, max(oldest_us, self._requested_us) + self._patience_us(PROBE_US, self._unanswered))
        if self._expects_until_us is not None:
            quiet_at_us = max(self._received_us, self._requested_us) + self._patience_us(QUIET_US, self._fruitless)
            if quiet_at_us <= self._expects_until_us:
                at_us = min(at_us, quiet_at_us)
        return at_us

    def _patience_us(self, bounds_us: tuple[int, int], pings: int) -> int:
        """Return the time until the next ping: some round trips, twice as long after every second vain ping."""
        least_us, most_us = bounds_us
        usual_us = max(least_us, PROBE_ROUND_TRIPS * round(self.serial_round_trip.min_us or 0.0))
        return min(usual_us << min(pings // 2, 8), most_us)

    def _repair(self, now_us: int, *, damaged: bool) -> None:
        """Ask for the frames of the board that are missing; a damaged one may be the last and shows no gap yet."""
        if not self._request(now_us) and damaged and now_us - self._requested_us >= DAMAGE_PROBE_US:
            self.probe(now_us)

    def _request(self, now_us: int) -> bool:
        """Ask for frames of the board that were not asked for yet; return True if there are any."""
        request = self.channel.request()
        if request is not None:
            self.channel.write(now_us, request)
        return request is not None

    def _greet(self, now_us: int, limit_us: int, failure: FailureReason) -> None:
        if self.state is State.OPEN:
            self._abandoned = [sent for sent in self.channel.abandon() if not _is_ours(sent.packet)]
        self.state = State.GREETING
        self._configured = self._asked_last = False
        self._entered_us = self._requested_us = now_us
        self._limit_us, self._failure = limit_us, failure
        self._damaged = None
        self.channel.write(now_us, self._our_hello)

    def _greeting_at(self, limit_us: int) -> int:
        """Return when hello or configure is sent next, or the board is given up."""
        if self._asked_last:
            return max(self._requested_us + LAST_WAIT_US, self._entered_us + limit_us)
        return self._requested_us + HELLO_EVERY_US

    def _ask_again(self, now_us: int, limit_us: int, packet: Control) -> bool:
        """Send hello or configure if it is due; return False when the board did not answer within the limit.

        However late this is called, the board is asked once more before, and has time to answer: this computer may have
        been asleep, and the answer be still unread.
        """
        if now_us < self._greeting_at(limit_us):
            return True
        if self._asked_last:
            return False
        self._asked_last = now_us + HELLO_EVERY_US >= self._entered_us + limit_us
        self._requested_us = now_us
        self.channel.write(now_us, packet)
        return True

    def _tick_greeting(self, now_us: int) -> list[Event]:
        if not self._ask_again(now_us, self._limit_us, self._our_hello):
            if self._failure is FailureReason.SILENT:
                return self._fail(self._failure, f"no answer for {SILENCE_LIMIT_US / 1e6:g} s")
            return self._fail(self._failure, f"no hello within {self._limit_us / 1e6:g} s")
        return []

    def _tick_configuring(self, now_us: int) -> list[Event]:
        if not self._ask_again(now_us, CONFIGURE_LIMIT_US, self._configuration):  # the first may have been damaged
            return self._fail(FailureReason.UNCONFIRMED, f"no hello with it within {CONFIGURE_LIMIT_US / 1e6:g} s")
        return []

    def _on_hello(self, now_us: int, hello: Hello) -> list[Event]:
        if self.state not in (State.GREETING, State.CONFIGURING) or hello.kind != Kind.BOARD:
            return []
        firmware = ".".join(str(part) for part in hello.firmware)
        if hello.version != VERSION:
            return self._fail(
                FailureReason.VERSION,
                f"it speaks version {hello.version} (firmware {firmware}), this program version {VERSION}",
            )
        self.hello = hello
        configuration = self._configuration
        if hello.role not in (configuration.role, Role.NONE) and not self._take_over:
            return self._fail(
                FailureReason.ROLE,
                f"it is the {Role(hello.role).name.lower()} board, and this needs the "
                f"{Role(configuration.role).name.lower()} board",
            )
        radio_set = configuration.phy != Phy.KEEP or configuration.interval_us != 0
        if hello.role != configuration.role or (radio_set and not self._configured):
            if self.state is State.GREETING:
                self.state = State.CONFIGURING
                self._configured, self._asked_last = True, False
                self._entered_us = self._requested_us = now_us
                self.channel.write(now_us, configuration)
            return []
        restarted, self._opened_before = self._opened_before, True
        self.state = State.OPEN
        self.probe(now_us)
        return [Opened(hello, restarted)]

    def _on_error(self, now_us: int, error: Error) -> list[Event]:
        text = error.text.decode(errors="replace")
        if error.code == ErrorCode.VERSION:
            return []  # the hello that follows has its version
        if error.code == ErrorCode.CONFIGURE and self.state in (State.CONFIGURING, State.OPEN):
            return self._fail(FailureReason.CONFIGURE, text or "it cannot apply this radio setting")
        if error.code == ErrorCode.NOT_READY and self.state is State.OPEN:
            self._greet(now_us, SILENCE_LIMIT_US, FailureReason.SILENT)  # it was reset and has lost the session
            return []
        if error.code >= FIRST_FAULT:
            return [Notice(1, f"{text or 'fault'} (error {error.code}, `boards doctor`)")]
        return [Notice(2, text or f"error {error.code}, detail {error.detail}")]

    def _on_pong(self, now_us: int, pong: Pong) -> None:
        elapsed_us = (now_us - pong.origin_us) % (1 << 32)
        if pong.token == 0 or pong.token > self._token or elapsed_us > LONGEST_US:
            self.channel.border.count(Flaw.PONG_ORIGIN)
            return
        self.serial_round_trip.add(elapsed_us)

    def _on_link(self, link: Link) -> LinkChanged:
        interval_us = plausible_interval_us(link.interval_us)
        if link.interval_us and not interval_us:
            self.channel.border.count(Flaw.INTERVAL)
        if link.phy not in list(Phy) or link.state not in list(LinkState):
            self.channel.border.count(Flaw.LINK)
        phy = Phy(link.phy) if link.phy in list(Phy) else Phy.KEEP
        state = LinkState(link.state) if link.state in list(LinkState) else LinkState.DOWN
        return LinkChanged(link.peer, state, phy, link.mtu, interval_us, link.reason)

    def _fail(self, reason: FailureReason, detail: str) -> list[Event]:
        self.state = State.FAILED
        return [Failed(reason, detail)]


def _is_ours(packet: Picture | Control) -> bool:
    """Return True for a packet of the session itself, which is not sent again as it was."""
    return isinstance(packet, Hello | Configure | Repeat) or (isinstance(packet, Ping) and packet.hop == Hop.BOARD)
