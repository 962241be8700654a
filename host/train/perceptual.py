"""The perceptual loss: how far decoding changes a teacher's features and answer."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

from .teachers import Teacher


class LossWeights(Protocol):
    """A recipe's weights of the teacher's features and answer."""

    @property
    def feature_weight(self) -> float: ...

    @property
    def answer_weight(self) -> float: ...


def answer_distance(wanted: Tensor, logits: Tensor) -> Tensor:
    """Return 2 * sqrt(KL(wanted || answer) + 0.05) for each sample, [n], from logits [n, classes].

    The square root is concave, so that hopeless samples do not outweigh those that can still be improved.
    """
    target = F.log_softmax(wanted, 1)
    divergence = (target.exp() * (target - F.log_softmax(logits, 1))).sum(1)
    return 2 * torch.sqrt(divergence.clamp_min(0) + 0.05)


def feature_distance(wanted: list[Tensor], features: list[Tensor]) -> Tensor:
    """Return the squared error of each sample's features relative to their size, a mean over the stages, [n]."""
    parts = [
        (f.float() - w).pow(2).mean((1, 2, 3)) / w.pow(2).mean((1, 2, 3)).clamp_min(1e-4)
        for f, w in zip(features, (w.float() for w in wanted), strict=True)
    ]
    return torch.stack(parts).sum(0) / len(parts)


def perceptual_loss(
    teacher: Teacher, picture: Tensor, decoded: Tensor, recipe: LossWeights
) -> tuple[Tensor, dict[str, float]]:
    """Return a loss whose gradient is that of the weighted distances, limited for each sample, and figures to report.

    A few samples have gradients tens of times as large as the rest. Each is limited to 1.5 times the batch's median.
    """
    leaf = decoded.detach().requires_grad_()
    with torch.no_grad():
        wanted_features, wanted = teacher(picture)
    features, answer = teacher(leaf.clamp(-127 / 128, 1))
    answer_loss = answer_distance(wanted, answer)
    feature_loss = feature_distance(wanted_features, features)
    loss = recipe.feature_weight * feature_loss + recipe.answer_weight * answer_loss
    (gradient,) = torch.autograd.grad(loss.sum(), leaf)
    size = gradient.flatten(1).norm(dim=1).clamp_min(1e-9)
    gradient = gradient * (1.5 * size.median() / size).clamp_max(1).view(-1, 1, 1, 1)
    figures = {"features": float(feature_loss.detach().mean()), "answer": float(answer_loss.detach().mean())}
    return (decoded * gradient).sum() / len(decoded), figures
