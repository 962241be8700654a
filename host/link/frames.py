"""Serial frames: COBS(sequence number, packet, CRC-32 of both) and a zero byte. See protocol/SPEC.md."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from cobs import cobs

from ..wire import FRAME_OVERHEAD, MAX_FRAME, MAX_PACKET, MISSING_WINDOW

_SEQ_MODULO = 256


@dataclass(frozen=True, slots=True)
class Frame:
    """A sound frame: its sequence number (0..255) and its packet (1 to 244 bytes)."""

    seq: int
    packet: bytes


def write_frame(seq: int, packet: bytes) -> bytes:
    """The bytes of a frame, the closing zero among them; ValueError if the packet is empty or too long."""
    if not 0 < len(packet) <= MAX_PACKET:
        raise ValueError(f"a packet of {len(packet)} bytes; 1 to {MAX_PACKET} are legal")
    body = bytes((seq % _SEQ_MODULO,)) + packet
    return bytes(cobs.encode(body + zlib.crc32(body).to_bytes(4, "little"))) + b"\0"


class FrameReader:
    """Finds frames in a byte stream, whatever is in it, and watches the sequence numbers.

    ``next_seq`` is expected next; bit ``k`` of ``missing`` says that frame ``next_seq - 1 - k`` never
    arrived whole; ``damaged`` and ``missed`` count frames with a bad COBS code, length or CRC, and
    sequence numbers passed over. At most one frame's bytes are kept.
    """

    def __init__(self) -> None:
        self.next_seq = 0
        self.missing = 0
        self.damaged = 0
        self.missed = 0
        self._buffer = bytearray()
        self._overlong = False

    def feed(self, data: bytes) -> list[Frame]:
        """Take bytes of the stream; returns the frames that they complete."""
        frames = []
        *ended, rest = data.split(b"\0")
        for piece in ended:
            self._extend(piece)
            frame = self._finish()
            if frame is not None:
                frames.append(frame)
        self._extend(rest)
        return frames

    def restart(self, seq: int) -> None:
        """The session starts with frame ``seq``: what was missing before it no longer counts."""
        self.next_seq = (seq + 1) % _SEQ_MODULO
        self.missing = 0

    def _extend(self, piece: bytes) -> None:
        if len(self._buffer) + len(piece) > MAX_FRAME:
            self._overlong = True
            self._buffer.clear()
        elif not self._overlong:
            self._buffer += piece

    def _finish(self) -> Frame | None:
        encoded, overlong = bytes(self._buffer), self._overlong
        self._buffer.clear()
        self._overlong = False
        if not encoded and not overlong:
            return None
        body = b"" if overlong else _unstuff(encoded)
        if len(body) < FRAME_OVERHEAD + 1 or zlib.crc32(body[:-4]) != int.from_bytes(body[-4:], "little"):
            self.damaged += 1
            return None
        self._count(body[0])
        return Frame(body[0], body[1:-4])

    def _count(self, seq: int) -> None:
        gap = (seq - self.next_seq) % _SEQ_MODULO
        self.missed += gap
        ones = (1 << min(gap, MISSING_WINDOW)) - 1
        shifted = (self.missing << min(gap + 1, MISSING_WINDOW + 1)) | (ones << 1)
        self.missing = shifted & ((1 << MISSING_WINDOW) - 1)
        self.next_seq = (seq + 1) % _SEQ_MODULO


def _unstuff(encoded: bytes) -> bytes:
    try:
        return bytes(cobs.decode(encoded))
    except cobs.DecodeError:
        return b""
