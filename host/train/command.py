"""Training of the codec: ``python -m host.train`` with every recipe but the published one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from ..codec.weights import kind_of, load_arrays
from ..printing import show
from . import checkpoint, loop
from .classifier.recipe import RECIPES as CLASSIFIERS
from .export import export, weights_paths, write_codec
from .files import make_folder
from .photos import TrainingError, load_photos
from .recipe import RECIPES
from .trainer import CodecTrainer

#: Photos held out for validation, and photos on which the entropy coder's tables are fitted.
HELD_OUT = 160
TABLE_PHOTOS = 2500


def split(photos: Sequence[np.ndarray], seed: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Draw the photos that are held out, and return them and the rest; of few photos, all serve as both."""
    shuffled = np.random.default_rng(seed).permutation(len(photos))
    held_out = [photos[i] for i in shuffled[:HELD_OUT]]
    return held_out, [photos[i] for i in shuffled[HELD_OUT:]] or held_out


def run(recipe_name: str, data: Path, out: Path, minutes: float | None, resume: bool, threads: int) -> None:
    """Train and export a codec.

    Args:
        recipe_name: a name in ``RECIPES``.
        data: folder of photos.
        out: folder for the checkpoint and the weights.
        minutes: length of the whole run; None for the recipe's.
        resume: continue from the checkpoint in ``out``.
        threads: number of torch threads.

    Raises:
        TrainingError: a problem that the user can fix.
        KeyboardInterrupt: the run was stopped and saved.
    """
    if recipe_name not in RECIPES:
        known = ", ".join([*RECIPES, *CLASSIFIERS, "pnc"])
        raise TrainingError(f"{recipe_name}: no such recipe; known are {known}")
    recipe = RECIPES[recipe_name]
    path = out / "checkpoint.pt"
    kind = kind_of(recipe.codec)
    if not resume:
        checkpoint.check_new(path, *weights_paths(kind, out))
    state = checkpoint.load(path, recipe.name) if resume else None
    if state and state.get("version") != kind.version:
        raise TrainingError(
            f"{path}: of {kind.name} version {state.get('version', 'unknown')}, but this program trains "
            f"version {kind.version}; {checkpoint.ELSEWHERE}"
        )
    torch.set_num_threads(threads)
    photos, source = load_photos(data)
    say(f"{len(photos)} photos, {source.broken} broken files left out")
    facts = {"photos": source.identity, "seed": recipe.seed}
    held_out, rest = split(photos, recipe.seed)
    make_folder(out)
    if state:
        checkpoint.check_run(state, facts, path)
    length = recipe.minutes if minutes is None else minutes
    trainer = CodecTrainer(recipe, rest, held_out, say, state)
    if state:
        say(f"continuing at {trainer.elapsed_s / 60:.1f} minutes, step {trainer.steps}")
    loop.run(trainer, length, path, facts, say)
    if recipe.shipped:
        written = write_codec(trainer.average, load_arrays(kind), kind, out, rest)
    else:
        say("fitting the entropy tables")
        written = export(trainer.average, trainer.passes.order, rest[:TABLE_PHOTOS], kind, recipe.seed, out, say)
    for file in written:
        say(f"wrote {file} ({file.stat().st_size} bytes)")


def say(line: str) -> None:
    """Print a progress line."""
    show(line)
