"""Training of a stage of the published recipe: ``python -m host.train --recipe pnc`` in each process."""

from __future__ import annotations

from pathlib import Path

import torch

from ...printing import show
from ...reference.model import STRIDE, Autoencoder
from .. import checkpoint
from ..files import make_folder
from ..photos import TrainingError
from . import weights
from .data import load_pictures, split
from .distributed import Team
from .interrupt import Interrupt
from .loop import Loop
from .recipe import Run
from .trainer import Trainer

#: Smaller pictures are too small for the classifier.
SMALLEST_SIDE = 56


def run_stage(run: Run, data: Path, out: Path, start: Path | None, resume: bool, threads: int) -> None:
    """Train a stage and write its weights.

    Args:
        run: the stage and its options.
        data: folder of photos.
        out: folder for checkpoints and weights.
        start: weights to begin with; None for those of the stage before in ``out``.
        resume: continue from the checkpoint in ``out``.
        threads: number of torch threads of each process.

    Raises:
        TrainingError: a problem that the user can fix.
        KeyboardInterrupt: the run was stopped and saved.
    """
    team = Team()
    _check(run, team.size)
    if resume and start:
        raise TrainingError(
            "--from names weights to begin with, --resume continues with those in --out; give one of them"
        )
    stage = run.stage.number
    last, best = weights.last_path(out, stage), weights.best_path(out, stage)
    if not resume:
        checkpoint.check_new(last, best, best.with_suffix(".npz"))
    begin = None if resume else weights.start(out, stage, start)
    state = weights.load(last, stage) if resume else None
    torch.set_num_threads(threads)
    pictures, source = load_pictures(data, run.side)
    training, held_out = split(pictures, run.seed)

    def say(line: str) -> None:
        if team.leads:
            show(line)

    say(
        f"{len(training)} photos to train on, {len(held_out)} held out, {source.broken} broken files left out; "
        f"{'one process' if team.size == 1 else f'{team.size} processes'}, {team.device.type}"
    )
    make_folder(out)
    torch.backends.cudnn.benchmark = True
    try:
        with team.joined(), Interrupt(team) as interrupt:
            trainer = Trainer(run, team, training, held_out, source.identity)
            if begin:
                trainer.begin_with(begin, start or weights.best_path(out, stage - 1))
            if state:
                trainer.resume(state, last)
                say(f"continuing at epoch {trainer.epoch + 1}, step {trainer.step_of_epoch}")
            Loop(trainer, out, interrupt, say).to_the_end()
    except torch.cuda.OutOfMemoryError as error:
        raise TrainingError(
            f"the GPU has too little memory for {run.batch} photos at a time; give a smaller --batch"
        ) from error
    if team.leads:
        arrays = best.with_suffix(".npz")
        autoencoder = Autoencoder()
        found = weights.load(best, stage)
        weights.put(autoencoder, found.get("model"), best)
        weights.export(autoencoder, arrays)
        for file in (best, arrays):
            say(f"wrote {file} ({file.stat().st_size} bytes), the weights of epoch {found.get('epoch')}")


def _check(run: Run, processes: int) -> None:
    if run.epochs < 1:
        raise TrainingError(f"--epochs {run.epochs}: at least 1")
    if run.batch < 1 or run.batch % processes:
        raise TrainingError(
            f"--batch {run.batch}: photos in a batch, for all processes together, must be a multiple of their "
            f"number ({processes})"
        )
    if run.side % STRIDE or run.side < SMALLEST_SIDE:
        raise TrainingError(f"--side {run.side}: a multiple of {STRIDE}, at least {SMALLEST_SIDE}")
