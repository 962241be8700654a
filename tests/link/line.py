"""A session alone on its line: what it sends, and when, as a board reads it."""

from __future__ import annotations

from typing import Any

from host.link.channel import Channel
from host.link.events import Event
from host.link.frames import write_frame
from host.link.session import Session, State
from host.wire import VERSION, Configure, Credit, Hello, Kind, Role
from tests.link.desk import BEGIN_US, SESSIONS

CAMERA = Configure(role=Role.CAMERA, tx_power_dbm=127)
BOARD = Hello(version=VERSION, kind=Kind.BOARD, role=Role.CAMERA, session=5, sessions=SESSIONS)


class Line:
    """Time advances only by ``until``. The board's side is said by hand."""

    def __init__(self, configure: Configure = CAMERA, **options: Any) -> None:
        self.session = Session(configure, nonce=7, name="send", **options)
        self.board = Channel()  # the board's end reads and counts frames as this one does
        self.now_us = BEGIN_US
        self.events: list[Event] = []
        self.spoken: list[tuple[int, Any]] = []
        self._seq = 0
        self.session.start(self.now_us)
        self._note()

    def say(self, *packets: Any) -> list[Event]:
        """Send packets as the board; return the events."""
        data = b"".join(write_frame(self._seq + at, packet.pack()) for at, packet in enumerate(packets))
        self._seq += len(packets)
        events, self.others = self.session.receive(self.now_us, data)
        self._note()
        return events

    def damage(self) -> None:
        """Send a frame of the board that arrives damaged, as the last one."""
        self._seq += 1
        self.session.receive(self.now_us, b"\x02\x01\x05\x07\x00")
        self._note()

    def write(self, packet: Any) -> None:
        """Let the sender write a packet of its own."""
        self.session.channel.write(self.now_us, packet)
        self._note()

    def until(self, end_us: int) -> None:
        """Call the session whenever it wants, and at the end."""
        while (wake_us := self.session.wake_at()) is not None and wake_us < end_us:
            self._tick(max(wake_us, self.now_us))
        self._tick(end_us)

    def open(self) -> None:
        """Open the session, and confirm everything."""
        self.say(BOARD)
        assert self.session.state is State.OPEN
        self.confirm()
        self.spoken.clear()

    def confirm(self, *, heard: bool = True, **fields: Any) -> list[Any]:
        """Give a credit that accounts for all frames; return the packets that the session names as lost."""
        reader = self.board.reader
        credit = Credit(next_seq=reader.next_seq, missing=reader.missing, **fields)
        if heard:
            self.say(credit)
        lost = self.session.confirm(self.now_us, credit)
        self._note()
        return [sent.packet for sent in lost]

    def times(self, kind: type) -> list[int]:
        """Return when packets of a kind were sent, from the beginning, us."""
        return [at_us - BEGIN_US for at_us, packet in self.spoken if isinstance(packet, kind)]

    def _tick(self, now_us: int) -> None:
        self.now_us = now_us
        self.events += self.session.tick(now_us)
        self._note()

    def _note(self) -> None:
        self.spoken += [(self.now_us, packet) for packet in self.board.receive(self.session.channel.output())]
