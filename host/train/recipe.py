"""What a training run of the plane codec is told."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PlaneRecipe:
    """Schedule and weights of a training run. Fractions are of the whole time (``minutes``)."""

    name: str
    #: The codec whose weights it makes.
    codec: str
    minutes: float = 85.0
    #: Crops in a step, on a CPU and on a GPU.
    batch: int = 16
    gpu_batch: int = 96
    seed: int = 20231205
    #: Side of the crops in pixels, a multiple of 8.
    crop: int = 192
    #: By squared error alone until ``judged_at``; the pieces' order is measured at ``order_at``.
    judged_at: float = 0.12
    order_at: float = 0.4
    decoder_lr: float = 6e-4
    #: The linear path back starts right and moves slowly.
    linear_lr: float = 6e-5
    offset_lr: float = 1e-4
    #: Weights of the loss: pixels ((x - 127) / 128) at the fewest and at the most bytes, the judge.
    mse_weight: float = 8.0
    top_mse_weight: float = 40.0
    feature_weight: float = 5.0
    answer_weight: float = 0.6
    #: Cuts are drawn evenly in the logarithm of their bytes between these, two of three in shaken orders.
    fewest_bytes: float = 500.0
    most_bytes: float = 5500.0
    shake: float = 0.3
    ema: float = 0.998


RECIPES = {"default": PlaneRecipe("default", codec="pnc-v2")}
