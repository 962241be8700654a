"""The receiver: collects the packets of images until their deadlines, for several cameras at once.

A protocol machine without I/O, as the sender. It reports each image once, as ``ImageCollected``, when the image is
whole or its deadline is reached, whichever is first; the edge server then calls ``answer``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ..ranked import RankedPacket
from ..wire import MAX_PACKET, Configure, Control, Credit, Hop, Picture, Ping, Pong, Result, ResultStatus, Role
from .answers import Class, pack_classes
from .channel import Sent
from .events import Event, ImageCollected, Opened
from .session import Session, State

#: Most images collected at a time, of all cameras; another one closes the image closest to its deadline.
MAX_OPEN = 64
#: Packets of an image closed within this time count as late; after it the image number may be used again.
REMEMBER_US = 3_000_000


@dataclass(slots=True)
class _Collection:
    deadline_us: int
    last_rank: int | None = None
    packets: dict[int, RankedPacket] = field(default_factory=dict)
    arrived_us: dict[int, int] = field(default_factory=dict)

    @property
    def whole(self) -> bool:
        return self.last_rank is not None and len(self.packets) == self.last_rank + 1


class Receiver:
    """The edge server's end of the link. Times are microseconds of the caller's clock.

    ``service_us`` is the time that the server expects to need for one picture; cameras request it. ``late`` counts
    packets that arrived after their image was closed, ``repeated`` counts duplicates.
    """

    def __init__(self, *, nonce: int, configure: Configure | None = None, service_us: int = 0) -> None:
        self.session = Session(configure or Configure(role=Role.EDGE, tx_power_dbm=127), nonce=nonce, name="recv")
        self.service_us = service_us
        self.late = 0
        self.repeated = 0
        self._open: dict[tuple[int, int, int], _Collection] = {}
        self._closed_us: dict[tuple[int, int, int], int] = {}
        self._sessions: dict[int, int] = {}  # session of each camera computer, by source

    def start(self, now_us: int) -> None:
        """Send hello to the board, on a newly opened transport."""
        self.session.start(now_us)

    def receive(self, now_us: int, data: bytes) -> list[Event]:
        """Take bytes from the transport; return the events."""
        events, packets = self.session.receive(now_us, data)
        for event in events:
            if isinstance(event, Opened):
                self._send_again(now_us, self.session.take_abandoned())
        for packet in packets:
            events += self._on_packet(now_us, packet)
        self._expect()
        return events

    def tick(self, now_us: int) -> list[Event]:
        """Advance the time; return events, among them the images whose deadline is reached."""
        events = self.session.tick(now_us)
        due = [key for key, image in self._open.items() if now_us >= image.deadline_us]
        events += [self._close(now_us, key) for key in sorted(due, key=lambda key: self._open[key].deadline_us)]
        for key in [key for key, at_us in self._closed_us.items() if now_us - at_us >= REMEMBER_US]:
            del self._closed_us[key]
        self._expect()
        return events

    def output(self) -> bytes:
        """Return the bytes for the transport; each is returned once."""
        return self.session.channel.output()

    def wake_at(self) -> int | None:
        """Return when ``tick`` is due if no bytes arrive before; None: never."""
        times = [self.session.wake_at(), *(image.deadline_us for image in self._open.values())]
        return min((time for time in times if time is not None), default=None)

    def answer(
        self,
        now_us: int,
        collected: ImageCollected,
        classes: Iterable[Class],
        *,
        service_us: int,
        used: Iterable[int],
    ) -> None:
        """Answer an image with its classes, most probable first, and the ranks that were used."""
        self._result(now_us, collected, ResultStatus.OK, pack_classes(classes), service_us, tuple(used))

    def refuse(self, now_us: int, collected: ImageCollected, status: ResultStatus, text: str = "") -> None:
        """Answer an image without classes; ``text`` is the cause."""
        room = MAX_PACKET - Result.LAYOUT.size
        self._result(now_us, collected, status, text.encode()[:room], 0, tuple(collected.arrived_us))

    def _result(
        self,
        now_us: int,
        collected: ImageCollected,
        status: ResultStatus,
        text: bytes,
        service_us: int,
        used: tuple[int, ...],
    ) -> None:
        if self.session.state is not State.OPEN:
            return
        ranks = bytearray(32)
        for rank in used:
            ranks[rank // 8] |= 1 << rank % 8
        last_us = max((collected.arrived_us[rank] for rank in used), default=collected.deadline_us)
        margin_ms = min(max((collected.deadline_us - last_us) // 1000, -0x8000), 0x7FFF)
        self.session.channel.write(
            now_us,
            Result(
                image=collected.image,
                program=collected.program,
                status=status,
                margin_ms=margin_ms,
                service_us=service_us,
                ranks=bytes(ranks),
                text=text,
                peer=collected.source,
            ),
        )

    def _on_packet(self, now_us: int, packet: Picture | Control) -> list[Event]:
        match packet:
            case Picture():
                return self._on_picture(now_us, packet)
            case Ping(hop=Hop.PEER_HOST):
                self._on_session(packet.peer, packet.token)
                pong = Pong(
                    hop=packet.hop,
                    token=packet.token,
                    origin_us=packet.origin_us,
                    service_us=self.service_us,
                    peer=packet.peer,
                )
                self.session.channel.write(now_us, pong)
            case Credit():
                self._send_again(now_us, self.session.confirm(now_us, packet))
        return []

    def _send_again(self, now_us: int, lost: Iterable[Sent]) -> None:
        for sent in lost:
            if isinstance(sent.packet, Result | Pong):
                self.session.channel.write(now_us, sent.packet)

    def _expect(self) -> None:
        """Let the session watch for lost packets of the images that are open."""
        self.session.expect_until(max((image.deadline_us for image in self._open.values()), default=None))

    def _on_session(self, source: int, session: int) -> None:
        """Discard the images of a camera computer that has restarted: it reuses their numbers."""
        if self._sessions.get(source, session) != session:
            for images in (self._open, self._closed_us):
                for key in [key for key in images if key[0] == source]:
                    del images[key]
        self._sessions[source] = session

    def _on_picture(self, now_us: int, packet: Picture) -> list[Event]:
        key = (packet.source, packet.image, packet.program)
        if key in self._closed_us:
            self.late += 1
            return []
        events: list[Event] = []
        deadline_us = now_us + packet.remaining_ms * 1000
        image = self._open.get(key)
        if image is None:
            if len(self._open) >= MAX_OPEN:
                events.append(self._close(now_us, min(self._open, key=lambda k: self._open[k].deadline_us)))
            image = self._open[key] = _Collection(deadline_us)
        image.deadline_us = min(image.deadline_us, deadline_us)
        if packet.rank in image.packets:
            self.repeated += 1
            return events
        image.packets[packet.rank] = RankedPacket(packet.rank, packet.position, packet.data)
        image.arrived_us[packet.rank] = now_us
        if packet.last:
            image.last_rank = packet.rank
        if image.whole:
            events.append(self._close(now_us, key))
        return events

    def _close(self, now_us: int, key: tuple[int, int, int]) -> ImageCollected:
        image = self._open.pop(key)
        self._closed_us[key] = now_us
        packets = tuple(image.packets[rank] for rank in sorted(image.packets))
        return ImageCollected(*key, packets, image.whole, image.deadline_us, image.arrived_us)
