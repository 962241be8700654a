"""Fits the entropy coder's integer tables on the symbols of training photos."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch.nn import functional as F

from ..codec.entropy import KINDS, PHASES, EntropyCoder
from ..codec.network import GRID, network_from
from .model import Model
from .photos import whole

TOTAL = 1 << 15
LEVELS = 16
#: Values up to this far from the expected one have entries of their own; the rest escape.
REACH = 20
#: Symbols that the parametric guess counts for against those that were seen.
PRIOR_SYMBOLS = 40.0
#: Lengths of the packets that are imagined while fitting, in symbols.
PACKET_SYMBOLS = (250, 1100)


def cumulative(shares: np.ndarray) -> np.ndarray:
    """Shares [..., n] > 0 -> cumulative integer tables uint16 [..., n + 1] of total 2^15, each entry at least 1."""
    n = shares.shape[-1]
    sizes = 1 + np.floor(shares / shares.sum(-1, keepdims=True) * (TOTAL - n)).astype(np.int64)
    rest = TOTAL - sizes.sum(-1)
    np.put_along_axis(
        sizes,
        sizes.argmax(-1)[..., None],
        np.take_along_axis(sizes, sizes.argmax(-1)[..., None], -1) + rest[..., None],
        -1,
    )
    table = np.zeros((*shares.shape[:-1], n + 1), dtype=np.int64)
    np.cumsum(sizes, axis=-1, out=table[..., 1:])
    return table.astype(np.uint16)


def guess(spread: np.ndarray) -> np.ndarray:
    """Shares of a logistic of mean absolute deviation ``spread`` [...] at each phase: [..., 4, 2 * REACH + 2]."""
    scale = np.maximum(spread, 0.05)[..., None, None] / (2 * np.log(2))
    edges = np.arange(-REACH, REACH + 2) - 0.5 - np.arange(PHASES)[:, None] / PHASES
    below = 1 / (1 + np.exp(-np.clip(edges / scale, -40, 40)))
    inside = np.diff(below, axis=-1)
    escape = np.maximum(1 - inside.sum(-1, keepdims=True), 0)
    return np.concatenate([inside, escape], -1) + 1e-5


def starting_arrays(model: Model, zero: np.ndarray) -> dict[str, np.ndarray]:
    """The coder's arrays with the context of the trained rate model and tables that say nothing yet."""
    order, rate = model.order.tolist(), model.rate
    mean = np.round(rate.mean.detach()[order].numpy() * 64)
    spread = np.round(F.softplus(rate.spread.detach())[order].reshape(len(order), -1).numpy() * 64)
    flat = np.ones((len(order), KINDS, LEVELS, PHASES, 2 * REACH + 2))
    return {
        "zero": zero,
        "mean": np.clip(mean, -1024, 1024).astype(np.int16),
        "spread": np.clip(spread, 0, 1024).astype(np.uint16),
        "thresholds": np.zeros((len(order), LEVELS - 1), np.int32),
        "tables": cumulative(flat),
    }


def surveyed(
    coder: EntropyCoder, pictures: Sequence[np.ndarray], rng: np.random.Generator
) -> list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """For each picture's symbols: (values, expected values * 64, uncertainties, kinds), cut into imagined packets."""
    found = []
    for symbols in pictures:
        parts, at = [], 0
        while at < coder.total:
            end = min(coder.total, at + int(rng.integers(*PACKET_SYMBOLS)))
            parts.append(coder.survey(symbols, at, end))
            at = end
        m64, t, kind = (np.concatenate(column) for column in zip(*parts, strict=True))
        found.append((symbols.reshape(-1).astype(np.int32), m64, t, kind))
    return found


def fit(model: Model, encoder: dict[str, np.ndarray], photos: Sequence[np.ndarray], seed: int) -> dict[str, np.ndarray]:
    """All arrays of the coder, from the symbols that the integer ``encoder`` makes of ``photos`` and their mirrors."""
    rng = np.random.default_rng(seed)
    network = network_from(encoder)
    arrays = starting_arrays(model, encoder["zero"])
    coder = EntropyCoder(arrays, GRID)
    pictures = []
    for photo in photos:
        pixels = whole(photo)
        pictures.append(network(pixels[:, ::-1] if rng.random() < 0.5 else pixels))
    found = surveyed(coder, pictures, rng)
    channel = np.repeat(np.arange(coder.channels), GRID * GRID)
    sample = np.stack([t for _, _, t, _ in found[:400]]).reshape(-1, coder.channels, GRID * GRID)
    # Even steps of rank, finer towards the ends.
    ranks = (1 - np.cos(np.pi * np.arange(1, LEVELS) / LEVELS)) / 2
    for c in range(coder.channels):
        arrays["thresholds"][c] = np.quantile(sample[:, c], ranks).astype(np.int32)
    counts = np.zeros((coder.channels, KINDS, LEVELS, PHASES, 2 * REACH + 2))
    for values, m64, t, kind in found:
        level = (arrays["thresholds"][channel] <= t[:, None]).sum(1)
        quarters = (m64 + 8) >> 4
        entry = values - encoder["zero"].astype(np.int32)[channel] - (quarters >> 2) + REACH
        entry = np.where((entry < 0) | (entry > 2 * REACH), 2 * REACH + 1, entry)
        np.add.at(counts, (channel, kind, level, quarters & 3, entry), 1)
    distance = np.abs(np.arange(-REACH, REACH + 1) - np.arange(PHASES)[:, None] / PHASES)
    seen = counts[..., :-1].sum((-1, -2))
    spread = ((counts[..., :-1] * distance).sum((-1, -2)) + 1) / (seen + 1)
    arrays["tables"] = cumulative(counts + PRIOR_SYMBOLS * guess(spread))
    return arrays
