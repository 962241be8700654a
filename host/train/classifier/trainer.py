"""Distils the classifier: on what prefixes leave of a picture it learns to say what is said of the original."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from ...edge.builtin import model_file
from .. import checkpoint
from ..teachers import ADAPTED
from .echo import Echo
from .network import LiteNetwork
from .own import OwnNetwork, OwnTeacher
from .parts import Pictures
from .recipe import ClassifierRecipe
from .samples import Batch, Samples, starting_network
from .shipped import shipped_network
from .validation import HeldOut

#: Less than the mean square of any feature map that says something.
_TINY = 1e-12


class ClassifierTrainer:
    """State of a run; see ``host.train.loop.Trainer``."""

    order_at = math.inf
    ordered = True

    def __init__(
        self,
        recipe: ClassifierRecipe,
        photos: Sequence[Pictures],
        held_out: Sequence[Pictures],
        own: OwnNetwork | None = None,
    ) -> None:
        """Begin with the recipe's published network, or with the user's ``own``, which is then its own teacher."""
        self.recipe, self.validate_s = recipe, recipe.validate_s
        self.steps, self.elapsed_s = 0, 0.0
        self.rng = np.random.default_rng(recipe.seed)
        self.model: LiteNetwork | OwnNetwork
        teacher = None
        if own is None:
            if recipe.shipped:
                self.model = shipped_network(recipe.network, model_file(f"{recipe.network}{ADAPTED}"))
            else:
                self.model = starting_network(recipe.network)
            self.model.last.requires_grad_(False)
        else:
            self.model, teacher = own, OwnTeacher(own, recipe.mapped_blocks)
        self.average = copy.deepcopy(self.model).requires_grad_(False)
        self.adam = torch.optim.AdamW(groups(self.model, recipe), lr=0.0, weight_decay=0.0)
        self.samples = Samples(recipe, photos, teacher)
        self._judge = recipe.judge if own is None else None
        self._echo = Echo(self.samples.draw)
        self._held_out = held_out

    @cached_property
    def held(self) -> HeldOut:
        """Photos that are held out, and what is wanted of them."""
        return HeldOut(self._held_out, self.samples, self._judge)

    def crops(self, rng: np.random.Generator, _progress: float) -> Batch:
        """Draw the next batch."""
        return self._echo.draw(rng)

    def step(self, batch: Batch, progress: float) -> dict[str, float]:
        """Take a step; returns figures to report."""
        maps, logits = self.model.maps_and_logits(torch.from_numpy(batch.pictures), self.recipe.mapped_blocks)
        said = torch.log_softmax(logits, 1)
        apart = F.kl_div(said, torch.from_numpy(batch.answers), reduction="none").sum(1)
        errors = [relative_error(now, torch.from_numpy(goal)) for now, goal in zip(maps, batch.maps, strict=True)]
        weighted = sum(weight * error for weight, error in zip(self.recipe.map_weights, errors, strict=True))
        self.adam.zero_grad(set_to_none=True)
        (apart.mean() + weighted).backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 5.0)
        fall = 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))
        for group in self.adam.param_groups:
            group["lr"] = group["base"] * fall * min(1.0, (self.steps + 1) / self.recipe.warm_steps)
        self.adam.step()
        self.steps += 1
        self._follow()
        first = self.recipe.originals
        figures = {"originals": apart[:first].mean(), "decoded": apart[first:].mean()}
        figures |= {f"map {block}": error for block, error in zip(self.recipe.mapped_blocks, errors, strict=True)}
        return {name: float(value.detach()) for name, value in figures.items()}

    @torch.no_grad()
    def _follow(self) -> None:
        """Move the average towards the model; in the first steps faster than the recipe says."""
        keep = min(self.recipe.ema, self.steps / (self.steps + 20))
        for mean, now in zip(self.average.parameters(), self.model.parameters(), strict=True):
            mean.lerp_(now, 1 - keep)

    def reorder(self, say: Callable[[str], None]) -> str:
        """Never called: there is no order to choose."""
        raise NotImplementedError

    def validate(self) -> str:
        """Say in one line what held-out photos say."""
        return self.held.ask(self.average)

    def state(self) -> dict[str, Any]:
        """Collect everything that a checkpoint holds."""
        return {
            "recipe": self.recipe.name,
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "adam": self.adam.state_dict(),
            "steps": self.steps,
            "elapsed_s": self.elapsed_s,
        }

    def resume(self, state: dict[str, Any]) -> None:
        """Go on from ``state()``. Raises TrainingError when it does not fit."""
        with checkpoint.restoring():
            self.model.load_state_dict(state["model"])
            self.average.load_state_dict(state["average"])
            self.adam.load_state_dict(state["adam"])
            self.steps, self.elapsed_s = state["steps"], state["elapsed_s"]
        # Other draws than those that the steps so far were made with.
        self.rng = np.random.default_rng([self.recipe.seed, self.steps])


def relative_error(maps: torch.Tensor, goals: torch.Tensor) -> torch.Tensor:
    """Mean squared error of feature maps [n, ...], as a share of the goals' mean square."""
    goals = goals.float()
    return (maps.float() - goals).square().mean() / goals.square().mean().clamp_min(_TINY)


def groups(network: nn.Module, recipe: ClassifierRecipe) -> list[dict[str, Any]]:
    """Sort the parameters that may learn by their rate, ``base``: filters layer by layer, then gains and offsets."""
    found: list[dict[str, Any]] = []
    rest = []
    for parameter in network.parameters():
        if not parameter.requires_grad:
            continue
        size = float(parameter.detach().square().mean().sqrt()) if parameter.ndim > 1 else 0.0
        if size > 0:
            found.append({"params": [parameter], "base": recipe.filter_lr * size})
        else:
            rest.append(parameter)
    return [*found, {"params": rest, "base": recipe.norm_lr}] if rest else found
