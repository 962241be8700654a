"""The order of the coding passes, and truncation of streams. A pass codes one bit-plane of one channel."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..codec.layout import CHANNELS, FINER

#: Channel and plane.
CodingPass = tuple[int, int]


def level_of(coding_pass: CodingPass) -> int:
    """Return a pass's plane, counted from the first one above ``FINER``."""
    channel, plane = coding_pass
    return plane - int(FINER[channel])


def plane_by_plane(plane_counts: list[int]) -> list[CodingPass]:
    """Return all passes plane by plane from the highest, channels in order of frequency."""
    passes = [(c, p) for c in range(CHANNELS) for p in range(plane_counts[c])]
    return sorted(passes, key=lambda coding_pass: (-level_of(coding_pass), coding_pass[0]))


def missing_after(order: list[CodingPass]) -> np.ndarray:
    """Count the missing planes of all channels after each prefix of the passes, int64 [passes + 1, C].

    Raises ValueError if a channel's planes are not in falling order.
    """
    missing = np.zeros(CHANNELS, np.int64)
    for channel, plane in order:
        missing[channel] = max(missing[channel], plane + 1)
    rows = [missing.copy()]
    for channel, plane in order:
        if plane != missing[channel] - 1:
            raise ValueError(f"plane {plane} of channel {channel} is out of order")
        missing[channel] = plane
        rows.append(missing.copy())
    return np.stack(rows)


class PassOrder:
    """An order of passes with their mean bytes, and what truncated streams hold."""

    def __init__(self, order: list[CodingPass], sizes: Mapping[CodingPass, float]) -> None:
        """Take an order and the mean bytes of each pass. Raises ValueError as ``missing_after`` does."""
        self.order, self.sizes = order, sizes
        #: Missing planes after each prefix of the passes, int64 [passes + 1, C].
        self.table = missing_after(order)
        #: Mean bytes of each prefix of the passes.
        self.bytes = np.concatenate([[0.0], np.cumsum([sizes[coding_pass] for coding_pass in order])])

    def shaken(self, by: float, rng: np.random.Generator) -> PassOrder:
        """Return a similar order: channels are shifted at random, by a deviation ``by`` in the logarithm of bytes."""
        shift = rng.normal(0, by, CHANNELS)
        key = np.log1p(self.bytes[1:]) + shift[[channel for channel, _ in self.order]]
        return PassOrder([self.order[i] for i in np.argsort(key, kind="stable")], self.sizes)

    def missing_planes(self, ends: np.ndarray, side: int) -> np.ndarray:
        """Return the missing planes of streams truncated after ``ends`` [n] passes, float32 [n, C, side, side].

        The last pass may be cut in the middle.
        """
        whole = np.minimum(np.floor(ends).astype(int), len(self.order))
        missing = np.repeat(self.table[whole].astype(np.float32), side * side, axis=1).reshape(len(ends), CHANNELS, -1)
        for i, (k, fraction) in enumerate(zip(whole, ends - whole, strict=True)):
            if k < len(self.order):
                channel, plane = self.order[k]
                missing[i, channel, : round(fraction * side * side)] = plane
        return missing.reshape(len(ends), CHANNELS, side, side)

    def end_at(self, size_bytes: np.ndarray | float) -> np.ndarray:
        """Return the number of passes, with a fraction, that take so many bytes on average."""
        rising = self.bytes + np.arange(len(self.bytes)) * 1e-6
        return np.atleast_1d(np.interp(size_bytes, rising, np.arange(len(rising))))


def draw_sizes(rng: np.random.Generator, count: int, fewest: float, most: float) -> np.ndarray:
    """Draw ``count`` sizes in bytes, uniform in their logarithm, one from each of ``count`` parts of the range."""
    part = (rng.permutation(count) + rng.random(count)) / count
    size: np.ndarray = np.exp(np.log(fewest) + part * np.log(most / fewest))
    return size
