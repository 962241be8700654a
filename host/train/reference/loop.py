"""The epochs of a stage: steps, progress, validation and checkpoints, on any number of processes."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import torch

from .. import checkpoint
from . import weights
from .data import batches, kept_channels
from .interrupt import Interrupt
from .trainer import Trainer
from .validation import validate

CHECKPOINT_S = 120.0
REPORT_S = 15.0


class Loop:
    """Runs a trainer to its last epoch."""

    def __init__(self, trainer: Trainer, out: Path, interrupt: Interrupt, say: Callable[[str], None]) -> None:
        self.trainer, self.run, self.team = trainer, trainer.run, trainer.team
        self.interrupt, self.say = interrupt, say
        self.last = weights.last_path(out, self.run.stage.number)
        self.best = weights.best_path(out, self.run.stage.number)
        self.parallel = self.team.wrap(trainer.pipeline)
        self.counted_s = self.saved_s = time.monotonic()

    def to_the_end(self) -> None:
        """Train all remaining epochs. Raises KeyboardInterrupt, with the checkpoint saved, if it is asked to stop."""
        while self.trainer.epoch < self.run.epochs:
            self._steps()
            self._close_epoch()

    def _steps(self) -> None:
        t, team = self.trainer, self.team
        plan = batches(len(t.pictures), self.run, t.epoch)
        mine = torch.from_numpy(plan[..., team.rank :: team.size].copy()).to(t.pictures.device)
        kept = torch.from_numpy(kept_channels(len(plan), self.run, t.epoch)).to(team.device)
        reported_s, reported_at = time.monotonic(), t.step_of_epoch
        while t.step_of_epoch < len(plan):
            i = t.step_of_epoch
            if not t.step(self.parallel, mine[i], kept[i], self.interrupt.agreed):
                self._stop()
            now_s = time.monotonic()
            ends = t.step_of_epoch == len(plan)
            if team.leads and (ends or now_s - reported_s > REPORT_S):
                rate = (t.step_of_epoch - reported_at) * plan[0].size / (now_s - reported_s)
                self._report(len(plan), rate)
                reported_s, reported_at = time.monotonic(), t.step_of_epoch
            if self.interrupt.agreed():
                self._stop()
            if not ends and now_s - self.saved_s > CHECKPOINT_S:
                self._save()

    def _report(self, steps: int, photos_per_s: float) -> None:
        t = self.trainer
        means = "  ".join(f"{name} {value:.4g}" for name, value in t.means().items())
        self.say(
            f"stage {self.run.stage.number}  epoch {t.epoch + 1} of {self.run.epochs}  "
            f"step {t.step_of_epoch} of {steps}  {photos_per_s:.3g} photos/s  {means}"
        )

    def _close_epoch(self) -> None:
        t, stage = self.trainer, self.run.stage
        figures = validate(t, self.interrupt.agreed)
        if figures is None:
            self._stop()
        score = figures.score(stage)
        better = score > t.best
        self.say(f"epoch {t.epoch + 1}  {figures.line()}{'  (best so far)' if better else ''}")
        t.epoch, t.step_of_epoch = t.epoch + 1, 0
        if better:
            t.best = score
            if self.team.leads:
                checkpoint.save(weights.label(stage.number) | t.learned() | {"epoch": t.epoch}, self.best, self.last)
        self._save()

    def _save(self) -> None:
        now_s = time.monotonic()
        self.trainer.elapsed_s += now_s - self.counted_s
        self.counted_s = now_s
        if self.team.leads:
            self.trainer.means()  # raises if the loss is not finite: then nothing is saved
            checkpoint.save(self.trainer.state(), self.last)
        self.saved_s = time.monotonic()

    def _stop(self) -> NoReturn:
        self._save()
        raise checkpoint.stopped(self.last) if self.team.leads else KeyboardInterrupt
