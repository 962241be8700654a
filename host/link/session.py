"""A session with one board: hello, version, role, and noticing that the board went away.

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
#: With frames unconfirmed and nothing heard for this long, the board is taken for gone.
SILENCE_US = 500_000
#: Frames unconfirmed for this long make us ask for a credit, which names what is missing.
PROBE_AFTER_US = 60_000
KEEP_ALIVE_US = 1_000_000


class State(Enum):
    """Where a session stands."""

    CLOSED = auto()
    GREETING = auto()
    CONFIGURING = auto()
    OPEN = auto()
    FAILED = auto()


class Session:
    """One host's session with the board on its port. Times are microseconds of the caller's clock.

    ``configure`` is what the board is to be: its role, and radio settings other than "leave it". A board
    without a role is given it; one with another role is refused unless ``take_over``.
    """

    def __init__(self, configure: Configure, *, nonce: int, name: str = "", take_over: bool = False) -> None:
        self.channel = Channel()
        self.state = State.CLOSED
        self.hello: Hello | None = None
        self.serial_round_trip = DelayEstimator()
        self._wanted = configure
        self._take_over = take_over
        self._ours = Hello(version=VERSION, kind=Kind.HOST, session=nonce, name=name.encode()[:24])
        self._since_us = 0
        self._asked_us = 0
        self._heard_us = 0
        self._token = 0
        self._damaged: int | None = None
        self._opened_before = False
        self._configured = False

    def start(self, now_us: int) -> None:
        """Greet the board: on a port just opened."""
        self._configured = False
        self._greet(now_us)

    def receive(self, now_us: int, data: bytes) -> tuple[list[Event], list[Picture | Control]]:
        """Take bytes from the port; returns what happened and the packets that are not the session's own."""
        events: list[Event] = []
        others: list[Picture | Control] = []
        for packet in self.channel.receive(data):
            self._heard_us = now_us
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
        """Take a credit's account of our frames; returns those that the board never got."""
        lost: list[Sent] = []
        self.channel.confirm(credit, lost=lost.append)
        if self._damaged not in (None, credit.damaged) and self.channel.under_way:
            self.probe(now_us)  # a frame broke: the next sound one shows which
        self._damaged = credit.damaged
        return lost

    def probe(self, now_us: int) -> None:
        """Ask the board for a sign of life and a credit; measures the serial round trip."""
        self._token += 1
        self._asked_us = now_us
        self.channel.write(now_us, Ping(hop=Hop.BOARD, token=self._token, origin_us=now_us % (1 << 32)))

    def tick(self, now_us: int) -> list[Event]:
        """Time passes."""
        if self.state is State.GREETING:
            return self._tick_greeting(now_us)
        if self.state is State.CONFIGURING:
            return self._tick_configuring(now_us)
        if self.state is not State.OPEN:
            return []
        oldest_us = self.channel.oldest_us()
        if oldest_us is not None:
            waited_us = now_us - max(oldest_us, self._heard_us)
            if waited_us >= SILENCE_US:
                return self._fail(FailureReason.SILENT, "check its cable and its power, or press its reset button")
            if now_us - max(oldest_us, self._asked_us) >= PROBE_AFTER_US:
                self.probe(now_us)
        elif now_us - self._asked_us >= KEEP_ALIVE_US:
            self.probe(now_us)
        return []

    def wake_at(self) -> int | None:
        """When ``tick`` is due next; None if only a packet can change anything."""
        match self.state:
            case State.GREETING:
                return min(self._asked_us + HELLO_EVERY_US, self._since_us + HELLO_LIMIT_US)
            case State.CONFIGURING:
                return min(self._asked_us + HELLO_EVERY_US, self._since_us + CONFIGURE_LIMIT_US)
            case State.OPEN:
                oldest_us = self.channel.oldest_us()
                if oldest_us is None:
                    return self._asked_us + KEEP_ALIVE_US
                return max(oldest_us, self._asked_us) + PROBE_AFTER_US
        return None

    def _greet(self, now_us: int) -> None:
        self.state = State.GREETING
        self._since_us = self._asked_us = self._heard_us = now_us
        self._damaged = None
        self.channel.write(now_us, self._ours)

    def _tick_greeting(self, now_us: int) -> list[Event]:
        if now_us - self._since_us >= HELLO_LIMIT_US:
            return self._fail(FailureReason.NO_BOARD, "is it a board with this firmware? `make flash` writes it")
        if now_us - self._asked_us >= HELLO_EVERY_US:
            self._asked_us = now_us
            self.channel.write(now_us, self._ours)
        return []

    def _tick_configuring(self, now_us: int) -> list[Event]:
        if now_us - self._since_us >= CONFIGURE_LIMIT_US:
            return self._fail(FailureReason.CONFIGURE, "it did not confirm its role: unplug it, plug it in again")
        if now_us - self._asked_us >= HELLO_EVERY_US:
            self._asked_us = now_us
            self.channel.write(now_us, self._wanted)  # the first may have broken on the wire
        return []

    def _on_hello(self, now_us: int, hello: Hello) -> list[Event]:
        if self.state not in (State.GREETING, State.CONFIGURING) or hello.kind != Kind.BOARD:
            return []
        firmware = ".".join(str(part) for part in hello.firmware)
        if hello.version != VERSION:
            return self._fail(
                FailureReason.VERSION,
                f"it speaks version {hello.version} (firmware {firmware}), this program version {VERSION}: "
                "flash the firmware of this release with `make flash`",
            )
        self.hello = hello
        wanted = self._wanted
        if hello.role not in (wanted.role, Role.NONE) and not self._take_over:
            return self._fail(
                FailureReason.ROLE,
                f"it is the {Role(hello.role).name.lower()} board, and this needs the "
                f"{Role(wanted.role).name.lower()} board: choose the other port with --port",
            )
        radio_set = wanted.phy != Phy.KEEP or wanted.interval_us != 0
        if hello.role != wanted.role or (radio_set and not self._configured):
            if self.state is State.GREETING:
                self.state = State.CONFIGURING
                self._configured = True
                self._since_us = self._asked_us = now_us
                self.channel.write(now_us, wanted)
            return []
        restarted, self._opened_before = self._opened_before, True
        self.state = State.OPEN
        self.probe(now_us)
        return [Opened(hello, restarted)]

    def _on_error(self, now_us: int, error: Error) -> list[Event]:
        text = error.text.decode(errors="replace")
        if error.code == ErrorCode.VERSION:
            return []  # its hello says more
        if error.code == ErrorCode.CONFIGURE and self.state in (State.CONFIGURING, State.OPEN):
            return self._fail(FailureReason.CONFIGURE, text or "this radio setting is not to be had")
        if error.code == ErrorCode.NOT_READY and self.state is State.OPEN:
            self.start(now_us)  # it was reset and does not know us
            return []
        return [Notice(2, text or f"error {error.code}, detail {error.detail}")]

    def _fail(self, reason: FailureReason, detail: str) -> list[Event]:
        self.state = State.FAILED
        return [Failed(reason, detail)]


def _link_changed(link: Link) -> LinkChanged:
    phy = Phy(link.phy) if link.phy in list(Phy) else Phy.KEEP
    state = LinkState(link.state) if link.state in list(LinkState) else LinkState.DOWN
    return LinkChanged(link.peer, state, phy, link.mtu, link.interval_us, link.reason)
