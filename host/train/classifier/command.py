"""What ``python -m host.train --recipe classifier`` does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch

from ...codec.weights import kind_of
from ...printing import show
from .. import checkpoint, loop
from ..files import make_folder
from ..photos import TrainingError, load_photos, read_photo
from .export import export_classifier, export_own, model_path, state_path
from .own import OwnNetwork, load_network
from .parts import SHORT_SIDE
from .recipe import ClassifierRecipe
from .trainer import ClassifierTrainer


@dataclass(frozen=True)
class OwnOptions:
    """A user's network, "module:function"; submodules whose outputs are goals, too; a file with the classes' names."""

    network: str
    features: tuple[str, ...] = ()
    labels: Path | None = None


def run_classifier(
    data: Path,
    out: Path,
    minutes: float | None,
    resume: bool,
    threads: int,
    recipe: ClassifierRecipe | None = None,
    own: OwnOptions | None = None,
) -> None:
    """Distil the classifier, or the user's own, and write it. Raises TrainingError with one line for what to mend."""
    recipe = recipe or ClassifierRecipe()
    network, labels = None, []
    if own:
        torch.set_num_threads(max(1, threads - 1))
        network = load_network(own.network, own.features)
        labels = read_labels(own.labels, network.classes) if own.labels else []
        name = own.network.rpartition(":")[2]
        weights = (1.0,) * len(own.features)
        recipe = replace(recipe, network=name, mapped_blocks=own.features, map_weights=weights)
    path = out / "checkpoint.pt"
    if not resume:
        checkpoint.check_new(path, model_path(recipe, out), *([state_path(recipe, out)] if own else []))
    state = checkpoint.load(path, recipe.name) if resume else None
    # One more thread makes the pictures of the next step meanwhile.
    torch.set_num_threads(max(1, threads - 1))
    photos, source = load_photos(data, partial(read_photo, short_side=SHORT_SIDE))
    say(f"{len(photos)} photos, {source.broken} broken files left out")
    kind = kind_of(recipe.codec)
    facts = {"photos": source.identity, "seed": recipe.seed, "codec": f"{kind.name} version {kind.version}"}
    if own and network:
        facts |= {"network": own.network, "features": ",".join(own.features), "weights": digest(network)}
    if state:
        checkpoint.check_run(state, facts, path)
    make_folder(out)
    trainer = ClassifierTrainer(recipe, *split(photos, recipe), network)
    if state:
        trainer.resume(state)
        say(f"going on at {trainer.elapsed_s / 60:.1f} minutes, step {trainer.steps}")
    else:
        say(f"before: {trainer.validate()}")
    loop.run(trainer, recipe.minutes if minutes is None else minutes, path, facts, say)
    if isinstance(trainer.average, OwnNetwork):
        written = export_own(trainer.average, recipe, out, labels)
    else:
        written = [export_classifier(trainer.average, recipe, out)]
    for file in written:
        say(f"wrote {file} ({file.stat().st_size} bytes)")


def read_labels(file: Path, classes: int) -> list[str]:
    """Read the names of so many classes, one a line. Raises TrainingError if there are others."""
    try:
        names = [line.strip() for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise TrainingError(f"--labels {file}: cannot be read ({getattr(error, 'strerror', error)})") from error
    if len(names) != classes:
        raise TrainingError(f"--labels {file}: {len(names)} names, one a line, but the network has {classes} classes")
    return names


def digest(network: OwnNetwork) -> str:
    """Return a digest of a network's weights: the untouched ones are the teacher's."""
    found = sha256()
    for name, tensor in network.network.state_dict().items():
        found.update(name.encode() + tensor.detach().flatten().view(torch.uint8).numpy().tobytes())
    return found.hexdigest()[:12]


def split(photos: Sequence[np.ndarray], recipe: ClassifierRecipe) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Photos to train on, and those that are held out: of few photos at most a quarter, of one the same."""
    shuffled = np.random.default_rng(recipe.seed).permutation(len(photos))
    held_out = min(recipe.held_out, max(1, len(photos) // 4))
    held = [photos[i] for i in shuffled[:held_out]]
    return [photos[i] for i in shuffled[held_out:]] or held, held


def say(line: str) -> None:
    """Tell how it goes."""
    show(line)
