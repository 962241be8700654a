"""Models of the plane coder drawn at random, and coefficients to go with them."""

from __future__ import annotations

import numpy as np

from host.codec.entropy import FAR, SHIFTS, SPREADS, PlaneCoder, inputs


def random_arrays(rng: np.random.Generator, channels: int, planes: int) -> dict[str, np.ndarray]:
    """Weights and tables drawn at random, from nearly flat to very uneven, in a random order of pieces."""
    top = rng.integers(1, planes + 1, channels).astype(np.uint8)
    left = top.astype(int)
    order = []
    while left.any():
        channel = int(rng.choice(np.flatnonzero(left)))
        left[channel] -= 1
        order.append((channel, left[channel]))
    pieces = len(order)
    zero = np.sort(rng.integers(1, 32_700, (pieces, FAR, SPREADS, 2)), axis=-1)
    zero[..., 1] += zero[..., 0] == zero[..., 1]
    zero[rng.random((pieces, FAR, SPREADS)) < 0.5] = [32_000, 32_500]
    shape = (pieces, inputs(channels))
    return {
        "order": np.array(order, np.uint8),
        "top": top,
        "mean": rng.normal(0, 60, shape).astype(np.int16),
        "spread": np.abs(rng.normal(0, 60, shape)).astype(np.int16),
        "base": rng.integers(0, 30_000, pieces).astype(np.int32),
        "zero": zero.astype(np.uint16),
        "more": rng.integers(1, 32_768, (pieces, SHIFTS, SPREADS)).astype(np.uint16),
    }


def random_coder(seed: int) -> PlaneCoder:
    """A coder of 5 to 11 channels, side 1 to 28, 1 to 7 planes."""
    rng = np.random.default_rng(seed)
    channels, side, planes = (int(v) for v in rng.integers((5, 1, 1), (12, 29, 8)))
    return PlaneCoder(random_arrays(rng, channels, planes), side, planes)


def random_coefficients(seed: int, coder: PlaneCoder) -> np.ndarray:
    """Anything from nearly nothing to noise, as large as the planes of each channel hold."""
    rng = np.random.default_rng(seed)
    drawn = rng.laplace(0, rng.choice([0.3, 3.0, 60.0]), (coder.channels, coder.side, coder.side))
    limit = (1 << coder.arrays["top"].astype(np.int64))[:, None, None] - 1
    return np.clip(np.round(drawn), -limit, limit).astype(np.int8)


def known_at(coefficients: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Four times the middle of what is known of coefficients at levels, as planes.h says."""
    size = np.abs(coefficients.astype(np.int64)) >> levels
    return np.where(size > 0, np.sign(coefficients) * ((4 * size + 2) << levels.astype(np.int64)), 0)


def all_packets(coder: PlaneCoder, coefficients: np.ndarray, room: int = 236) -> list[tuple[int, bytes, int]]:
    """A whole stream: the first row, the bytes and the rows of each packet."""
    packets, row = [], 0
    while row < coder.rows:
        data, rows = coder.encode(coefficients, row, room)
        packets.append((row, data, rows))
        row += rows
    return packets
