"""A session with one board: hello, version, role, and detection of a lost board.

CLOSED --start--> GREETING --hello, role fits--> OPEN
                     |  ^ hello, role to set          ^
                     |  |                             | hello with the role
                     |  +-- not_ready (board reset)   |
                     +------------> CONFIGURING ------+
any --no answer, other version, other role, refused--> FAILED
"""

from __future__ import annotations

from enum import Enum, auto

from ..wire import (
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
    Role,
)
from .channel import Channel, Sent
from .events import Event, Failed, FailureReason, LinkChanged, Notice, Opened
from .rate import DelayEstimator

HELLO_EVERY_US = 200_000
HELLO_LIMIT_US = 1_500_000
CONFIGURE_LIMIT_US = 1_000_000
#: The board is considered lost after this time with unconfirmed frames and without a packet from it.
SILENCE_US = 500_000
#: A frame unconfirmed for this long triggers a ping; the credit that follows names missing frames.
PROBE_AFTER_US = 60_000
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
        self._requested_us = 0
        self._received_us = 0
        self._token = 0
        self._damaged: int | None = None
        self._opened_before = False
        self._configured = False

    def start(self, now_us: int) -> None:
        """Send hello to the board, on a newly opened transport."""
        self._configured = False
        self._greet(now_us)

    def receive(self, now_us: int, data: bytes) -> tuple[list[Event], list[Picture | Control]]:
        """Take bytes from the transport; return the events, and the packets that the session does not handle."""
        events: list[Event] = []
        others: list[Picture | Control] = []
        for packet in self.channel.receive(data):
            self._received_us = now_us
            match packet:
                case Hello():
                    events += self._on_hello(now_us, packet)
                case Error():
                    events += self._on_error(now_us, packet)
                case Pong(hop=Hop.BOARD):
                    self.serial_round_trip.add((now_us - packet.origin_us) % (1 << 32))
                case Link():
                    events.append(_link_changed(packet))
                case Log():
                    events.append(Notice(packet.level, packet.text.decode(errors="replace")))
                case _ if self.state is State.OPEN:
                    others.append(packet)
        return events, others

    def confirm(self, now_us: int, credit: Credit) -> list[Sent]:
        """Apply a credit to the frames in flight; return those that the board did not receive."""
        lost: list[Sent] = []
        self.channel.confirm(credit, lost=lost.append)
        if self._damaged not in (None, credit.damaged) and self.channel.frames_in_flight:
            self.probe(now_us)  # a frame was damaged: the next intact one exposes which
        self._damaged = credit.damaged
        return lost

    def probe(self, now_us: int) -> None:
        """Send a ping to the board. It measures the serial round trip, and a credit follows it."""
        self._token += 1
        self._requested_us = now_us
        self.channel.write(now_us, Ping(hop=Hop.BOARD, token=self._token, origin_us=now_us % (1 << 32)))

    def tick(self, now_us: int) -> list[Event]:
        """Advance the time; return the events."""
        if self.state is State.GREETING:
            return self._tick_greeting(now_us)
        if self.state is State.CONFIGURING:
            return self._tick_configuring(now_us)
        if self.state is not State.OPEN:
            return []
        oldest_us = self.channel.oldest_us()
        if oldest_us is not None:
            waited_us = now_us - max(oldest_us, self._received_us)
            if waited_us >= SILENCE_US:
                return self._fail(FailureReason.SILENT, f"nothing received for {SILENCE_US / 1e6:g} s")
            if now_us - max(oldest_us, self._requested_us) >= PROBE_AFTER_US:
                self.probe(now_us)
        elif now_us - self._requested_us >= KEEP_ALIVE_US:
            self.probe(now_us)
        return []

    def wake_at(self) -> int | None:
        """Return when ``tick`` is due; None if only a packet can change anything."""
        match self.state:
            case State.GREETING:
                return min(self._requested_us + HELLO_EVERY_US, self._entered_us + HELLO_LIMIT_US)
            case State.CONFIGURING:
                return min(self._requested_us + HELLO_EVERY_US, self._entered_us + CONFIGURE_LIMIT_US)
            case State.OPEN:
                oldest_us = self.channel.oldest_us()
                if oldest_us is None:
                    return self._requested_us + KEEP_ALIVE_US
                return max(oldest_us, self._requested_us) + PROBE_AFTER_US
        return None

    def _greet(self, now_us: int) -> None:
        self.state = State.GREETING
        self._entered_us = self._requested_us = self._received_us = now_us
        self._damaged = None
        self.channel.write(now_us, self._our_hello)

    def _tick_greeting(self, now_us: int) -> list[Event]:
        if now_us - self._entered_us >= HELLO_LIMIT_US:
            return self._fail(FailureReason.NO_BOARD, f"no hello within {HELLO_LIMIT_US / 1e6:g} s")
        if now_us - self._requested_us >= HELLO_EVERY_US:
            self._requested_us = now_us
            self.channel.write(now_us, self._our_hello)
        return []

    def _tick_configuring(self, now_us: int) -> list[Event]:
        if now_us - self._entered_us >= CONFIGURE_LIMIT_US:
            return self._fail(FailureReason.UNCONFIRMED, f"no hello with it within {CONFIGURE_LIMIT_US / 1e6:g} s")
        if now_us - self._requested_us >= HELLO_EVERY_US:
            self._requested_us = now_us
            self.channel.write(now_us, self._configuration)  # the first one may have been damaged
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
                self._configured = True
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
            self.start(now_us)  # it was reset and has lost the session
            return []
        return [Notice(2, text or f"error {error.code}, detail {error.detail}")]

    def _fail(self, reason: FailureReason, detail: str) -> list[Event]:
        self.state = State.FAILED
        return [Failed(reason, detail)]


def _link_changed(link: Link) -> LinkChanged:
    phy = Phy(link.phy) if link.phy in list(Phy) else Phy.KEEP
    state = LinkState(link.state) if link.state in list(LinkState) else LinkState.DOWN
    return LinkChanged(link.peer, state, phy, link.mtu, link.interval_us, link.reason)
