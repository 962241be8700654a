"""The policy ``reference``: the way the reference's testbed sends (RTSS 2023, section 5).

Blocks go in their order, as long as the time to send lasts, into the buffers below, from which nothing is recalled and
in which nothing expires. Then a flag tells the server to decode what it has. The packets carry no deadline.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..link.answers import Class, pack_classes, pack_ranks
from ..link.events import Event, ImageCollected
from ..link.image_number import CLOCK_MODULO_US
from ..link.session import Session, State
from ..ranked import RankedPacket
from ..wire import Configure, Credit, Hop, Picture, Ping, Pong, Result, ResultStatus, Role
from .plain_sender import PlainSender

#: Packets in the buffers below the sender.
_DEPTH = 6
#: Time that the sender leaves for the server and the way back, us.
_TAIL_US = 70_000
#: A remaining time that never passes, ms. Equal ones keep the order of the board's queue first in, first out.
_FOREVER_MS = 60_000
#: Position of the flag.
_FLAG = 0xFFFF


class ReferenceSender(PlainSender):
    """Sends blocks until the time is over, then the flag."""

    def send_by_us(self, now_us: int, deadline_us: int) -> int:  # noqa: ARG002
        """Return the deadline less a fixed time for the server and the way back."""
        return deadline_us - _TAIL_US

    def fill(self, now_us: int) -> None:
        """Keep the buffers below full; pictures follow one another."""
        pending = list(self._pending.values())
        for image in pending:
            image.over = image.over or now_us >= image.send_by_us
        for image in pending:
            blocks = len(image.packets)
            while image.next <= blocks and self.has_room():
                if image.over or image.next == blocks:
                    self._give(now_us, image.number, _FLAG, b"\1")
                    image.next = blocks + 1
                elif self.below() >= _DEPTH:
                    return
                else:
                    self._give(now_us, image.number, image.next, image.packets[image.next].data)
                    image.next += 1
            if image.next <= blocks:
                return

    def wake_at(self) -> int | None:
        """Return when ``tick`` is due: also when the time of a picture is over."""
        times = [super().wake_at()]
        times += [image.send_by_us for image in self._pending.values() if not image.over]
        return min((time for time in times if time is not None), default=None)

    def _give(self, now_us: int, number: int, position: int, data: bytes) -> None:
        self.give(now_us, Picture(image=number, rank=0, position=position, remaining_ms=_FOREVER_MS, data=data))


class ReferenceReceiver:
    """Collects the blocks of a picture until its flag."""

    def __init__(self, nonce: int, service_us: int) -> None:
        """``service_us``: the server's time for a picture, for the answers to pings."""
        self.session = Session(Configure(role=Role.EDGE, tx_power_dbm=127), nonce=nonce, name="recv")
        self._service_us = service_us
        self._open: dict[tuple[int, int], dict[int, tuple[int, bytes]]] = {}  # by source and image

    def start(self, now_us: int) -> None:
        """Send hello to the board, on a newly opened transport."""
        self.session.start(now_us)

    def receive(self, now_us: int, data: bytes) -> list[Event]:
        """Take bytes from the transport; return the events."""
        events, packets = self.session.receive(now_us, data)
        for packet in packets:
            match packet:
                case Picture():
                    events += self._on_picture(now_us, packet)
                case Ping(hop=Hop.PEER_HOST):
                    pong = Pong(
                        hop=packet.hop,
                        token=packet.token,
                        origin_us=packet.origin_us,
                        service_us=self._service_us,
                        clock_us=now_us % CLOCK_MODULO_US,
                        peer=packet.peer,
                    )
                    self.session.channel.write(now_us, pong)
                case Credit():
                    self.session.confirm(now_us, packet)
        return events

    def tick(self, now_us: int) -> list[Event]:
        """Advance the time; return the events."""
        return self.session.tick(now_us)

    def output(self) -> bytes:
        """Return the bytes for the transport; each is returned once."""
        return self.session.channel.output()

    def wake_at(self) -> int | None:
        """Return when ``tick`` is due if no bytes arrive before; None: never."""
        return self.session.wake_at()

    def answer(
        self,
        now_us: int,
        collected: ImageCollected,
        classes: Iterable[Class],
        *,
        service_us: int,
        used: Iterable[int],
    ) -> None:
        """Answer a picture."""
        if self.session.state is not State.OPEN:
            return
        result = Result(
            image=collected.image,
            status=ResultStatus.OK,
            margin_ms=0,
            service_us=service_us,
            clock_us=now_us % CLOCK_MODULO_US,
            ranks=pack_ranks(used),
            text=pack_classes(classes),
            peer=collected.source,
        )
        self.session.channel.write(now_us, result)

    def skip(self, collected: ImageCollected) -> None:
        """Do nothing: there are no provisional answers."""

    def refuse(self, now_us: int, collected: ImageCollected, status: ResultStatus, text: str = "") -> None:
        """Do nothing: this server answers every picture."""

    def _on_picture(self, now_us: int, packet: Picture) -> list[Event]:
        key = (packet.source, packet.image)
        for other in [each for each in self._open if each[0] == packet.source and each != key]:
            del self._open[other]  # its flag was lost: nothing of it comes after a later picture
        blocks = self._open.setdefault(key, {})
        if packet.position != _FLAG:
            blocks[packet.position] = (now_us, packet.data)
            return []
        del self._open[key]
        packets = tuple(RankedPacket(rank, 0, data) for rank, (_, data) in sorted(blocks.items()))
        arrived_us = {rank: at_us for rank, (at_us, _) in blocks.items()}
        return [ImageCollected(*key, 0, packets, False, now_us + _FOREVER_MS * 1000, arrived_us)]
