"""The networks of a stage and its loss."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...reference.model import Autoencoder
from ..teachers import Teacher
from .clip import let_pixels_return
from .recipe import CLASSIFIER, Stage


class Classifier(nn.Module):
    """EfficientNet-Lite0 with folded normalizations: pixels in [0, 1], [n, 3, h, w] -> logits [n, 1000]."""

    def __init__(self, learns: bool = False) -> None:
        super().__init__()
        # The attribute has the name that checkpoints store.
        self.judge = Teacher(CLASSIFIER)
        self.requires_grad_(learns)

    def forward(self, pixels: Tensor) -> Tensor:
        logits: Tensor = self.judge((pixels.float() * 255 - 127) / 128)[1]
        return logits


class Pipeline(nn.Module):
    """Autoencoder with tail-drop, followed by the classifier if the stage's loss needs it."""

    def __init__(self, stage: Stage) -> None:
        super().__init__()
        self.autoencoder = Autoencoder()
        let_pixels_return(self.autoencoder.decoder.leave)
        self.classifier = Classifier(stage.classifier_rate > 0) if stage.answer_weight else None

    def forward(self, pixels: Tensor, kept: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return the decoded pixels and their logits, from pixels in [0, 1] and the number of kept channels, [1]."""
        decoded = self.autoencoder(pixels, kept)
        return decoded, None if self.classifier is None else self.classifier(decoded)


def mse_of(pixels: Tensor, decoded: Tensor) -> Tensor:
    """Return the mean squared error of each picture, [n]."""
    return (decoded.float() - pixels).pow(2).mean((1, 2, 3))


def divergence(wanted: Tensor, got: Tensor) -> Tensor:
    """Return KL(target || output) of each picture in nats, [n], from logits."""
    target, answer = F.log_softmax(wanted.float(), 1), F.log_softmax(got.float(), 1)
    return (target.exp() * (target - answer)).sum(1)


def loss_of(
    stage: Stage, pixels: Tensor, decoded: Tensor, wanted: Tensor | None, got: Tensor | None
) -> tuple[Tensor, dict[str, Tensor]]:
    """Return the stage's loss and its unweighted parts.

    Args:
        stage: the stage, with its loss weights.
        pixels: the originals.
        decoded: the decoded pictures.
        wanted: the frozen classifier's logits of the originals; None if the stage does not use them.
        got: the logits of the decoded pictures; None likewise.
    """
    parts = {"mse": mse_of(pixels, decoded).mean()}
    loss = stage.mse_weight * parts["mse"]
    if wanted is not None and got is not None:
        parts["kl"] = divergence(wanted, got).mean()
        loss = loss + stage.answer_weight * parts["kl"]
    return loss, {name: value.detach() for name, value in parts.items()}


def parameter_groups(pipeline: Pipeline, stage: Stage) -> list[dict[str, object]]:
    """Return Adam's parameter groups; ``share`` is a group's fraction of the stage's learning rate."""
    groups: list[dict[str, object]] = [{"params": list(pipeline.autoencoder.parameters()), "share": 1.0}]
    if pipeline.classifier is not None and stage.classifier_rate:
        groups.append({"params": list(pipeline.classifier.parameters()), "share": stage.classifier_rate})
    return groups


@torch.no_grad()
def agreement(wanted: Tensor, got: Tensor) -> Tensor:
    """Return whether the first class of ``wanted`` is among the first five of ``got``: bool [n], from logits."""
    return (got.topk(5, 1).indices == wanted.argmax(1, keepdim=True)).any(1)
