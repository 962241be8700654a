"""The loop of a training with a length in minutes: steps, progress, validation and checkpoints."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np

from . import checkpoint
from .interrupt import ctrl_c_waits

CHECKPOINT_S = 120.0
REPORT_STEPS = 100

Batch = TypeVar("Batch")


class Trainer(Protocol[Batch]):
    """A run of a training. ``progress`` is the elapsed fraction of its time."""

    #: Progress at which ``reorder`` is called; ``ordered``: it has been.
    order_at: float
    ordered: bool
    #: Seconds between two validations.
    validate_s: float
    steps: int
    elapsed_s: float
    rng: np.random.Generator

    def crops(self, rng: np.random.Generator, progress: float, /) -> Batch:
        """Return the next batch. Called in another thread while the step before is computed."""
        ...

    def step(self, crops: Batch, progress: float, /) -> dict[str, float]:
        """Train one step; return figures to report."""
        ...

    def reorder(self, say: Callable[[str], None], /) -> str:
        """Choose the order of what is sent and use it from now on; return the reason."""
        ...

    def validate(self) -> str:
        """Return a line with the results on held-out photos."""
        ...

    def state(self) -> dict[str, Any]:
        """Return the content of a checkpoint."""
        ...


def run(
    trainer: Trainer[Batch], minutes: float, path: Path, facts: Mapping[str, Any], say: Callable[[str], None]
) -> None:
    """Train until ``minutes`` have passed, over all parts of a run that was resumed.

    Args:
        trainer: the run.
        minutes: its whole length.
        path: the checkpoint file.
        facts: stored in the checkpoint; must be the same when the run is resumed.
        say: receives progress lines.

    Raises:
        KeyboardInterrupt: the training was asked to stop; the checkpoint is saved.
    """

    def save() -> None:
        checkpoint.save(trainer.state() | {"facts": dict(facts)}, path)

    try:
        _run(trainer, minutes, save, say)
    except KeyboardInterrupt:
        save()
        raise checkpoint.stopped(path) from None


def _run(trainer: Trainer[Batch], minutes: float, save: Callable[[], None], say: Callable[[str], None]) -> None:
    last_saved = last_validated = trainer.elapsed_s
    sums: dict[str, list[float]] = {}

    def progress() -> float:
        return trainer.elapsed_s / (minutes * 60) if minutes else 1.0

    with ThreadPoolExecutor(1) as pool:

        def drawn() -> Future[Batch]:
            return pool.submit(trainer.crops, trainer.rng.spawn(1)[0], progress())

        before = time.monotonic()
        ahead = drawn()
        while progress() < 1:
            if not trainer.ordered and progress() >= trainer.order_at:
                say(f"transmission order: {trainer.reorder(say)}")
            batch, ahead = ahead.result(), drawn()
            with ctrl_c_waits():  # a step is never left half done
                figures = trainer.step(batch, progress())
                now = time.monotonic()
                trainer.elapsed_s += now - before
                before = now
            for key, value in figures.items():
                sums.setdefault(key, []).append(value)
            if trainer.steps % REPORT_STEPS == 0:
                means = "  ".join(f"{k} {sum(v) / len(v):.4g}" for k, v in sums.items())
                say(f"{trainer.elapsed_s / 60:5.1f} of {minutes:g} min  step {trainer.steps}  {means}")
                sums.clear()
            if trainer.elapsed_s - last_validated > trainer.validate_s:
                say(trainer.validate())
                last_validated = trainer.elapsed_s
            if trainer.elapsed_s - last_saved > CHECKPOINT_S:
                save()
                last_saved = trainer.elapsed_s
    save()
    say(trainer.validate())
