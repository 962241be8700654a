"""Recipes: the parameters of a training run, one frozen table each."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class CodecRecipe:
    """Schedule and loss weights of a training of the codec. Fractions are of the whole time (``minutes``)."""

    name: str
    #: The codec whose weights are trained.
    codec: str
    minutes: float = 85.0
    #: Crops in a step, on a CPU and on a GPU.
    batch: int = 16
    gpu_batch: int = 96
    seed: int = 20231205
    #: Side of the crops in pixels, a multiple of 8.
    crop: int = 192
    #: The loss is the squared error alone before ``perceptual_at``. The pass order is chosen at ``order_at``.
    perceptual_at: float = 0.12
    order_at: float = 0.4
    decoder_lr: float = 6e-4
    #: The linear path starts as the least-squares solution and moves slowly.
    linear_lr: float = 6e-5
    offset_lr: float = 1e-4
    #: Loss weights: pixels ((x - 127) / 128) at the fewest and at the most bytes, the teacher's features and answer.
    mse_weight: float = 8.0
    top_mse_weight: float = 40.0
    feature_weight: float = 5.0
    answer_weight: float = 0.6
    #: Streams are truncated between these sizes, uniformly in the logarithm; two of three have a shaken pass order.
    fewest_bytes: float = 500.0
    most_bytes: float = 5500.0
    shake: float = 0.3
    ema: float = 0.998
    #: Go on from the shipped decoder. The shipped encoder, pass order and coder stay, so streams do not change.
    shipped: bool = False
    #: The classifiers that give the perceptual loss, and the numbers of those of the steps, in turn.
    teachers: tuple[str, ...] = ("efficientnet-lite0", "efficientnet-lite1")
    turns: tuple[int, ...] = (0, 0, 1)


RECIPES = {
    "default": CodecRecipe("default", codec="pnc-v2"),
    "refine": CodecRecipe(
        "refine",
        codec="pnc-v2",
        shipped=True,
        perceptual_at=0.0,
        order_at=math.inf,
        decoder_lr=3e-4,
        linear_lr=3e-5,
        fewest_bytes=250.0,
        # Photos with few details reach their last planes at half of the mean bytes.
        most_bytes=8000.0,
        teachers=("efficientnet-lite0", "efficientnet-lite1", "efficientnet-lite0-pnc"),
        turns=(0, 2, 1, 2, 0),
    ),
}
