"""What trainers whose length is in minutes have in common: a model, its moving average, Adam, the time taken."""

from __future__ import annotations

from typing import Any, Protocol

import torch
from torch import nn

from ..codec.weights import kind_of
from . import checkpoint


class OwnRecipe(Protocol):
    """What of a recipe is needed here."""

    @property
    def name(self) -> str: ...

    @property
    def codec(self) -> str: ...


class Learner(Protocol):
    """The attributes that both trainers have."""

    adam: torch.optim.Adam
    steps: int
    elapsed_s: float
    ordered: bool

    @property
    def recipe(self) -> OwnRecipe: ...

    @property
    def model(self) -> nn.Module: ...

    @property
    def average(self) -> nn.Module: ...


def state_of(learner: Learner) -> dict[str, Any]:
    """Its part of a checkpoint."""
    return {
        "recipe": learner.recipe.name,
        "version": kind_of(learner.recipe.codec).version,
        "model": learner.model.state_dict(),
        "average": learner.average.state_dict(),
        "adam": learner.adam.state_dict(),
        "steps": learner.steps,
        "elapsed_s": learner.elapsed_s,
        "ordered": learner.ordered,
    }


def take(learner: Learner, state: dict[str, Any]) -> None:
    """Go on from ``state_of``. Raises TrainingError when it does not fit."""
    with checkpoint.taking():
        learner.model.load_state_dict(state["model"])
        learner.average.load_state_dict(state["average"])
        learner.adam.load_state_dict(state["adam"])
        learner.steps, learner.elapsed_s, learner.ordered = state["steps"], state["elapsed_s"], state["ordered"]


@torch.no_grad()
def follow(learner: Learner, ema: float) -> None:
    """Move the average towards the model; in the first steps faster than ``ema`` says."""
    keep = min(ema, learner.steps / (learner.steps + 20))
    for mean, now in zip(learner.average.parameters(), learner.model.parameters(), strict=True):
        mean.lerp_(now, 1 - keep)
