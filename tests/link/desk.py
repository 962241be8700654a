"""A desk with one protocol machine, sender or receiver; the test plays the board packet by packet."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from host.link.answers import Class, pack_classes, pack_ranks
from host.link.events import Event
from host.link.frames import FrameReader, write_frame
from host.link.image_number import CLOCK_MODULO_US, number_of
from host.link.receiver import Receiver
from host.link.sender import Sender
from host.ranked import RankedPacket
from host.transport.driver import ProtocolMachine
from host.wire import (
    MAX_CODEC_BYTES,
    VERSION,
    Configure,
    Control,
    Credit,
    Hello,
    Hop,
    Kind,
    LinkState,
    Picture,
    Ping,
    Pong,
    Result,
    Role,
    Unknown,
    parse,
)

Packet = Picture | Control
BEGIN_US = 1_000_000
ROUND_TRIP_US = 20_000
SERVICE_US = 30_000
#: The clock of the edge server less the camera's.
AHEAD_US = 1_234_567
#: Sessions that the board has opened: the desk's program is the last one's number modulo 4.
SESSIONS = 6
PROGRAM = SESSIONS % 4


class Desk:
    """Time advances only by ``at`` and ``wait``. ``heard`` returns what the board received since its last call."""

    def __init__(self, machine: ProtocolMachine, role: Role) -> None:
        self.machine = machine
        self.role = role
        self.now_us = BEGIN_US
        self.events: list[Event] = []
        self.reader = FrameReader()
        self.lose: Callable[[Packet], bool] = lambda _: False
        self.totals = {"acked_bytes": 0, "busy_us": 0}
        self._heard: list[Packet] = []
        self._seq = 0
        machine.start(self.now_us)
        self._carry()

    def say(self, *packets: Packet) -> list[Event]:
        """Send packets as the board; return the resulting events."""
        data = b""
        for packet in packets:
            data += write_frame(self._seq, packet.pack())
            self._seq += 1
        return self._record(self.machine.receive(self.now_us, data))

    def at(self, now_us: int) -> list[Event]:
        """Advance the clock to a time and tick the machine; return the events."""
        self.now_us = max(self.now_us, now_us)
        return self._record(self.machine.tick(self.now_us))

    def wait(self, duration_us: int) -> list[Event]:
        """Advance the time, with a tick whenever the machine is due and at the end; return the events."""
        end_us = self.now_us + duration_us
        events: list[Event] = []
        while (wake_us := self.machine.wake_at()) is not None and wake_us < end_us:
            events += self.at(wake_us)
        return events + self.at(end_us)

    def heard(self, kind: type | tuple[type, ...] = object) -> list[Any]:
        """Return the packets of a kind that the board received since the last call; discard the others."""
        taken, self._heard = self._heard, []
        return [packet for packet in taken if isinstance(packet, kind)]

    def pictures(self) -> list[Picture]:
        """Return the picture packets that the board received since the last call."""
        return self.heard(Picture)

    def hello(self, **fields: Any) -> list[Event]:
        """Send the board's hello, changed by ``fields``."""
        usual = {"version": VERSION, "kind": Kind.BOARD, "role": self.role, "slots": 64, "in_flight": 4}
        usual |= {"session": 5, "sessions": SESSIONS}
        return self.say(Hello(**(usual | fields)))

    def credit(self, **fields: Any) -> list[Event]:
        """The board gives a credit: all that came is accounted for, there is room and the link is up.

        The running totals stay as they were last given.
        """
        reader = self.reader
        for name in self.totals:
            self.totals[name] = fields.get(name, self.totals[name])
        usual = {"next_seq": reader.next_seq, "missing": reader.missing, "damaged": reader.damaged % 256}
        return self.say(Credit(**(usual | {"free": 64, "link": LinkState.UP} | self.totals | fields)))

    def open(self) -> None:
        """Open a session."""
        self.hello()
        pings = self.heard(Ping)
        self.say(*(Pong(hop=Hop.BOARD, token=ping.token, origin_us=ping.origin_us) for ping in pings))

    def _record(self, events: list[Event]) -> list[Event]:
        self.events += events
        self._carry()
        return events

    def _carry(self) -> None:
        """Take the machine's frames to the board, except those that the test loses."""
        for piece in filter(None, self.machine.output().split(b"\0")):
            frame = FrameReader().feed(piece + b"\0")[0]
            packet = parse(frame.packet)
            assert not isinstance(packet, Unknown)
            if self.lose(packet):
                continue
            self.reader.feed(piece + b"\0")
            if isinstance(packet, Hello):
                self.reader.restart(frame.seq)
            self._heard.append(packet)


class SenderDesk(Desk):
    """A desk with a sender."""

    def __init__(self, sender: Sender | None = None, configure: Configure | None = None) -> None:
        self.sender = sender or Sender(nonce=7, configure=configure)
        super().__init__(self.sender, Role.CAMERA)

    def ready(self) -> None:
        """Let the edge server answer across the link with the latency ROUND_TRIP_US / 2."""
        self.open()
        self.credit()
        self.at(self.now_us)
        (ping,) = [packet for packet in self.heard(Ping) if packet.hop == Hop.PEER_HOST]
        self.pong(ping)
        assert self.sender.ready
        self.credit()
        self.heard()

    def pong(self, ping: Ping, round_trip_us: int = ROUND_TRIP_US, **fields: Any) -> list[Event]:
        """Let the edge server answer a ping, half of the round trip each way; return the events."""
        assert ping.hop == Hop.PEER_HOST
        self.now_us += round_trip_us
        usual = {"hop": Hop.PEER_HOST, "token": ping.token, "origin_us": ping.origin_us, "service_us": SERVICE_US}
        return self.say(Pong(**(usual | {"clock_us": self.clock_us(round_trip_us // 2)} | fields)))

    def clock_us(self, ago_us: int = 0) -> int:
        """Return what the edge server's clock, which counts modulo 65,536 ms, read that long ago."""
        return (self.now_us - ago_us + AHEAD_US) % CLOCK_MODULO_US

    def result(
        self,
        image: int,
        ranks: Iterable[int] = (0,),
        classes: Iterable[Class] = (),
        *,
        way_us: int = ROUND_TRIP_US // 2,
        **fields: Any,
    ) -> list[Event]:
        """Deliver a result that left the edge server ``way_us`` ago; return the events."""
        usual = {"program": PROGRAM, "service_us": SERVICE_US, "clock_us": self.clock_us(way_us)}
        usual |= {"ranks": pack_ranks(ranks), "text": pack_classes(classes)}
        return self.say(Result(image=image, **(usual | fields)))

    def measure(self, rate: float) -> None:
        """Send totals that show a rate, in codec bytes/s, and an empty queue."""
        acked, busy_us = self.totals.values()
        self.credit(acked_bytes=acked + round(rate), busy_us=busy_us + 1_000_000)

    def submit(self, count: int, deadline_us: int, size: int = MAX_CODEC_BYTES) -> int:
        """Submit a picture of ``count`` packets with a deadline from now; return its number."""
        number = self.sender.submit(self.now_us, ranked(count, size), self.now_us + deadline_us)
        self.at(self.now_us)
        return number


class ReceiverDesk(Desk):
    """A desk with a receiver."""

    def __init__(self, receiver: Receiver | None = None) -> None:
        self.receiver = receiver or Receiver(nonce=8, service_us=SERVICE_US)
        super().__init__(self.receiver, Role.EDGE)
        self.open()
        self.heard()

    def due(self, due_ms: int = 100) -> int:
        """Return the number of an image whose answer must leave the server in ``due_ms``."""
        return number_of(self.now_us + due_ms * 1000)

    def arrive(
        self,
        *ranks: int,
        image: int | None = None,
        source: int = 0,
        program: int = PROGRAM,
        last: int = 9,
        remaining_ms: int = 100,
    ) -> list[Event]:
        """Deliver packets of an image now; return the events. Without a number, it is due in ``remaining_ms``."""
        number = self.due(remaining_ms) if image is None else image
        return self.say(
            *(
                Picture(
                    image=number,
                    rank=rank,
                    position=1000 + rank,
                    remaining_ms=remaining_ms,
                    data=bytes([rank, number % 256, source]),
                    last=rank == last,
                    program=program,
                    source=source,
                )
                for rank in ranks
            )
        )


def ranked(count: int, size: int = MAX_CODEC_BYTES) -> list[RankedPacket]:
    """Return a picture's packets; every byte of a packet is its rank."""
    return [RankedPacket(rank, 3 * rank, bytes([rank]) * size) for rank in range(count)]


def ranks(pictures: list[Picture]) -> list[int]:
    """Return the ranks in the order of arrival."""
    return [picture.rank for picture in pictures]


def lost(*wanted: int) -> Callable[[Packet], bool]:
    """Return a predicate that loses the picture packets of these ranks."""
    return lambda packet: isinstance(packet, Picture) and packet.rank in wanted
