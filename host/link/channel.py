"""Numbered frames to and from one board: what was sent, what the board names as missing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..wire import Control, Credit, Hello, MalformedError, Picture, Unknown, parse
from .frames import FrameReader, write_frame

#: Frames under way at most, so that credit.missing (32 frames deep) can name each of them.
FRAMES_UNDER_WAY = 24


@dataclass(frozen=True, slots=True)
class Sent:
    """A frame on its way to the board: the packet in it and when it was written, in us."""

    packet: Picture | Control
    written_us: int


class Channel:
    """One serial connection to a board, without the I/O.

    ``write`` queues a packet, ``output`` takes the bytes to put on the port, ``receive`` takes bytes
    from it, and ``confirm`` reads a credit: it returns the packets that the board never got.
    """

    def __init__(self) -> None:
        self.reader = FrameReader()
        self.malformed = 0
        self._seq = 0
        self._under_way: dict[int, Sent] = {}
        self._output = bytearray()

    @property
    def under_way(self) -> int:
        """Frames that the board has neither confirmed nor named as missing."""
        return len(self._under_way)

    def pictures_under_way(self) -> int:
        """Picture packets among them."""
        return sum(isinstance(sent.packet, Picture) for sent in self._under_way.values())

    def oldest_us(self) -> int | None:
        """When the oldest frame under way was written; None if there is none."""
        return next((sent.written_us for sent in self._under_way.values()), None)

    def write(self, now_us: int, packet: Picture | Control) -> None:
        """Send a packet in the next frame."""
        if isinstance(packet, Hello):
            self._under_way.clear()
            self._output += b"\0"  # ends what an earlier host may have left half written
        self._output += write_frame(self._seq, packet.pack())
        self._under_way.pop(self._seq, None)
        self._under_way[self._seq] = Sent(packet, now_us)
        self._seq = (self._seq + 1) % 256

    def output(self) -> bytes:
        """Take what is to be written to the port."""
        data = bytes(self._output)
        self._output.clear()
        return data

    def receive(self, data: bytes) -> list[Picture | Control]:
        """Packets in the bytes that came from the port; unknown and malformed ones are skipped."""
        packets: list[Picture | Control] = []
        for frame in self.reader.feed(data):
            try:
                packet = parse(frame.packet)
            except MalformedError:
                self.malformed += 1
                continue
            if isinstance(packet, Hello):
                self.reader.restart(frame.seq)
            if not isinstance(packet, Unknown):
                packets.append(packet)
        return packets

    def confirm(self, credit: Credit, *, lost: Callable[[Sent], None]) -> None:
        """Strike off the frames that the board got; ``lost`` is called for each that it named as missing."""
        for seq in list(self._under_way):
            age = (credit.next_seq - 1 - seq) % 256
            if age >= 128:
                continue  # not there yet when the credit was written
            sent = self._under_way.pop(seq)
            if age >= 32 or credit.missing >> age & 1:
                lost(sent)
