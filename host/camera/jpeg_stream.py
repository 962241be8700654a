"""Takes the pictures out of a stream of JPEG files, one after the other, with or without something between them.

This is MJPEG as programs write it to a pipe, also with the headers of HTTP (``multipart/x-mixed-replace``).
"""

from __future__ import annotations

#: A picture with more bytes is not taken: what follows is searched for the next one.
MOST_BYTES = 64 << 20
_START = b"\xff\xd8\xff"
_MARK = 0xFF
_START_OF_IMAGE, _END_OF_IMAGE, _START_OF_SCAN = 0xD8, 0xD9, 0xDA
#: Marks without a length after them (ITU-T T.81, table B.1): TEM, RST0 to RST7. In a scan, FF 00 is the value FF.
_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})


class JpegStream:
    """Finds pictures by their marks and lengths, so that a preview inside of one is not taken for another.

    Bytes between two pictures are skipped. A picture that another one begins in is dropped.
    """

    def __init__(self) -> None:
        self._data = bytearray()
        self._at = -1  # where the next mark is expected, or the rest of a scan; -1: no picture has begun
        self._in_scan = False

    def feed(self, data: bytes) -> list[bytes]:
        """Take more bytes of the stream; return the pictures that are complete with them."""
        self._data += data
        pictures: list[bytes] = []
        while self._step(pictures):
            pass
        if len(self._data) > MOST_BYTES:
            self._drop(len(self._data))
        return pictures

    def rest(self) -> bytes:
        """Return what has come of a picture whose end has not."""
        return bytes(self._data) if self._at >= 0 else b""

    def _step(self, pictures: list[bytes]) -> bool:
        """Go on by one mark. Return False if that needs more bytes."""
        if self._at < 0:
            return self._begin()
        if self._in_scan:
            return self._skip_scan()
        if len(self._data) < self._at + 2:
            return False
        if self._data[self._at] != _MARK:  # damaged
            self._drop(2)
            return True
        mark = self._data[self._at + 1]
        if mark == _MARK:  # a fill byte
            self._at += 1
        elif mark == _END_OF_IMAGE:
            pictures.append(bytes(self._data[: self._at + 2]))
            self._drop(self._at + 2)
        elif mark == _START_OF_IMAGE:  # the one before was cut off
            self._drop(self._at)
        elif mark in _ALONE:
            self._at += 2
        else:
            return self._skip_segment(mark)
        return True

    def _begin(self) -> bool:
        start = self._data.find(_START)
        if start < 0:
            del self._data[: max(0, len(self._data) - len(_START) + 1)]
            return False
        del self._data[:start]
        self._at, self._in_scan = 2, False
        return True

    def _skip_segment(self, mark: int) -> bool:
        if len(self._data) < self._at + 4:
            return False
        self._at += 2 + max(2, int.from_bytes(self._data[self._at + 2 : self._at + 4], "big"))
        self._in_scan = mark == _START_OF_SCAN
        return True

    def _skip_scan(self) -> bool:
        """Skip coded values to the next mark, which is no restart."""
        while True:
            at = self._data.find(b"\xff", self._at)
            if at < 0 or at + 1 >= len(self._data):
                self._at = max(self._at, len(self._data) if at < 0 else at)
                return False
            if self._data[at + 1] == 0 or self._data[at + 1] in _ALONE:
                self._at = at + 2
                continue
            self._at, self._in_scan = at, False
            return True

    def _drop(self, count: int) -> None:
        del self._data[:count]
        self._at = -1
