"""State that trainings with a length in minutes share: a model, its moving average, Adam and the time taken."""

from __future__ import annotations

from typing import Any, Protocol

import torch
from torch import nn

from ..codec.weights import kind_of
from . import checkpoint


class LearnerRecipe(Protocol):
    """The part of a recipe that a checkpoint names."""

    @property
    def name(self) -> str: ...

    @property
    def codec(self) -> str: ...


class Learner(Protocol):
    """The attributes of such a training."""

    adam: torch.optim.Adam
    steps: int
    elapsed_s: float
    ordered: bool

    @property
    def recipe(self) -> LearnerRecipe: ...

    @property
    def model(self) -> nn.Module: ...

    @property
    def average(self) -> nn.Module: ...


def state_dict(learner: Learner) -> dict[str, Any]:
    """Return the learner's part of a checkpoint."""
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


def load_state(learner: Learner, state: dict[str, Any]) -> None:
    """Restore what ``state_dict`` returned. Raises TrainingError if it does not fit."""
    with checkpoint.restoring():
        learner.model.load_state_dict(state["model"])
        learner.average.load_state_dict(state["average"])
        learner.adam.load_state_dict(state["adam"])
        learner.steps, learner.elapsed_s, learner.ordered = state["steps"], state["elapsed_s"], state["ordered"]


@torch.no_grad()
def ema_update(learner: Learner, ema: float) -> None:
    """Move the average towards the model; faster than ``ema`` in the first steps."""
    keep = min(ema, learner.steps / (learner.steps + 20))
    for mean, now in zip(learner.average.parameters(), learner.model.parameters(), strict=True):
        mean.lerp_(now, 1 - keep)
