"""What ``python -m host.train --recipe classifier`` does."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch

from ...codec.weights import kind_of
from .. import checkpoint, loop
from ..photos import TrainingError, load_photos, read_photo
from .export import export_classifier, model_path
from .recipe import ClassifierRecipe
from .trainer import ClassifierTrainer

#: Photos are kept at this short side at most, in pixels: 10,800 of them take 2.8 GB.
SHORT_SIDE = 256


def run_classifier(
    data: Path,
    out: Path,
    minutes: float | None,
    resume: bool,
    threads: int,
    recipe: ClassifierRecipe | None = None,
) -> None:
    """Distil the classifier and write it. Raises TrainingError with one line for what the user can mend."""
    recipe = recipe or ClassifierRecipe()
    path = out / "checkpoint.pt"
    if not resume:
        checkpoint.check_new(path, model_path(recipe, out))
    state = checkpoint.load(path, recipe.name) if resume else None
    # One more thread makes the pictures of the next step meanwhile.
    torch.set_num_threads(max(1, threads - 1))
    photos, source = load_photos(data, partial(read_photo, short_side=SHORT_SIDE))
    say(f"{len(photos)} photos, {source.broken} broken files left out")
    kind = kind_of(recipe.codec)
    facts = {"photos": source.identity, "seed": recipe.seed, "codec": f"{kind.name} version {kind.version}"}
    if state:
        checkpoint.check_run(state, facts, path)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TrainingError(f"{out}: cannot be made ({error.strerror})") from error
    trainer = ClassifierTrainer(recipe, *split(photos, recipe))
    if state:
        trainer.resume(state)
        say(f"going on at {trainer.elapsed_s / 60:.1f} minutes, step {trainer.steps}")
    else:
        say(f"before: {trainer.validate()}")
    loop.run(trainer, recipe.minutes if minutes is None else minutes, path, facts, say)
    file = export_classifier(trainer.average, recipe, out)
    say(f"wrote {file} ({file.stat().st_size} bytes)")


def split(photos: Sequence[np.ndarray], recipe: ClassifierRecipe) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Photos to train on, and those that are held out: of few photos at most a quarter, of one the same."""
    shuffled = np.random.default_rng(recipe.seed).permutation(len(photos))
    held_out = min(recipe.held_out, max(1, len(photos) // 4))
    held = [photos[i] for i in shuffled[:held_out]]
    return [photos[i] for i in shuffled[held_out:]] or held, held


def say(line: str) -> None:
    """Tell how it goes."""
    print(line, flush=True)
