"""The networks of a stage and its loss."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...reference.model import Autoencoder
from ..teachers import Judge
from .clip import let_pixels_return
from .recipe import CLASSIFIER, Stage


class Classifier(nn.Module):
    """EfficientNet-Lite0 with folded normalizations: pixels in [0, 1], [n, 3, h, w] -> logits [n, 1000]."""

    def __init__(self, learns: bool = False) -> None:
        super().__init__()
        self.judge = Judge(CLASSIFIER, reduced=False)
        self.requires_grad_(learns)

    def forward(self, pixels: Tensor) -> Tensor:
        logits: Tensor = self.judge((pixels.float() * 255 - 127) / 128)[1]
        return logits


class Pipeline(nn.Module):
    """Autoencoder with tail-drop and, where the stage's loss asks for it, the classifier behind it."""

    def __init__(self, stage: Stage) -> None:
        super().__init__()
        self.autoencoder = Autoencoder()
        let_pixels_return(self.autoencoder.decoder.leave)
        self.classifier = Classifier(stage.classifier_rate > 0) if stage.answer_weight else None

    def forward(self, pixels: Tensor, kept: Tensor) -> tuple[Tensor, Tensor | None]:
        """Pixels in [0, 1] and how many channels arrive, [1] -> decoded pixels, logits of what was decoded."""
        decoded = self.autoencoder(pixels, kept)
        return decoded, None if self.classifier is None else self.classifier(decoded)


def mse_of(pixels: Tensor, decoded: Tensor) -> Tensor:
    """Mean squared error of each picture, [n]."""
    return (decoded.float() - pixels).pow(2).mean((1, 2, 3))


def divergence(want: Tensor, got: Tensor) -> Tensor:
    """KL(want || got) of each picture in nats, [n], from logits."""
    target, answer = F.log_softmax(want.float(), 1), F.log_softmax(got.float(), 1)
    return (target.exp() * (target - answer)).sum(1)


def loss_of(
    stage: Stage, pixels: Tensor, decoded: Tensor, want: Tensor | None, got: Tensor | None
) -> tuple[Tensor, dict[str, Tensor]]:
    """The stage's loss, and its parts before they are weighed.

    ``want``: the frozen classifier's logits of the original, ``got``: logits of what was decoded.
    """
    parts = {"mse": mse_of(pixels, decoded).mean()}
    loss = stage.mse_weight * parts["mse"]
    if want is not None and got is not None:
        parts["kl"] = divergence(want, got).mean()
        loss = loss + stage.answer_weight * parts["kl"]
    return loss, {name: value.detach() for name, value in parts.items()}


def parameter_groups(pipeline: Pipeline, stage: Stage) -> list[dict[str, object]]:
    """What Adam moves; ``share`` is each group's share of the stage's rate."""
    groups: list[dict[str, object]] = [{"params": list(pipeline.autoencoder.parameters()), "share": 1.0}]
    if pipeline.classifier is not None and stage.classifier_rate:
        groups.append({"params": list(pipeline.classifier.parameters()), "share": stage.classifier_rate})
    return groups


@torch.no_grad()
def agreement(want: Tensor, got: Tensor) -> Tensor:
    """Whether the first choice of ``want`` is among the five of ``got``: bool [n], from logits."""
    return (got.topk(5, 1).indices == want.argmax(1, keepdim=True)).any(1)
