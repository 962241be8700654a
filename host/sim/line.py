"""Model of the serial line between a host and a virtual board."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

from ..board.core import BoardCore
from .schedule import Schedule

#: Bytes per second of a development kit's debugger port at 1 Mbaud, 8N1.
UART_BYTES_PER_S = 100_000
#: Bytes per second of the nRF52840's USB port: 2.4 Mbit/s, the middle of the reported figures.
USB_BYTES_PER_S = 300_000
_CHUNK = 64


class BitErrors:
    """Independent bit errors of one direction: each bit is flipped with the probability ``rate``."""

    def __init__(self, rate: float, seed: int) -> None:
        self.rate = rate
        self._random = random.Random(seed)
        self._left = self._gap() if rate else 0  # sound bits before the next error

    def apply(self, data: bytes) -> bytes:
        """Return the bytes as they arrive."""
        if not self.rate:
            return data
        changed = bytearray(data)
        while self._left < 8 * len(data):
            changed[self._left // 8] ^= 1 << self._left % 8
            self._left += 1 + self._gap()
        self._left -= 8 * len(data)
        return bytes(changed)

    def _gap(self) -> int:
        """Return a number of sound bits in a row: geometrically distributed."""
        if self.rate >= 1:
            return 0
        return int(math.log(1 - self._random.random()) / math.log1p(-self.rate))


class SerialLine:
    """Both directions of one line. ``noise`` is its bit error rate, in both directions.

    Bytes for the host are pulled from the board only when line and host have room, so the board can still reorder and
    drop waiting packets.
    """

    def __init__(
        self,
        schedule: Schedule,
        *,
        bytes_per_s: int = UART_BYTES_PER_S,
        noise: float = 0.0,
        seed: int = 0,
    ) -> None:
        self.board: BoardCore | None = None
        self.on_bytes: Callable[[bytes], None] | None = None
        self.cut = False
        self._schedule = schedule
        self._us_per_byte = 1e6 / bytes_per_s
        self._errors_to_board = BitErrors(noise, 2 * seed)
        self._errors_to_host = BitErrors(noise, 2 * seed + 1)
        self._towards_board_free_us = 0.0
        self._sending = False
        self._stalled = False

    def write(self, now_us: int, data: bytes) -> None:
        """Take bytes from the host; they reach the board in chunks, at the speed of the line.

        In real time ``now_us`` is later than the schedule's clock, which stands at the last action.
        """
        for start in range(0, len(data), _CHUNK):
            chunk = data[start : start + _CHUNK]
            begin_us = max(self._towards_board_free_us, float(now_us))
            self._towards_board_free_us = begin_us + len(chunk) * self._us_per_byte
            self._schedule.at(round(self._towards_board_free_us), lambda chunk=chunk: self._to_board(chunk))  # type: ignore[misc]

    def wake(self) -> None:
        """Pull bytes from the board if it has any."""
        if not self._sending and not self._stalled and self.on_bytes is not None:
            self._sending = True
            self._schedule.at(self._schedule.now_us, self._pull)

    def stall(self, stalled: bool) -> None:
        """Stop delivering bytes to the host, or resume."""
        self._stalled = stalled
        if not stalled:
            self.wake()

    def _to_board(self, chunk: bytes) -> None:
        if self.cut or self.board is None:
            return
        self.board.serial_rx(self._schedule.now_us, self._errors_to_board.apply(chunk))

    def _pull(self) -> None:
        self._sending = False
        if self.board is None or self._stalled or self.on_bytes is None:
            return
        data = self.board.serial_tx(self._schedule.now_us, _CHUNK)
        if data:
            self._sending = True
            done_us = self._schedule.now_us + round(len(data) * self._us_per_byte)
            self._schedule.at(done_us, lambda: self._to_host(data))

    def _to_host(self, data: bytes) -> None:
        if self.on_bytes is not None and not self.cut:
            self.on_bytes(self._errors_to_host.apply(data))
        self._pull()
