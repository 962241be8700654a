"""A training whose length is in minutes, whatever it trains: steps, progress, validation and checkpoints."""

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
    """State of a run. ``progress`` is the share of its whole time that is over."""

    #: The order of what is sent is chosen at this progress; ``ordered``: it has been.
    order_at: float
    ordered: bool
    #: Between two looks at the photos that are held out.
    validate_s: float
    steps: int
    elapsed_s: float
    rng: np.random.Generator

    def crops(self, rng: np.random.Generator, progress: float, /) -> Batch:
        """The photos of a step; asked for in a thread of its own while the step before is computed."""
        ...

    def step(self, crops: Batch, progress: float, /) -> dict[str, float]:
        """One step; returns figures to report."""
        ...

    def reorder(self, say: Callable[[str], None], /) -> str:
        """Choose the order, and go on with it; tells why."""
        ...

    def validate(self) -> str:
        """One line on the photos that are held out."""
        ...

    def state(self) -> dict[str, Any]:
        """Everything that a checkpoint holds."""
        ...


def run(
    trainer: Trainer[Batch], minutes: float, path: Path, facts: Mapping[str, Any], say: Callable[[str], None]
) -> None:
    """Run until ``minutes`` of training in all. Raises KeyboardInterrupt, all saved, when it is asked to stop.

    Checkpoints go to ``path``, with ``facts``: what must be the same when the run is resumed.
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
                say(f"order of what is sent: {trainer.reorder(say)}")
            batch, ahead = ahead.result(), drawn()
            with ctrl_c_waits():  # half a step is nothing to go on from
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
