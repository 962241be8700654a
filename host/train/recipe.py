"""What a training run is told: one frozen table of numbers a recipe."""

from __future__ import annotations

from dataclasses import dataclass

from .planes.recipe import PlaneRecipe


@dataclass(frozen=True)
class Recipe:
    """Schedule and weights of a training run. Fractions are of the whole time (``minutes``)."""

    name: str
    #: The codec whose weights it makes.
    codec: str
    minutes: float = 45.0
    batch: int = 16
    seed: int = 20231205
    #: Crops are ``small`` pixels until ``grow_at``, then 224.
    small: int = 140
    grow_at: float = 0.88
    #: The decoder alone, by plain reconstruction, until ``distil_at``; random sets of channels until ``order_at``;
    #: then tail-drop in order.
    distil_at: float = 0.02
    order_at: float = 0.13
    #: Share of samples that lose a stretch of symbols in the middle.
    hole_share: float = 0.12
    decoder_lr: float = 7e-4
    rate_lr: float = 5e-3
    #: The encoder starts from cosines and moves slowly: shapes of its two layers' filters, their gains (log), biases.
    first_lr: float = 3e-4
    second_lr: float = 1e-4
    gain_lr: float = 6e-4
    bias_lr: float = 3e-3
    #: Weights of the loss: pixels ((x - 127) / 128), features of the judge, and its answer.
    mse_weight: float = 12.0
    feature_weight: float = 5.0
    answer_weight: float = 0.3
    #: Mean bytes of all symbols (without packet overhead) that the price of a bit is steered to.
    target_bytes: float = 2700.0
    first_price: float = 1.5e-5
    #: A bit of channel c costs price * (all bytes / bytes up to c) ** early_power.
    early_power: float = 0.6
    ema: float = 0.999


RECIPES: dict[str, Recipe | PlaneRecipe] = {
    "default": PlaneRecipe("default", codec="pnc-v2"),
    "pnc-v1": Recipe("pnc-v1", codec="pnc-v1"),
}
