"""What ``python -m host.train`` does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from host.codec.training import checkpoint
from host.codec.training.export import export
from host.codec.training.loop import Trainer, train
from host.codec.training.photos import TrainingError, load_photos
from host.codec.training.recipe import RECIPES
from host.codec.weights import kind_of

#: Photos kept from training, to see how it goes; and how many photos the entropy tables are fitted on.
HELD_OUT = 160
TABLE_PHOTOS = 2500


def run(recipe_name: str, data: Path, out: Path, minutes: float | None, resume: bool, threads: int) -> None:
    """Train, then export. Raises TrainingError with one line for what the user can mend."""
    if recipe_name not in RECIPES:
        raise TrainingError(f"{recipe_name}: no such recipe; there is {', '.join(RECIPES)}")
    recipe = RECIPES[recipe_name]
    torch.set_num_threads(threads)
    photos, broken = load_photos(data)
    print(f"{len(photos)} photos, {broken} broken files left out", flush=True)
    shuffled = np.random.default_rng(recipe.seed).permutation(len(photos))
    held_out = [photos[i] for i in shuffled[:HELD_OUT]]
    rest = [photos[i] for i in shuffled[HELD_OUT:]] or held_out
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TrainingError(f"{out}: cannot be made ({error.strerror})") from error
    path = out / "checkpoint.pt"
    state = checkpoint.load(path, recipe.name) if resume else None
    trainer = Trainer(recipe, rest, held_out)
    if state:
        trainer.resume(state)
        print(f"going on at {trainer.elapsed_s / 60:.1f} minutes, step {trainer.steps}", flush=True)
    train(trainer, recipe.minutes if minutes is None else minutes, path, lambda line: print(line, flush=True))
    print("fitting the entropy tables", flush=True)
    for written in export(trainer.average, rest[:TABLE_PHOTOS], kind_of(recipe.codec), recipe.seed, out):
        print(f"wrote {written} ({written.stat().st_size} bytes)", flush=True)
