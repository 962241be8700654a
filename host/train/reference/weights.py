"""The files of a stage: its checkpoint, its best weights, and those weights as plain arrays."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ...reference.model import Autoencoder
from .. import checkpoint
from ..files import write
from ..photos import TrainingError
from .recipe import NAME, VERSION, WEIGHTS_NAME


def last_path(out: Path, stage: int) -> Path:
    """Return the path of a stage's checkpoint."""
    return out / f"{NAME}-stage{stage}-last.pt"


def best_path(out: Path, stage: int) -> Path:
    """Return the path of the weights of a stage's best epoch."""
    return out / f"{WEIGHTS_NAME}-stage{stage}.pt"


def label(stage: int) -> dict[str, Any]:
    """Return the label that each of these files carries."""
    return {"recipe": NAME, "version": VERSION, "stage": stage}


def load(path: Path, stage: int) -> dict[str, Any]:
    """Read the state in ``path``. Raises TrainingError if missing, broken, or of another recipe, stage or layout."""
    state = checkpoint.load(path, NAME)
    if (state.get("stage"), state.get("version")) != (stage, VERSION):
        raise TrainingError(
            f"{path}: belongs to stage {state.get('stage')} of recipe {NAME} (layout {state.get('version')}), "
            f"not to stage {stage} (layout {VERSION})"
        )
    return state


def start(out: Path, stage: int, named: Path | None) -> dict[str, Any] | None:
    """Read the weights that a stage begins with: the best ones of the stage before, or None for stage 0.

    Args:
        out: folder of the stage before.
        stage: the stage that begins.
        named: a file to read instead.

    Raises:
        TrainingError: there are no such weights.
    """
    if stage == 0:
        if named:
            raise TrainingError("stage 0 starts from random weights; leave out --from")
        return None
    path = named or best_path(out, stage - 1)
    if not path.is_file():
        raise TrainingError(
            f"{path}: no weights of stage {stage - 1} to start from; run --stage {stage - 1} first, or name its "
            "weights with --from"
        )
    return load(path, stage - 1)


def put(module: torch.nn.Module, weights: Any, path: Path) -> None:
    """Load ``weights`` into ``module``. Raises TrainingError, naming the file, if they do not fit."""
    try:
        module.load_state_dict(weights)
    except (RuntimeError, TypeError, AttributeError, KeyError) as error:
        raise TrainingError(f"{path}: its weights are not those of this network") from error


def export(autoencoder: Autoencoder, path: Path) -> None:
    """Write plain float32 arrays under the names of the module's state_dict, with ``name`` and ``version``."""
    arrays = {key: value.float().contiguous().numpy() for key, value in autoencoder.state_dict().items()}
    buffer = io.BytesIO()
    name, version = np.array(WEIGHTS_NAME), np.array(str(VERSION))
    np.savez_compressed(buffer, name=name, version=version, **arrays)
    write(buffer.getbuffer(), path)
