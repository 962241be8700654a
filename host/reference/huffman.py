"""Static Huffman codes as the Python package dahuffman writes them: the published bitstream of one channel.

Bits fill bytes from the most significant one. If the last byte is not full, the code of an end symbol follows, cut off
at the end of the byte or padded with zeros. If it is full, nothing marks the end.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping

import numpy as np

from ..codec.errors import CodecError
from .quantizer import SYMBOLS

#: The index of the end symbol in a table.
END = SYMBOLS
_MAX_BITS = 64


class HuffmanTable:
    """A prefix code for 64 symbols and the end."""

    def __init__(self, bits: np.ndarray, codes: np.ndarray) -> None:
        """Check and index a code.

        Args:
            bits: [65], the length of each code; 0 for a symbol without one.
            codes: [65], the codes, right-aligned.

        Raises:
            CodecError: it is not a prefix code, or the end has no code.
        """
        self.bits, self.codes = bits.astype(np.int64), codes.astype(np.uint64)
        if self.bits.shape != (END + 1,) or self.codes.shape != (END + 1,):
            raise CodecError(f"a Huffman table has {END + 1} codes, not {list(bits.shape)} and {list(codes.shape)}")
        if self.bits.min() < 0 or self.bits.max() > _MAX_BITS or self.bits[END] == 0:
            raise CodecError(f"a Huffman table's codes have 1 to {_MAX_BITS} bits, and its end has one")
        coded = np.flatnonzero(self.bits)
        # Shifted to the top of 64 bits, a code is the first of the interval of words that begin with it.
        spare = (_MAX_BITS - self.bits[coded]).astype(np.uint64)
        starts = self.codes[coded] << spare
        if (starts >> spare != self.codes[coded]).any():
            raise CodecError("a Huffman table has a code that does not fit its length")
        lasts = starts + ((np.uint64(1) << spare) - np.uint64(1))
        order = np.argsort(starts)
        self._starts, self._lasts, self._coded = starts[order], lasts[order], coded[order]
        if (self._starts[1:] <= self._lasts[:-1]).any():
            raise CodecError("a Huffman table is no prefix code: a code begins with another one")

    @classmethod
    def from_codes(cls, codes: Mapping[int, tuple[int, int]]) -> HuffmanTable:
        """Make a table from symbol -> (bits, code); the end's symbol is ``END``."""
        bits, values = np.zeros(END + 1, np.int64), np.zeros(END + 1, np.uint64)
        for symbol, (length, value) in codes.items():
            if not 0 <= symbol <= END:
                raise CodecError(f"a Huffman table has a code for {symbol}; symbols are 0 to {SYMBOLS - 1}")
            if not (1 <= length <= _MAX_BITS and 0 <= value < 1 << length):
                raise CodecError(f"a Huffman table gives {symbol} a code that does not fit its length")
            bits[symbol], values[symbol] = length, value
        return cls(bits, values)

    @classmethod
    def fit(cls, counts: np.ndarray) -> HuffmanTable:
        """Return the code that dahuffman makes of ``counts`` [64], whole numbers; the end counts 1.

        A symbol that never occurred counts 1 as well, so that every picture can be coded.
        """
        if counts.shape != (SYMBOLS,):
            raise ValueError(f"counts are [{SYMBOLS}], not {list(counts.shape)}")
        # Of equal counts the one whose first leaf is lower comes first, the end before all.
        heap = [(max(int(count), 1), symbol, {symbol: (0, 0)}) for symbol, count in enumerate(counts)]
        heap.append((1, -1, {END: (0, 0)}))
        heapq.heapify(heap)
        while len(heap) > 1:
            low, high = heapq.heappop(heap), heapq.heappop(heap)
            leaves = {symbol: (bits + 1, code) for symbol, (bits, code) in low[2].items()}
            leaves |= {symbol: (bits + 1, (1 << bits) + code) for symbol, (bits, code) in high[2].items()}
            heapq.heappush(heap, (low[0] + high[0], low[1], leaves))
        return cls.from_codes(heap[0][2])

    def encode(self, symbols: np.ndarray) -> bytes:
        """Encode symbols 0..63 of any shape, row by row. Raises CodecError for a symbol without a code."""
        flat = symbols.reshape(-1).astype(np.int64)
        bits = self._written(flat)
        short = -len(bits) % 8
        if short:
            end = self._written(np.array([END]))[:short]
            bits = np.concatenate([bits, end, np.zeros(short - len(end), np.uint8)])
        return np.packbits(bits).tobytes()

    def _written(self, symbols: np.ndarray) -> np.ndarray:
        """Return the codes of the symbols in sequence, a uint8 for each bit."""
        lengths = self.bits[symbols]
        if not lengths.all():
            raise CodecError(f"the Huffman table has no code for symbol {symbols[lengths == 0][0]}")
        ends = np.repeat(lengths.cumsum(), lengths)
        places = (ends - 1 - np.arange(len(ends))).astype(np.uint64)
        written: np.ndarray = (np.repeat(self.codes[symbols], lengths) >> places & np.uint64(1)).astype(np.uint8)
        return written

    def decode(self, data: bytes, count: int) -> np.ndarray:
        """Decode at most ``count`` symbols, uint8, up to the end symbol, the end of ``data`` or an invalid code.

        The work is bounded by ``count``, whatever the length of ``data``.
        """
        data = data[: -(-count * int(self.bits.max()) // 8)]
        symbols, lengths = self._everywhere(data)
        found: list[int] = []
        at, total = 0, len(symbols)
        while at < total and len(found) < count:
            length = lengths[at]
            if length == 0 or at + length > total or symbols[at] == END:
                break
            found.append(symbols[at])
            at += length
        return np.array(found, np.uint8)

    def _everywhere(self, data: bytes) -> tuple[list[int], list[int]]:
        """Return, for each bit of ``data``, the symbol whose code begins there and its length; length 0 for none."""
        padded = np.frombuffer(data + bytes(8), np.uint8).astype(np.uint64)
        windows = np.zeros(len(data), np.uint64)
        for place in range(8):
            windows = windows << np.uint64(8) | padded[place : place + len(data)]
        shifts = np.arange(8, dtype=np.uint64)
        behind = padded[8 : 8 + len(data), np.newaxis] >> (np.uint64(8) - shifts)
        at = ((windows[:, np.newaxis] << shifts) | behind).reshape(-1)
        index = np.searchsorted(self._starts, at, side="right") - 1
        known = (index >= 0) & (at <= self._lasts[index])
        symbols = self._coded[index]
        return symbols.tolist(), np.where(known, self.bits[symbols], 0).tolist()
