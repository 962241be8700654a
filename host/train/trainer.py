"""A training of pnc-v1: quantization, rate and random loss of the tail in the loop, judged by frozen classifiers."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from . import checkpoint, learner, masks
from .crops import random_batch
from .judges import JUDGES, Judge
from .model import Model, parameter_groups, start
from .network import CHANNELS
from .recipe import Recipe
from .validation import best_order, validate

CELLS = 32 * 32
#: Quantizer step to start from, in units of a filter of unit norm.
FIRST_STEP = 18.0


class JudgeWeights(Protocol):
    """What a recipe says of how much a judge's features and answer count."""

    @property
    def feature_weight(self) -> float: ...

    @property
    def answer_weight(self) -> float: ...


def judged(judge: Judge, picture: Tensor, decoded: Tensor, recipe: JudgeWeights) -> tuple[Tensor, dict[str, float]]:
    """How far the judge's features and answer move: a loss whose gradient is limited for each sample, and figures.

    A few samples have gradients tens of times as large as the rest; each is cut to 1.5 times the batch's median.
    """
    seen = decoded.detach().requires_grad_()
    with torch.no_grad():
        want_features, want = judge(picture)
    features, answer = judge(seen.clamp(-127 / 128, 1))
    target = F.log_softmax(want, 1)
    divergence = (target.exp() * (target - F.log_softmax(answer, 1))).sum(1)
    # Concave, so that hopeless samples do not outweigh those that can still be won.
    answer_loss = 2 * torch.sqrt(divergence.clamp_min(0) + 0.05)
    moved = torch.zeros_like(answer_loss)
    for f, w in zip(features, (w.float() for w in want_features), strict=True):
        moved = moved + (f.float() - w).pow(2).mean((1, 2, 3)) / w.pow(2).mean((1, 2, 3)).clamp_min(1e-4)
    moved = moved / len(features)
    loss = recipe.feature_weight * moved + recipe.answer_weight * answer_loss
    (slope,) = torch.autograd.grad(loss.sum(), seen)
    size = slope.flatten(1).norm(dim=1).clamp_min(1e-9)
    slope = slope * (1.5 * size.median() / size).clamp_max(1).view(-1, 1, 1, 1)
    shown = {"features": float(moved.detach().mean()), "answer": float(answer_loss.detach().mean())}
    return (decoded * slope).sum() / len(decoded), shown


class Trainer:
    """State of a run: everything a checkpoint holds, and one step at a time."""

    validate_s = 900.0

    def __init__(self, recipe: Recipe, photos: Sequence[np.ndarray], held_out: Sequence[np.ndarray]) -> None:
        self.recipe, self.photos, self.held_out = recipe, photos, held_out
        torch.manual_seed(recipe.seed)
        self.rng = np.random.default_rng(recipe.seed)
        self.model = Model()
        start(self.model, random_batch(photos, 64, 224, self.rng), FIRST_STEP)
        self.model.decoder.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = copy.deepcopy(self.model)
        self.adam = torch.optim.Adam(parameter_groups(self.model, recipe), betas=(0.9, 0.999))
        self.judges = [Judge(name) for name in JUDGES]
        self.price = recipe.first_price
        self.bytes = torch.full((CHANNELS,), recipe.target_bytes / CHANNELS)
        self.order_at = recipe.order_at
        self.steps, self.elapsed_s, self.ordered = 0, 0.0, False

    def state(self) -> dict[str, Any]:
        return learner.state_of(self) | {"price": self.price, "bytes": self.bytes}

    def resume(self, state: dict[str, Any]) -> None:
        """Go on from what ``state()`` gave. Raises TrainingError when it does not fit."""
        learner.take(self, state)
        with checkpoint.taking():
            self.price, self.bytes = state["price"], state["bytes"]
        self.rng = np.random.default_rng([self.recipe.seed, self.steps])

    def set_rates(self, progress: float) -> None:
        warm = min(1.0, self.steps / 200)
        fall = 0.5 * (1 + math.cos(math.pi * max(0.0, progress - 0.3) / 0.7))
        for group in self.adam.param_groups:
            still = group["encoder"] and progress < self.recipe.distil_at
            group["lr"] = 0.0 if still else group["base"] * warm * (0.02 + 0.98 * fall)

    def mask(self, progress: float, cells: int) -> Tensor:
        n, r = self.recipe.batch, self.recipe
        if progress < r.order_at:
            made = masks.random_channels(self.rng, n, CHANNELS, cells)
        else:
            made = masks.tail_drop(self.rng, n, CHANNELS, cells, r.hole_share)
        return self.model.in_order(torch.from_numpy(made))

    def crops(self, rng: np.random.Generator, progress: float) -> np.ndarray:
        """The next batch, uint8 [n, 3, s, s]."""
        size = self.recipe.small if progress < self.recipe.grow_at else 224
        return random_batch(self.photos, self.recipe.batch, size, rng)

    def step(self, crops: np.ndarray, progress: float) -> dict[str, float]:
        """One step on uint8 [n, 3, s, s]; returns figures to report."""
        r = self.recipe
        pixels = torch.from_numpy(crops).float()
        cells = (crops.shape[-1] // 7) ** 2
        away = self.model.away(pixels)
        mask = self.mask(progress, cells)
        with torch.autocast("cpu", torch.bfloat16):
            decoded = self.model.decode(away, mask)
        picture = (pixels - 127) / 128
        mse = (decoded - picture).pow(2).mean((1, 2, 3))
        size = self.model.rate(away).sum((2, 3)).mean(0) / 8 * (CELLS / cells)
        self.bytes = 0.98 * self.bytes + 0.02 * size.detach()
        order = self.model.order
        so_far = self.bytes[order].cumsum(0)
        weight = torch.empty(CHANNELS)
        weight[order] = (so_far[-1] / so_far) ** r.early_power
        loss = r.mse_weight * mse.mean() + self.price * 8 * (weight * size).sum()
        shown = {"mse": float(mse.detach().mean()), "bytes": float(self.bytes.sum())}
        if progress >= r.distil_at:
            judge = self.judges[self.steps % len(self.judges)]
            pull, figures = judged(judge, picture, decoded, r)
            loss = loss + pull
            shown |= figures
        self.adam.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.decoder.parameters(), 2.0)
        self.set_rates(progress)
        self.adam.step()
        self.steps += 1
        if progress >= r.distil_at:
            self.price *= math.exp(0.001 * max(-1.0, min(1.0, math.log(shown["bytes"] / r.target_bytes) * 5)))
        learner.follow(self, r.ema)
        return shown | {"price": self.price}

    def reorder(self, _say: Callable[[str], None]) -> str:
        """Choose the order of the channels, and go on with it."""
        order, why = best_order(self.average, self.judges[0], self.held_out, self.bytes)
        for model in (self.model, self.average):
            model.order.copy_(order)
        self.ordered = True
        return why

    def validate(self) -> str:
        """One line on the photos that are held out."""
        return validate(self.average, self.judges[0], self.held_out)
