"""One stage's networks, optimizer and place in its epochs: what a checkpoint holds, and one step at a time."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from .. import checkpoint
from ..photos import TrainingError
from . import weights
from .data import to_pixels
from .distributed import Team
from .recipe import EPSILON, Run
from .stages import Classifier, Pipeline, loss_of, parameter_groups


def on_device(pictures: Tensor, device: torch.device) -> Tensor:
    """``pictures`` on the device if they take less than half of its free memory, else where they are."""
    if device.type == "cuda" and pictures.nbytes < torch.cuda.mem_get_info(device)[0] / 2:
        return pictures.to(device)
    return pictures


def add(figures: dict[str, Tensor], sums: dict[str, Tensor]) -> None:
    """Adds each of ``figures`` to the sum of its name."""
    for name, value in figures.items():
        sums[name] = sums[name] + value if name in sums else value


class Trainer:
    """State of a stage: everything that its checkpoint holds, and one step at a time."""

    def __init__(self, run: Run, team: Team, pictures: Tensor, held_out: Tensor, photos: str) -> None:
        """``photos``: the identity of all of them together."""
        self.run, self.team, self.photos = run, team, photos
        torch.manual_seed(run.seed)
        self.pipeline = Pipeline(run.stage)
        self.pipeline.autoencoder.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.pipeline.to(team.device)
        #: Never learns: what it makes of the originals is the target.
        self.judge = self.pipeline.classifier if self.pipeline.classifier and self.student is None else Classifier()
        self.judge.to(team.device)
        self.pictures, self.held_out = (on_device(p, team.device) for p in (pictures, held_out))
        self.adam = torch.optim.Adam(
            parameter_groups(self.pipeline, run.stage),
            lr=run.stage.learning_rate,
            eps=EPSILON,
            fused=team.device.type == "cuda",
        )
        self.epoch, self.step_of_epoch, self.elapsed_s, self.best = 0, 0, 0.0, -math.inf
        self._sums: dict[str, Tensor] = {}
        self._summed = 0

    @property
    def student(self) -> Classifier | None:
        """The classifier that learns along, where there is one."""
        return self.pipeline.classifier if self.run.stage.classifier_rate else None

    def facts(self) -> dict[str, int | str]:
        """What must be the same when a run is resumed."""
        return {"photos": self.photos, "batch": self.run.batch, "side": self.run.side, "seed": self.run.seed}

    def learned(self) -> dict[str, Any]:
        """The weights that this stage moves."""
        made: dict[str, Any] = {"model": self.pipeline.autoencoder.state_dict()}
        if self.student is not None:
            made["classifier"] = self.student.state_dict()
        return made

    def begin_with(self, state: dict[str, Any], path: Path) -> None:
        """Take over weights from ``state``, the content of ``path``."""
        weights.put(self.pipeline.autoencoder, state.get("model"), path)
        if self.student is not None and "classifier" in state:
            weights.put(self.student, state["classifier"], path)

    def state(self) -> dict[str, Any]:
        return {
            **weights.label(self.run.stage.number),
            **self.learned(),
            "adam": self.adam.state_dict(),
            "facts": self.facts(),
            "epoch": self.epoch,
            "step_of_epoch": self.step_of_epoch,
            "elapsed_s": self.elapsed_s,
            "best": self.best,
        }

    def resume(self, state: dict[str, Any], path: Path) -> None:
        """Go on from ``state``, the content of ``path``. Raises TrainingError when it belongs to another run."""
        checkpoint.check_run(state, self.facts(), path)
        try:
            self.begin_with(state, path)
            self.adam.load_state_dict(state["adam"])
            self.epoch, self.step_of_epoch = int(state["epoch"]), int(state["step_of_epoch"])
            self.elapsed_s, self.best = float(state["elapsed_s"]), float(state["best"])
        except (KeyError, TypeError, ValueError) as error:
            raise TrainingError(f"{path}: not a whole checkpoint ({error})") from error

    def reduced(self) -> torch.autocast:
        """Arithmetic in bfloat16 on a GPU, in float32 on the CPU."""
        kind = self.team.device.type
        return torch.autocast(kind, torch.bfloat16, enabled=kind == "cuda")

    def step(self, parallel: torch.nn.Module, chosen: Tensor, kept: Tensor, stop: Callable[[], bool]) -> bool:
        """One step of Adam on this process's photos ``chosen`` [batches, n]; ``kept`` [batches] channels arrive.

        False, and nothing done, when ``stop``, asked between two batches, said so.
        """
        self.adam.zero_grad(set_to_none=True)
        sums: dict[str, Tensor] = {}
        for i in range(len(chosen)):
            if i and stop():
                return False
            with self.team.sharing(parallel, i == len(chosen) - 1):
                add(self._gradients(parallel, chosen[i], kept[i : i + 1], len(chosen)), sums)
        rate = self.run.stage.rate_at(self.epoch)
        for group in self.adam.param_groups:
            group["lr"] = rate * group["share"]
        self.adam.step()
        add(sums, self._sums)
        self._summed += len(chosen)
        self.step_of_epoch += 1
        return True

    def _gradients(self, parallel: torch.nn.Module, chosen: Tensor, kept: Tensor, parts: int) -> dict[str, Tensor]:
        """Adds a batch's share of the gradients; its loss and the parts of it."""
        pixels = to_pixels(self.pictures[chosen], self.team.device)
        with self.reduced():
            decoded, got = parallel(pixels, kept)
            with torch.no_grad():
                want = None if got is None else self.judge(pixels)
        loss, figures = loss_of(self.run.stage, pixels, decoded, want, got)
        (loss / parts).backward()  # type: ignore[no-untyped-call]
        return {"loss": loss.detach(), **figures}

    def means(self) -> dict[str, float]:
        """Loss and parts over the steps since this was last asked. Raises TrainingError when they are no numbers."""
        means = {name: float(value) / self._summed for name, value in self._sums.items()}
        self._sums, self._summed = {}, 0
        if not all(map(math.isfinite, means.values())):
            raise TrainingError(
                f"the loss is no number any more at epoch {self.epoch + 1}, step {self.step_of_epoch}; "
                "the last checkpoint is from before"
            )
        return means
