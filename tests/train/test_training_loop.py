"""The loop of a training whose length is in minutes, with a trainer that has next to nothing to do."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="training needs the extra pnc-link[train]")

from host.train import checkpoint, loop

FACTS = {"photos": "6 (0123456789ab)"}


class Counter:
    """Counts its steps; ``batches`` are those that it was given."""

    order_at, validate_s = 0.5, 1e9

    def __init__(self) -> None:
        self.steps, self.elapsed_s, self.ordered = 0, 0.0, False
        self.rng = np.random.default_rng(1)
        self.batches: list[float] = []
        self.ordered_at: list[float] = []

    def crops(self, rng: np.random.Generator, _progress: float) -> float:
        return float(rng.random())

    def step(self, crops: float, progress: float) -> dict[str, float]:
        assert 0 <= progress < 1
        assert self.ordered == (progress >= self.order_at)
        self.batches.append(crops)
        self.steps += 1
        time.sleep(0.001)
        return {"crops": crops}

    def reorder(self, _say: Callable[[str], None]) -> str:
        self.ordered_at.append(self.elapsed_s)
        self.ordered = True
        return "why"

    def validate(self) -> str:
        return f"held out after {self.steps}"

    def state(self) -> dict[str, Any]:
        return {"recipe": "counter", "steps": self.steps, "elapsed_s": self.elapsed_s}


def saved(path: Path) -> dict[str, Any]:
    state = checkpoint.load(path, "counter")
    checkpoint.check_run(state, FACTS, path)
    return state


def test_a_run_takes_its_time_chooses_the_order_once_and_ends_saved_and_validated(tmp_path: Path) -> None:
    trainer, said, path = Counter(), list[str](), tmp_path / "checkpoint.pt"
    loop.run(trainer, 0.01, path, FACTS, said.append)
    assert trainer.elapsed_s >= 0.6 > trainer.elapsed_s / trainer.steps
    assert len(trainer.ordered_at) == 1
    assert trainer.ordered_at[0] >= 0.3
    assert len(set(trainer.batches)) == trainer.steps  # each is drawn anew
    assert saved(path)["steps"] == trainer.steps
    assert (said.count("transmission order: why"), said[-1]) == (1, f"held out after {trainer.steps}")
    assert any(f"of 0.01 min  step {loop.REPORT_STEPS}  crops 0." in line for line in said)


def test_a_run_whose_time_is_over_takes_no_step(tmp_path: Path) -> None:
    trainer = Counter()
    for minutes in (0.0, 0.01):
        trainer.elapsed_s = minutes * 60
        loop.run(trainer, minutes, tmp_path / "checkpoint.pt", FACTS, print)
    assert trainer.steps == 0


def test_checkpoints_and_validations_come_while_it_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "CHECKPOINT_S", 0.1)
    trainer, said, seen = Counter(), list[str](), set[int]()
    trainer.validate_s = 0.1
    path = tmp_path / "checkpoint.pt"

    def say(line: str) -> None:
        said.append(line)
        if path.exists():
            seen.add(saved(path)["steps"])

    loop.run(trainer, 0.01, path, FACTS, say)
    assert seen
    assert max(seen) <= trainer.steps
    assert min(seen) < trainer.steps
    assert sum(line.startswith("held out") for line in said) > 1


@pytest.mark.parametrize("place", ["step", "validate", "reorder"])
def test_ctrl_c_anywhere_saves_whole_steps_and_says_how_to_go_on(place: str, tmp_path: Path) -> None:
    class Stopped(Counter):
        """Ctrl-C comes twice within its third step, while it validates, or while it chooses the order."""

        def step(self, crops: float, progress: float) -> dict[str, float]:
            if place == "step" and self.steps == 2:
                self.ctrl_c()
                self.ctrl_c()
            return super().step(crops, progress)

        def validate(self) -> str:
            self.ctrl_c()
            return super().validate()

        def reorder(self, say: Callable[[str], None]) -> str:
            if place == "reorder":
                self.ctrl_c()
            return super().reorder(say)

        def ctrl_c(self) -> None:
            os.kill(os.getpid(), signal.SIGINT)

    trainer, path = Stopped(), tmp_path / "checkpoint.pt"
    if place == "validate":
        trainer.validate_s = 0.1
    with pytest.raises(KeyboardInterrupt) as ended:
        loop.run(trainer, 0.01, path, FACTS, print)
    assert str(ended.value) == f"stopped; {path} is saved: continue with --resume"
    assert saved(path)["steps"] == trainer.steps == len(trainer.batches) > 0
    if place == "step":
        assert trainer.steps == 3
    assert not trainer.ordered
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_where_ctrl_c_is_ignored_it_stays_ignored(tmp_path: Path) -> None:
    class Left(Counter):
        def step(self, crops: float, progress: float) -> dict[str, float]:
            os.kill(os.getpid(), signal.SIGINT)
            return super().step(crops, progress)

    trainer = Left()
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        loop.run(trainer, 0.001, tmp_path / "checkpoint.pt", FACTS, print)
    finally:
        signal.signal(signal.SIGINT, before)
    assert trainer.elapsed_s >= 0.06
