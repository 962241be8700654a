"""Which symbols arrive: the stochastic part of the training."""

from __future__ import annotations

import numpy as np


def random_channels(rng: np.random.Generator, count: int, channels: int, cells: int) -> np.ndarray:
    """Masks [count, channels * cells]: each channel whole or absent; the first is nearly always there."""
    keep = rng.random((count, channels)) < rng.uniform(0.1, 1.1, (count, 1))
    keep[:, 0] |= rng.random(count) < 0.9
    return np.repeat(keep, cells, axis=1).astype(np.float32)


def tail_drop(rng: np.random.Generator, count: int, channels: int, cells: int, hole_share: float) -> np.ndarray:
    """Masks [count, channels * cells] over the order of transmission: a prefix, cut anywhere, some torn."""
    total = channels * cells
    cut = np.where(rng.random(count) < 0.2, total, rng.integers(cells // 4, total + 1, count))
    at = np.arange(total)
    mask = at[None] < cut[:, None]
    for i in np.flatnonzero(rng.random(count) < hole_share):
        start = rng.integers(0, max(1, cut[i] - cells // 2))
        mask[i, start : start + rng.integers(cells // 3, cells)] = False
    return mask.astype(np.float32)
