"""The order in which pieces are sent, and where a stream is cut. A piece is one bit-plane of one channel."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..codec.layout import CHANNELS, PLANES

Piece = tuple[int, int]


def first_order(top: list[int]) -> list[Piece]:
    """(channel, plane) of all pieces: plane by plane from the highest, channels by frequency."""
    return [(c, p) for p in reversed(range(PLANES)) for c in range(CHANNELS) if p < top[c]]


def levels_after(order: list[Piece]) -> np.ndarray:
    """Levels of all channels after each prefix of the pieces, int64 [pieces + 1, C]. Raises ValueError for no order."""
    level = np.zeros(CHANNELS, np.int64)
    for channel, plane in order:
        level[channel] = max(level[channel], plane + 1)
    rows = [level.copy()]
    for channel, plane in order:
        if plane != level[channel] - 1:
            raise ValueError(f"plane {plane} of channel {channel} is out of order")
        level[channel] = plane
        rows.append(level.copy())
    return np.stack(rows)


class Cuts:
    """An order of pieces with the mean bytes of each (``sizes``): where streams are cut, and what is known then."""

    def __init__(self, order: list[Piece], sizes: Mapping[Piece, float]) -> None:
        self.order, self.sizes = order, sizes
        self.table = levels_after(order)
        #: Mean bytes of each prefix of the pieces.
        self.bytes = np.concatenate([[0.0], np.cumsum([sizes[piece] for piece in order])])

    def shaken(self, by: float, rng: np.random.Generator) -> Cuts:
        """The same with channels moved to and fro: ``by`` is a standard deviation in the logarithm of bytes."""
        shift = rng.normal(0, by, CHANNELS)
        key = np.log1p(self.bytes[1:]) + shift[[channel for channel, _ in self.order]]
        return Cuts([self.order[i] for i in np.argsort(key, kind="stable")], self.sizes)

    def levels(self, places: np.ndarray, side: int) -> np.ndarray:
        """Levels float32 [n, C, side, side] of streams cut after ``places`` [n] pieces, the last one in part."""
        whole = np.minimum(np.floor(places).astype(int), len(self.order))
        levels = np.repeat(self.table[whole].astype(np.float32), side * side, axis=1).reshape(len(places), CHANNELS, -1)
        for i, (k, share) in enumerate(zip(whole, places - whole, strict=True)):
            if k < len(self.order):
                channel, plane = self.order[k]
                levels[i, channel, : round(share * side * side)] = plane
        return levels.reshape(len(places), CHANNELS, side, side)

    def place(self, size_bytes: np.ndarray | float) -> np.ndarray:
        """After how many pieces a mean stream has so many bytes."""
        rising = self.bytes + np.arange(len(self.bytes)) * 1e-6
        return np.atleast_1d(np.interp(size_bytes, rising, np.arange(len(rising))))


def draw_sizes(rng: np.random.Generator, count: int, fewest: float, most: float) -> np.ndarray:
    """Bytes to cut at, [count], even in their logarithm; one from each part of the range."""
    part = (rng.permutation(count) + rng.random(count)) / count
    size: np.ndarray = np.exp(np.log(fewest) + part * np.log(most / fewest))
    return size
