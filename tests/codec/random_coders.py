"""Models of the bit-plane coder drawn at random, and coefficients to go with them."""

from __future__ import annotations

import numpy as np

from host.codec.entropy import FAR, SHIFTS, SPREADS, BitPlaneCoder, context_size


def random_arrays(rng: np.random.Generator, channels: int, planes: int) -> dict[str, np.ndarray]:
    """Return weights and tables drawn at random, from nearly flat to very uneven, in a random pass order."""
    top = rng.integers(1, planes + 1, channels).astype(np.uint8)
    left = top.astype(int)
    order = []
    while left.any():
        channel = int(rng.choice(np.flatnonzero(left)))
        left[channel] -= 1
        order.append((channel, left[channel]))
    passes = len(order)
    zero = np.sort(rng.integers(1, 32_700, (passes, FAR, SPREADS, 2)), axis=-1)
    zero[..., 1] += zero[..., 0] == zero[..., 1]
    zero[rng.random((passes, FAR, SPREADS)) < 0.5] = [32_000, 32_500]
    shape = (passes, context_size(channels))
    return {
        "order": np.array(order, np.uint8),
        "top": top,
        "mean": rng.normal(0, 60, shape).astype(np.int16),
        "spread": np.abs(rng.normal(0, 60, shape)).astype(np.int16),
        "base": rng.integers(0, 30_000, passes).astype(np.int32),
        "zero": zero.astype(np.uint16),
        "more": rng.integers(1, 32_768, (passes, SHIFTS, SPREADS)).astype(np.uint16),
    }


def random_coder(seed: int) -> BitPlaneCoder:
    """Return a coder of 5 to 11 channels, side 1 to 28, 1 to 7 planes."""
    rng = np.random.default_rng(seed)
    channels, side, planes = (int(v) for v in rng.integers((5, 1, 1), (12, 29, 8)))
    arrays = random_arrays(rng, channels, planes)
    return BitPlaneCoder(arrays, side, planes, blank_from=int(rng.integers(len(arrays["order"]) + 1)))


def without_blank_table(coder: BitPlaneCoder) -> BitPlaneCoder:
    """Return a coder like this one whose streams are never coded as blank ones."""
    return BitPlaneCoder(coder.arrays, coder.side, coder.planes, blank_from=coder.passes)


def random_coefficients(seed: int, coder: BitPlaneCoder) -> np.ndarray:
    """Return anything from nearly nothing to noise, as large as the planes of each channel hold."""
    rng = np.random.default_rng(seed)
    drawn = rng.laplace(0, rng.choice([0.3, 3.0, 60.0]), (coder.channels, coder.side, coder.side))
    limit = (1 << coder.plane_counts.astype(np.int64))[:, None, None] - 1
    return np.clip(np.round(drawn), -limit, limit).astype(np.int8)


def reconstruct(coefficients: np.ndarray, missing: np.ndarray) -> np.ndarray:
    """Return the partial reconstruction of coefficients with missing planes, as defined in planes.h."""
    size = np.abs(coefficients.astype(np.int64)) >> missing
    return np.where(size > 0, np.sign(coefficients) * ((4 * size + 2) << missing.astype(np.int64)), 0)


def all_packets(coder: BitPlaneCoder, coefficients: np.ndarray, room: int = 236) -> list[tuple[int, bytes, int]]:
    """Return the first row, the bytes and the number of rows of each packet of a stream."""
    packets, row = [], 0
    while row < coder.rows:
        data, rows = coder.encode(coefficients, row, room)
        packets.append((row, data, rows))
        row += rows
    return packets
