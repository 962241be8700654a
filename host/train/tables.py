"""Fits the plane coder's integer weights and tables on the coefficients of training photos."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ..codec.analysis import Analysis
from ..codec.entropy import FAR, NEAR, SHIFTS, SPREADS, PlaneCoder, inputs
from ..codec.layout import CHANNELS
from .photos import whole
from .context import Walk
from .passes import Piece

TOTAL = 1 << 15
#: Photos on which the weights are fitted, symbols in one step, and steps a piece.
WEIGHT_PHOTOS = 500
SYMBOLS = 6000
STEPS = 220
#: Inputs of a context that are kept, those that say most: all take part in half of the steps, then the rest is left
#: out, which coders are spared. The channel's own neighbours always stay.
KEPT_INPUTS = 30
#: Symbols that pooled neighbours count for against those that were seen.
PRIOR_SYMBOLS = 12.0
#: Weights have eight bits after the point; values are four times a step: sums are in 1/1024 of a step.
WEIGHT_ONE = 256
VALUE_ONE = 4


def symbol_bits(known: Tensor, truth: Tensor, mean: Tensor, scale: Tensor) -> Tensor:
    """Bits of symbols under a logistic, all in units of the piece's step, [n].

    ``known``: the middle of what was known (0, or that of an interval two steps wide); ``truth``: the magnitude's whole
    steps, with the sign.
    """
    sign = torch.where(known == 0, torch.sign(truth), torch.sign(known))
    size = truth.abs()
    reach = torch.where(known == 0, 2.0, 1.0)
    outer_low, outer_high = known - reach, known + reach
    near, far = torch.floor(size) * sign, (torch.floor(size) + 1) * sign
    low = torch.where(size < 1, torch.full_like(known, -1.0), torch.minimum(near, far))
    high = torch.where(size < 1, torch.full_like(known, 1.0), torch.maximum(near, far))

    def share(a: Tensor, b: Tensor) -> Tensor:
        a, b = (a - mean) / scale, (b - mean) / scale
        flip = torch.where(a + b > 0, -1.0, 1.0)
        top, bottom = torch.maximum(a * flip, b * flip), torch.minimum(a * flip, b * flip)
        # log of sigmoid(top) - sigmoid(bottom), exact far out.
        return F.logsigmoid(top) + F.logsigmoid(-bottom) + torch.log1p(-torch.exp((bottom - top).clamp(max=-1e-6)))

    return -(share(low, high) - share(outer_low, outer_high)) / float(np.log(2))


def fit_weights(
    walk: Walk, coefficients: np.ndarray, piece: Piece, rng: np.random.Generator, steps: int = STEPS
) -> tuple[np.ndarray, ...]:
    """Integer weights of one piece: mean int16 [inputs], spread int16 [inputs], base int32."""
    channel, plane = piece
    step = float(1 << plane)
    seen = walk.surroundings(channel, plane).reshape(inputs(CHANNELS), -1)
    before = walk.before(channel).reshape(-1)
    truth = coefficients[:, channel].reshape(-1)
    count = len(truth)
    # Zeros far from anything say little: half the symbols are drawn from places with something around.
    is_busy = (before != 0) | (np.abs(truth.astype(np.int16)) >= step) | (seen[:8] != 0).any(0)
    if not is_busy.any():
        is_busy[:] = True
    busy = np.flatnonzero(is_busy)
    share = len(busy) / count
    use = torch.from_numpy(np.abs(seen[:, :: max(1, count // 4000)].astype(np.float32)).max(1) > 0)
    busy_size = torch.from_numpy(np.abs(seen[:, rng.choice(busy, 4000)].astype(np.float32)).mean(1)) / (
        VALUE_ONE * step
    )
    size = busy_size + 0.05
    mean = torch.zeros(len(seen), requires_grad=True)
    spread = torch.full((len(seen),), -4.0, requires_grad=True)
    base = torch.tensor(-1.5, requires_grad=True)
    with torch.no_grad():
        spread[:8] = -2.0
    adam = torch.optim.Adam([{"params": [mean], "lr": 0.01}, {"params": [spread, base], "lr": 0.08}], betas=(0.9, 0.98))

    def weights() -> tuple[Tensor, Tensor, Tensor]:
        # Inputs that are large are learned in smaller steps.
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
        half = SYMBOLS // 2
        at = np.concatenate([rng.choice(busy, half), rng.integers(0, count, half)])
        # Each symbol weighs what it would if all were drawn alike.
        weight = np.concatenate([np.full(half, share), np.where(is_busy[at[half:]], 0.0, 1.0)])
        x = torch.from_numpy(seen[:, at].astype(np.float32)) / (VALUE_ONE * step)
        known = torch.from_numpy(before[at].astype(np.float32)) / (VALUE_ONE * step)
        value = torch.from_numpy(truth[at].astype(np.float32)) / step
        w_mean, w_spread, w_base = weights()
        bits = symbol_bits(known, value, w_mean @ x, w_spread @ x.abs() + w_base)
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


def ends(counts: np.ndarray) -> np.ndarray:
    """Counts [..., n] > 0 -> ends of all slices of 2^15 but the last, uint16 [..., n - 1]; none is empty."""
    n = counts.shape[-1]
    sizes = 1 + np.floor(counts / counts.sum(-1, keepdims=True) * (TOTAL - n)).astype(np.int64)
    largest = sizes.argmax(-1)[..., None]
    np.put_along_axis(sizes, largest, np.take_along_axis(sizes, largest, -1) + TOTAL - sizes.sum(-1, keepdims=True), -1)
    out: np.ndarray = sizes.cumsum(-1)[..., :-1].astype(np.uint16)
    return out


def smoothed(counts: np.ndarray) -> np.ndarray:
    """Counts [pieces, contexts, symbols] with those of all pieces together as a prior."""
    together = counts.sum(0, keepdims=True) + 0.02
    together = together / together.sum(-1, keepdims=True)
    out: np.ndarray = counts + PRIOR_SYMBOLS * together + 0.01
    return out


def fit_planes(
    encoder: dict[str, np.ndarray],
    order: list[Piece],
    photos: Sequence[np.ndarray],
    seed: int,
    say: Callable[[str], None],
    steps: int = STEPS,
) -> dict[str, np.ndarray]:
    """All arrays of the coder, from the coefficients that the integer ``encoder`` makes of ``photos``."""
    rng = np.random.default_rng(seed)
    analysis = Analysis(encoder)
    coefficients = []
    for photo in photos:
        pixels = whole(photo)
        coefficients.append(analysis(pixels[:, ::-1] if rng.random() < 0.5 else pixels))
    some = np.stack(coefficients[:WEIGHT_PHOTOS])
    walk = Walk(some)
    rows = []
    torch.manual_seed(seed)
    # The steps are too small to be shared between threads.
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    for i, piece in enumerate(order):
        rows.append(fit_weights(walk, some, piece, rng, steps))
        walk.take(*piece)
        if i % 40 == 39:
            say(f"weights of {i + 1} of {len(order)} pieces")
    torch.set_num_threads(threads)
    mean, spread, base = (np.stack(column) for column in zip(*rows, strict=True))
    pieces, halves = len(order), TOTAL // 2
    arrays = {
        "order": np.array(order, np.uint8),
        "top": encoder["top"],
        "mean": mean,
        "spread": spread,
        "base": base,
        "zero": np.tile(np.array([halves, halves + halves // 2], np.uint16), (pieces, FAR, SPREADS, 1)),
        "more": np.full((pieces, SHIFTS, SPREADS), halves, np.uint16),
    }
    coder = PlaneCoder(arrays)
    zeros = FAR * SPREADS
    seen = np.zeros((pieces, (zeros + SHIFTS * SPREADS) * 3))
    for picture in coefficients:
        contexts, symbols = coder.survey(picture)
        index = contexts.astype(np.int64) * 3 + symbols
        for i in range(pieces):
            seen[i] += np.bincount(index[i], minlength=seen.shape[1])
    counts = seen.reshape(pieces, -1, 3)
    arrays["zero"] = ends(smoothed(counts[:, :zeros])).reshape(pieces, FAR, SPREADS, 2)
    arrays["more"] = ends(smoothed(counts[:, zeros:, :2])).reshape(pieces, SHIFTS, SPREADS)
    return arrays
