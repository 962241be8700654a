"""Numbered frames to and from one board, and the account of those that the board has not confirmed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from ..wire import HELLO_NAME, MISSING_WINDOW, Control, Credit, Hello, MalformedError, Picture, Repeat, Unknown, parse
from .border import Border, Flaw, flaw_of
from .frames import FrameReader, write_frame

#: Most unconfirmed frames, so that credit.missing (32 frames deep) can name each of them.
MAX_FRAMES_IN_FLIGHT = 24


@dataclass(frozen=True, slots=True)
class Sent:
    """A frame in flight to the board: its packet and the time of writing, us."""

    packet: Picture | Control
    written_us: int


class Channel:
    """One serial connection to a board, without the I/O.

    ``write`` queues a packet, ``output`` returns the bytes for the transport, ``receive`` takes bytes from it,
    ``confirm`` applies a credit and names the packets that the board did not receive, and ``request`` names the frames
    of the board that did not arrive here. ``border`` counts the packets that make no sense.
    """

    def __init__(self) -> None:
        self.reader = FrameReader()
        self.border = Border()
        self._seq = 0
        self._in_flight: dict[int, Sent] = {}
        self._output = bytearray()
        self._requested: set[int] = set()  # missing frames of the board that were asked for

    @property
    def frames_in_flight(self) -> int:
        """Number of frames that the board has neither confirmed nor named as missing."""
        return len(self._in_flight)

    def pictures_in_flight(self) -> int:
        """Return the number of picture packets in flight."""
        return sum(isinstance(sent.packet, Picture) for sent in self._in_flight.values())

    def oldest_us(self) -> int | None:
        """Return when the oldest frame in flight was written; None if there is none."""
        return next((sent.written_us for sent in self._in_flight.values()), None)

    def write(self, now_us: int, packet: Picture | Control) -> None:
        """Send a packet in the next frame."""
        if isinstance(packet, Hello):
            self._in_flight.clear()
            self._output += b"\0"  # ends a frame that an earlier host may have left incomplete
        self._output += write_frame(self._seq, packet.pack())
        self._in_flight.pop(self._seq, None)
        self._in_flight[self._seq] = Sent(packet, now_us)
        self._seq = (self._seq + 1) % 256

    def output(self) -> bytes:
        """Return the bytes for the transport; each is returned once."""
        data = bytes(self._output)
        self._output.clear()
        return data

    def receive(self, data: bytes) -> list[Picture | Control]:
        """Return the packets in received bytes; unknown, malformed and implausible ones are skipped."""
        packets: list[Picture | Control] = []
        for frame in self.reader.feed(data):
            try:
                packet = parse(frame.packet)
            except MalformedError:
                self.border.count(Flaw.MALFORMED)
                continue
            if isinstance(packet, Unknown):
                continue
            flaw = flaw_of(packet)
            if flaw is not None:
                self.border.count(flaw)
                continue
            if isinstance(packet, Hello):
                self.reader.restart(frame.seq)
                self._requested.clear()
                packet = replace(packet, name=packet.name[:HELLO_NAME])
            packets.append(packet)
        return packets

    def request(self) -> Repeat | None:
        """Return a request for the missing frames of the board that were not asked for yet; None if there are none.

        A frame that is sent again gets another number, so each is asked for once, unless the request is lost.
        """
        reader = self.reader
        if not reader.missing:
            self._requested.clear()
            return None
        missing = _frames(reader.next_seq, reader.missing)
        self._requested &= missing.keys()
        mask = sum(1 << age for seq, age in missing.items() if seq not in self._requested)
        self._requested |= missing.keys()
        return Repeat(next_seq=reader.next_seq, missing=mask) if mask else None

    def forget(self, request: Repeat) -> None:
        """Take note that a request did not reach the board: what it asked for, and still matters, is asked again."""
        self._requested -= _frames(request.next_seq, request.missing).keys()

    def abandon(self) -> list[Sent]:
        """Give up the frames in flight, because the session ends, and return them in order."""
        abandoned = list(self._in_flight.values())
        self._in_flight.clear()
        return abandoned

    def confirm(self, credit: Credit, *, lost: Callable[[Sent], None]) -> None:
        """Remove the frames that a credit accounts for; ``lost`` is called for each frame that it names as missing."""
        for seq in list(self._in_flight):
            age = (credit.next_seq - 1 - seq) % 256
            if age >= 128:
                continue  # had not arrived when the credit was written
            sent = self._in_flight.pop(seq)
            if age >= MISSING_WINDOW or credit.missing >> age & 1:
                lost(sent)


def _frames(next_seq: int, missing: int) -> dict[int, int]:
    """Return the sequence numbers that ``missing`` names, each with the number of its bit."""
    return {(next_seq - 1 - age) % 256: age for age in range(MISSING_WINDOW) if missing >> age & 1}
