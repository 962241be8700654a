"""The loss through frozen classifiers."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

from .teachers import Judge


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
