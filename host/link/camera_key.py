"""The sender's dealings with its key; without a key everything stays as it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..ranked import RankedPacket
from ..wire import MAX_CODEC_BYTES, Ping, Pong, Result
from .events import KeyFault, KeyMismatch
from .outgoing import OutgoingImage
from .sealing import FAULTS, CameraSeal, KeyReports


class CameraKey:
    """A camera's key, or that it has none.

    ``packet_bytes``: most codec bytes of a packet, and how many fewer the first one has room for.
    """

    def __init__(self, seal: CameraSeal | None) -> None:
        self._seal = seal
        self._reports = KeyReports()
        #: Whether the edge server may be another program than before, which cannot open what is sealed for that one: a
        #: ping is to find out, also while pictures are under way.
        self.is_doubtful = False
        self.packet_bytes = (MAX_CODEC_BYTES, 0) if seal is None else (seal.room, seal.room - seal.first_room)

    @property
    def may_send(self) -> bool:
        """Whether pictures can be sent: with a key, the edge server has proved that it has the same."""
        return self._seal is None or self._seal.is_ready

    def check_sizes(self, packets: Sequence[RankedPacket]) -> None:
        """Raise ValueError if a packet is too long to be sealed."""
        for packet in packets:
            most = self.packet_bytes[0] - (0 if packet.rank else self.packet_bytes[1])
            if len(packet.data) > most:
                raise ValueError(f"packet {packet.rank} has {len(packet.data)} codec bytes: {most} can be sealed")

    def ping(self, ping: Ping) -> Ping:
        """Return a ping to the edge server with the proof of the key."""
        return ping if self._seal is None else self._seal.ping(ping)

    def fault_of(self, now_us: int, pong: Pong, images: Iterable[OutgoingImage]) -> list[KeyMismatch] | None:
        """Take the edge server's salt from a pong; return what to report if it has another key, None if it has not.

        The images that the server cannot open any more, since it was restarted, are sealed and sent again.
        """
        fault = self._fault(pong)
        if fault is not None:
            return self._reports.fault(now_us, 0, fault, at_camera=True)
        self._reports.fine(0)
        self.is_doubtful = False
        for image in images:
            if image.seal is not None and not image.seal.is_current:
                image.seal = None
                image.requeue_all()
        return None

    def on_unanswered(self) -> None:
        """Take note that a picture was not answered."""
        self.is_doubtful = self._seal is not None

    def prepare(self, image: OutgoingImage) -> OutgoingImage:
        """Return an image that has its seal."""
        if image.seal is None and self._seal is not None:
            image.seal = self._seal.picture()
        return image

    def opened(self, image: OutgoingImage, result: Result) -> Result | None:
        """Return the answer to an image as it was before it was sealed; None if it is not the server's."""
        if self._seal is None:
            return result
        return None if image.seal is None else image.seal.open(result)

    def _fault(self, pong: Pong) -> KeyFault | None:
        if self._seal is None:
            return KeyFault.NONE_HERE if pong.seal else None
        return FAULTS[self._seal.pong(pong)]
