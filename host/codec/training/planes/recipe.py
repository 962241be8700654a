"""What a training run of the plane codec is told."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PlaneRecipe:
    """Schedule and weights of a training run. Fractions are of the whole time (``minutes``)."""

    name: str
    #: The codec whose weights it makes.
    codec: str
    minutes: float = 117.0
    #: Crops in a step, on a CPU and on a GPU.
    batch: int = 16
    gpu_batch: int = 96
    seed: int = 20231205
    #: Side of the crops in pixels, a multiple of 8.
    crop: int = 192
    #: The decoder alone, by plain reconstruction, until ``distil_at``; the pieces' order is measured at ``order_at``.
    distil_at: float = 0.03
    order_at: tuple[float, ...] = (0.15, 0.5)
    decoder_lr: float = 8e-4
    #: The linear path back, and the filters: they start right and move slowly.
    linear_lr: float = 2e-5
    filter_lr: float = 1e-4
    offset_lr: float = 1e-4
    rate_lr: float = 8e-3
    #: Weights of the loss: pixels ((x - 127) / 128) at the fewest and at the most bytes, the judge.
    mse_weight: float = 8.0
    top_mse_weight: float = 40.0
    feature_weight: float = 5.0
    answer_weight: float = 0.6
    #: Cuts are drawn evenly in the logarithm of their bytes between these.
    fewest_bytes: float = 500.0
    most_bytes: float = 5500.0
    #: A bit of a picture cut at b bytes costs price * most_bytes / b: near what the loss of a trained model falls by for
    #: a bit more at b.
    price: float = 6e-5
    ema: float = 0.999
