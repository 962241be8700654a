"""The state of a stage: networks, optimizer and position in its epochs."""

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
    """Move ``pictures`` to the device if they take less than half of its free memory."""
    if device.type == "cuda" and pictures.nbytes < torch.cuda.mem_get_info(device)[0] / 2:
        return pictures.to(device)
    return pictures


def add(figures: dict[str, Tensor], sums: dict[str, Tensor]) -> None:
    """Add each of ``figures`` to the sum of that name."""
    for name, value in figures.items():
        sums[name] = sums[name] + value if name in sums else value


class Trainer:
    """A run of a stage: the state that its checkpoint holds, and one training step at a time."""

    def __init__(self, run: Run, team: Team, pictures: Tensor, held_out: Tensor, photos: str) -> None:
        """Begin a stage. ``photos`` is the identity of the folder's photos (``Source.identity``)."""
        self.run, self.team, self.photos = run, team, photos
        torch.manual_seed(run.seed)
        self.pipeline = Pipeline(run.stage)
        self.pipeline.autoencoder.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.pipeline.to(team.device)
        #: Frozen: its answers for the originals are the targets.
        self.teacher = self.pipeline.classifier if self.pipeline.classifier and self.student is None else Classifier()
        self.teacher.to(team.device)
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
        """The classifier that is trained along, or None."""
        return self.pipeline.classifier if self.run.stage.classifier_rate else None

    def facts(self) -> dict[str, int | str]:
        """Return the facts that must be the same when a run is resumed."""
        return {"photos": self.photos, "batch": self.run.batch, "side": self.run.side, "seed": self.run.seed}

    def learned(self) -> dict[str, Any]:
        """Return the weights that this stage trains."""
        made: dict[str, Any] = {"model": self.pipeline.autoencoder.state_dict()}
        if self.student is not None:
            made["classifier"] = self.student.state_dict()
        return made

    def begin_with(self, state: dict[str, Any], path: Path) -> None:
        """Load weights from ``state``, the content of ``path``."""
        weights.put(self.pipeline.autoencoder, state.get("model"), path)
        if self.student is not None and "classifier" in state:
            weights.put(self.student, state["classifier"], path)

    def state(self) -> dict[str, Any]:
        """Return the content of a checkpoint."""
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
        """Continue from ``state``, the content of ``path``. Raises TrainingError if it belongs to another run."""
        checkpoint.check_run(state, self.facts(), path)
        try:
            self.begin_with(state, path)
            self.adam.load_state_dict(state["adam"])
            self.epoch, self.step_of_epoch = int(state["epoch"]), int(state["step_of_epoch"])
            self.elapsed_s, self.best = float(state["elapsed_s"]), float(state["best"])
        except (KeyError, TypeError, ValueError) as error:
            raise TrainingError(f"{path}: not a complete checkpoint ({error})") from error

    def reduced(self) -> torch.autocast:
        """Return the context that computes in bfloat16 on a GPU; on the CPU it changes nothing (float32)."""
        kind = self.team.device.type
        return torch.autocast(kind, torch.bfloat16, enabled=kind == "cuda")

    def step(self, parallel: torch.nn.Module, chosen: Tensor, kept: Tensor, stop: Callable[[], bool]) -> bool:
        """Train one step on this process's photos.

        Args:
            parallel: the pipeline as ``Team.wrap`` returned it.
            chosen: indices of photos [batches, n].
            kept: number of kept channels of each batch, [batches].
            stop: called between two batches.

        Returns:
            False if ``stop`` returned true; the weights are then unchanged.
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
        """Accumulate the gradients of a batch; return its loss and the parts of it."""
        pixels = to_pixels(self.pictures[chosen], self.team.device)
        with self.reduced():
            decoded, got = parallel(pixels, kept)
            with torch.no_grad():
                wanted = None if got is None else self.teacher(pixels)
        loss, figures = loss_of(self.run.stage, pixels, decoded, wanted, got)
        (loss / parts).backward()  # type: ignore[no-untyped-call]
        return {"loss": loss.detach(), **figures}

    def means(self) -> dict[str, float]:
        """Return the mean loss and parts since the last call. Raises TrainingError if one is not finite."""
        means = {name: float(value) / self._summed for name, value in self._sums.items()}
        self._sums, self._summed = {}, 0
        if not all(map(math.isfinite, means.values())):
            raise TrainingError(
                f"the loss is not finite at epoch {self.epoch + 1}, step {self.step_of_epoch}; "
                "the last checkpoint was saved before that"
            )
        return means
