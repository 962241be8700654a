"""Serial frames: COBS(sequence number, packet, CRC-32 of both) and a zero byte. See protocol/SPEC.md."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from cobs import cobs

from ..wire import FRAME_OVERHEAD, MAX_FRAME, MAX_PACKET, MISSING_WINDOW

_SEQ_MODULO = 256


@dataclass(frozen=True, slots=True)
class Frame:
    """An intact frame: its sequence number (0..255) and its packet (1 to 244 bytes)."""

    seq: int
    packet: bytes


def write_frame(seq: int, packet: bytes) -> bytes:
    """Return the bytes of a frame with its closing zero; ValueError if the packet is empty or too long."""
    if not 0 < len(packet) <= MAX_PACKET:
        raise ValueError(f"a packet of {len(packet)} bytes; 1 to {MAX_PACKET} are legal")
    body = bytes((seq % _SEQ_MODULO,)) + packet
    return bytes(cobs.encode(body + zlib.crc32(body).to_bytes(4, "little"))) + b"\0"


class FrameReader:
    """Finds frames in any byte stream and checks the sequence numbers.

    ``next_seq`` is the expected number. Bit ``k`` of ``missing`` is set if frame ``next_seq - 1 - k`` never arrived
    intact. ``damaged`` counts frames with a bad COBS code, length or CRC; ``missed`` counts skipped sequence
    numbers. The reader buffers at most one frame.
    """

    def __init__(self) -> None:
        self.next_seq = 0
        self.missing = 0
        self.damaged = 0
        self.missed = 0
        self._buffer = bytearray()
        self._overlong = False

    def feed(self, data: bytes) -> list[Frame]:
        """Take bytes of the stream; return the frames that they complete."""
        frames = []
        *ended, rest = data.split(b"\0")
        for chunk in ended:
            self._extend(chunk)
            frame = self._finish()
            if frame is not None:
                frames.append(frame)
        self._extend(rest)
        return frames

    def restart(self, seq: int) -> None:
        """Begin a session with frame ``seq``: frames missing before it no longer count."""
        self.next_seq = (seq + 1) % _SEQ_MODULO
        self.missing = 0

    def _extend(self, chunk: bytes) -> None:
        if len(self._buffer) + len(chunk) > MAX_FRAME:
            self._overlong = True
            self._buffer.clear()
        elif not self._overlong:
            self._buffer += chunk

    def _finish(self) -> Frame | None:
        encoded, overlong = bytes(self._buffer), self._overlong
        self._buffer.clear()
        self._overlong = False
        if not encoded and not overlong:
            return None
        body = _unstuff(encoded)  # nothing of one that is overlong
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
