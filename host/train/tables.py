"""Fits the entropy coder's integer weights and tables on the coefficients of training photos."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ..codec.analysis import Analysis
from ..codec.entropy import FAR, NEAR, SHIFTS, SPREADS, BitPlaneCoder, context_size
from ..codec.layout import CHANNELS
from .context import PartialPictures
from .passes import CodingPass, level_of, missing_after
from .photos import whole

TOTAL = 1 << 15
#: Photos on which the weights are fitted, symbols in one step, and steps for each pass: half of them for passes over
#: the planes of ``FINER``, which few pictures reach.
WEIGHT_PHOTOS = 500
SYMBOLS = 6000
STEPS = 220
#: Passes that a process fits in a row, and number of processes.
PART = 20
WORKERS = 2
#: Inputs of a context with a weight. All inputs take part in the first half of the steps, then the least informative
#: ones are dropped, which saves coding time. The channel's own neighbours always stay.
KEPT_INPUTS = 30
#: Weight of the tables pooled over all passes, in symbols.
PRIOR_SYMBOLS = 12.0
#: Weights have eight fraction bits and reconstructions are four times a step, so sums are in 1/1024 of a step.
WEIGHT_ONE = 256
VALUE_ONE = 4


def symbol_bits(before: Tensor, truth: Tensor, mean: Tensor, scale: Tensor) -> Tensor:
    """Return the bits of symbols under a logistic distribution, [n]; all values are in units of the pass's step.

    Args:
        before: reconstruction before the pass: 0, or the middle of an interval two steps wide.
        truth: the coefficient, with its sign.
        mean: the distribution's mean.
        scale: the distribution's scale.
    """
    sign = torch.where(before == 0, torch.sign(truth), torch.sign(before))
    size = truth.abs()
    reach = torch.where(before == 0, 2.0, 1.0)
    outer_low, outer_high = before - reach, before + reach
    near, far = torch.floor(size) * sign, (torch.floor(size) + 1) * sign
    low = torch.where(size < 1, torch.full_like(before, -1.0), torch.minimum(near, far))
    high = torch.where(size < 1, torch.full_like(before, 1.0), torch.maximum(near, far))

    def log_probability(a: Tensor, b: Tensor) -> Tensor:
        a, b = (a - mean) / scale, (b - mean) / scale
        flip = torch.where(a + b > 0, -1.0, 1.0)
        top, bottom = torch.maximum(a * flip, b * flip), torch.minimum(a * flip, b * flip)
        # log(sigmoid(top) - sigmoid(bottom)), accurate in the tails.
        return F.logsigmoid(top) + F.logsigmoid(-bottom) + torch.log1p(-torch.exp((bottom - top).clamp(max=-1e-6)))

    return -(log_probability(low, high) - log_probability(outer_low, outer_high)) / float(np.log(2))


def fit_weights(
    partial: PartialPictures,
    coefficients: np.ndarray,
    coding_pass: CodingPass,
    rng: np.random.Generator,
    steps: int,
    symbols: int,
) -> tuple[np.ndarray, ...]:
    """Fit the integer weights of one pass: mean int16 [inputs], spread int16 [inputs], base int32.

    It takes so many steps, each on so many symbols.
    """
    channel, plane = coding_pass
    step = float(1 << plane)
    inputs = partial.contexts(channel, plane).reshape(context_size(CHANNELS), -1)
    before = partial.reconstruction(channel).reshape(-1)
    truth = coefficients[:, channel].reshape(-1)
    count = len(truth)
    # Zeros among zeros carry little information, so half of the symbols are drawn where the context is not zero.
    is_busy = (before != 0) | (np.abs(truth.astype(np.int16)) >= step) | (inputs[:NEAR] != 0).any(0)
    if not is_busy.any():
        is_busy[:] = True
    busy = np.flatnonzero(is_busy)
    busy_fraction = len(busy) / count
    use = torch.from_numpy(np.abs(inputs[:, :: max(1, count // 4000)].astype(np.float32)).max(1) > 0)
    busy_size = torch.from_numpy(np.abs(inputs[:, rng.choice(busy, 4000)].astype(np.float32)).mean(1)) / (
        VALUE_ONE * step
    )
    size = busy_size + 0.05
    # Symbols are drawn at random: each one's inputs side by side are read faster.
    by_symbol = np.ascontiguousarray(inputs.T)
    mean = torch.zeros(len(inputs), requires_grad=True)
    spread = torch.full((len(inputs),), -4.0, requires_grad=True)
    base = torch.tensor(-1.5, requires_grad=True)
    with torch.no_grad():
        spread[:NEAR] = -2.0
    adam = torch.optim.Adam([{"params": [mean], "lr": 0.01}, {"params": [spread, base], "lr": 0.08}], betas=(0.9, 0.98))

    def weights() -> tuple[Tensor, Tensor, Tensor]:
        # Large inputs get smaller steps.
        return mean / size.sqrt() * use, F.softplus(spread) / size.sqrt() * use, F.softplus(base) + 0.02

    for i in range(steps):
        if i == steps // 2:
            with torch.no_grad():
                w_mean, w_spread, _ = weights()
                says = (w_mean.square() + w_spread.square()) * busy_size.square() * use
                says[:NEAR] = torch.inf
                use &= says >= says.topk(min(KEPT_INPUTS, len(says))).values[-1]
        for group, rate in zip(adam.param_groups, (0.01, 0.08), strict=True):
            group["lr"] = rate * (1 - i / steps) + 1e-4
        half = symbols // 2
        at = np.concatenate([rng.choice(busy, half), rng.integers(0, count, half)])
        # Correct the weights for the uneven drawing.
        weight = np.concatenate([np.full(half, busy_fraction), np.where(is_busy[at[half:]], 0.0, 1.0)])
        x = torch.from_numpy(by_symbol[at].T.astype(np.float32)) / (VALUE_ONE * step)
        reconstruction = torch.from_numpy(before[at].astype(np.float32)) / (VALUE_ONE * step)
        value = torch.from_numpy(truth[at].astype(np.float32)) / step
        w_mean, w_spread, w_base = weights()
        bits = symbol_bits(reconstruction, value, w_mean @ x, w_spread @ x.abs() + w_base)
        loss = (bits * torch.from_numpy(weight).float()).sum() / float(weight.sum()) + 2e-4 * w_spread.sum()
        adam.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        adam.step()
    last_mean, last_spread, last_base = (w.detach().numpy() for w in weights())
    clip = 8192
    return (
        np.clip(np.round(last_mean * WEIGHT_ONE), -clip, clip).astype(np.int16),
        np.clip(np.round(last_spread * WEIGHT_ONE), 0, clip).astype(np.int16),
        np.clip(np.round(last_base * step * WEIGHT_ONE * VALUE_ONE), 0, 1 << 20).astype(np.int32),
    )


def cumulative_frequencies(counts: np.ndarray) -> np.ndarray:
    """Scale counts [..., n] > 0 to a total of 2^15: cumulative frequencies of all symbols but the last, uint16.

    Returns [..., n - 1], strictly rising: every symbol has a frequency of at least 1.
    """
    n = counts.shape[-1]
    sizes = 1 + np.floor(counts / counts.sum(-1, keepdims=True) * (TOTAL - n)).astype(np.int64)
    largest = sizes.argmax(-1)[..., None]
    np.put_along_axis(sizes, largest, np.take_along_axis(sizes, largest, -1) + TOTAL - sizes.sum(-1, keepdims=True), -1)
    out: np.ndarray = sizes.cumsum(-1)[..., :-1].astype(np.uint16)
    return out


def smoothed(counts: np.ndarray) -> np.ndarray:
    """Add a prior, pooled over all passes, to counts [passes, contexts, symbols]."""
    together = counts.sum(0, keepdims=True) + 0.02
    together = together / together.sum(-1, keepdims=True)
    out: np.ndarray = counts + PRIOR_SYMBOLS * together + 0.01
    return out


@dataclass(frozen=True)
class _Job:
    """What a process needs to fit the weights of passes."""

    coefficients: np.ndarray
    order: list[CodingPass]
    seed: int
    steps: int
    symbols: int


def _fit_passes(job: _Job, some: range) -> list[tuple[np.ndarray, ...]]:
    """Fit the weights of consecutive passes. Each has random numbers of its own, so that their division is free."""
    # A step is too small to gain from several threads.
    torch.set_num_threads(1)
    partial = PartialPictures(job.coefficients)
    partial.receive(missing_after(job.order)[some.start])
    rows = []
    for i in some:
        torch.manual_seed(job.seed + i)
        rng = np.random.default_rng([job.seed, i])
        steps = job.steps if level_of(job.order[i]) >= 0 else job.steps // 2
        rows.append(fit_weights(partial, job.coefficients, job.order[i], rng, steps, job.symbols))
        partial.refine(*job.order[i])
    return rows


def _fit_all(job: _Job, workers: int, say: Callable[[str], None]) -> list[tuple[np.ndarray, ...]]:
    """Fit the weights of all passes in ``workers`` processes; in this one if that is 1."""
    parts = [range(start, min(start + PART, len(job.order))) for start in range(0, len(job.order), PART)]
    if workers == 1:
        return _fit_passes(job, range(len(job.order)))
    rows: list[tuple[np.ndarray, ...]] = []
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        for found in pool.map(_fit_passes, [job] * len(parts), parts):
            rows += found
            say(f"weights of {len(rows)} of {len(job.order)} coding passes")
    return rows


def fit_coder(
    encoder: dict[str, np.ndarray],
    order: list[CodingPass],
    photos: Sequence[np.ndarray],
    seed: int,
    say: Callable[[str], None],
    steps: int | None = None,
    workers: int = WORKERS,
) -> dict[str, np.ndarray]:
    """Fit all arrays of the entropy coder on the coefficients that the integer ``encoder`` makes of ``photos``.

    Args:
        encoder: the arrays of ``export.encoder_arrays``.
        order: the pass order.
        photos: training photos, uint8 [h, w, 3]; half of them are mirrored.
        seed: of the random drawing.
        say: receives progress lines.
        steps: fitting steps for each pass; None: ``STEPS``.
        workers: number of processes.
    """
    rng = np.random.default_rng(seed)
    analysis = Analysis(encoder)
    coefficients = []
    for photo in photos:
        pixels = whole(photo)
        coefficients.append(analysis(pixels[:, ::-1] if rng.random() < 0.5 else pixels).coefficients)
    job = _Job(np.stack(coefficients[:WEIGHT_PHOTOS]), order, seed, STEPS if steps is None else steps, SYMBOLS)
    rows = _fit_all(job, workers, say)
    mean, spread, base = (np.stack(column) for column in zip(*rows, strict=True))
    passes, halves = len(order), TOTAL // 2
    arrays = {
        "order": np.array(order, np.uint8),
        "top": encoder["top"],
        "mean": mean,
        "spread": spread,
        "base": base,
        "zero": np.tile(np.array([halves, halves + halves // 2], np.uint16), (passes, FAR, SPREADS, 1)),
        "more": np.full((passes, SHIFTS, SPREADS), halves, np.uint16),
    }
    coder = BitPlaneCoder(arrays)
    zeros = FAR * SPREADS
    counted = np.zeros((passes, (zeros + SHIFTS * SPREADS) * 3))
    for picture in coefficients:
        contexts, symbols = coder.contexts(picture)
        index = contexts.astype(np.int64) * 3 + symbols
        for i in range(passes):
            counted[i] += np.bincount(index[i], minlength=counted.shape[1])
    counts = counted.reshape(passes, -1, 3)
    arrays["zero"] = cumulative_frequencies(smoothed(counts[:, :zeros])).reshape(passes, FAR, SPREADS, 2)
    arrays["more"] = cumulative_frequencies(smoothed(counts[:, zeros:, :2])).reshape(passes, SHIFTS, SPREADS)
    return arrays
