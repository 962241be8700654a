"""Training photos, and which of them each step uses: a function of seed, stage, epoch and step alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ...codec.picture import load_picture
from ...reference.model import CHANNELS
from ..photos import Source, load_photos
from .recipe import Run

#: Validation photos: one in eight, at most 5,000, as published (5,000 of 40,000).
HELD_OUT_SHARE, MOST_HELD_OUT = 8, 5000


def load_pictures(folder: Path, side: int) -> tuple[Tensor, Source]:
    """Load all photos of ``folder``, squashed as the sender does it, uint8 [n, 3, side, side].

    Raises TrainingError if the folder is missing or has no usable photo.
    """

    def load(path: Path) -> np.ndarray:
        picture = load_picture(path)
        if side == len(picture):
            return picture
        return np.asarray(Image.fromarray(picture).resize((side, side), Image.Resampling.BICUBIC))

    photos, source = load_photos(folder, load)
    pictures = np.empty((len(photos), 3, side, side), np.uint8)
    for i in range(len(photos)):
        pictures[i] = photos[i].transpose(2, 0, 1)
        photos[i] = photos[i][:0]
    return torch.from_numpy(pictures), source


def split(pictures: Tensor, seed: int) -> tuple[Tensor, Tensor]:
    """Split pictures into training and validation pictures. A single picture is both."""
    shuffled = np.random.default_rng(seed).permutation(len(pictures))
    held_out = max(1, min(MOST_HELD_OUT, len(pictures) // HELD_OUT_SHARE))
    return pictures[shuffled[held_out:]] if len(pictures) > 1 else pictures, pictures[shuffled[:held_out]]


def batches(count: int, run: Run, epoch: int) -> np.ndarray:
    """Return the indices, below ``count``, of an epoch's photos: [steps, batches of a step, photos of a batch].

    Each photo comes once; the last step is filled with photos from the epoch's beginning.
    """
    order = np.random.default_rng([run.seed, run.stage.number, epoch, 0]).permutation(count)
    shape = run.stage.batches_a_step, run.batch
    steps = -(-count // (shape[0] * shape[1]))
    return np.resize(order, (steps, *shape))


def kept_channels(steps: int, run: Run, epoch: int) -> np.ndarray:
    """Draw how many channels of each batch are kept, uniformly from 1..10: [steps, batches of a step].

    It is the same for all photos of a batch, in all processes.
    """
    rng = np.random.default_rng([run.seed, run.stage.number, epoch, 1])
    return CHANNELS - rng.integers(0, CHANNELS, (steps, run.stage.batches_a_step))


def to_pixels(pictures: Tensor, device: torch.device) -> Tensor:
    """Convert uint8 [n, 3, s, s] to [0, 1] on ``device``, channels last."""
    moved = pictures.to(device, non_blocking=True)
    return moved.to(torch.float32, memory_format=torch.channels_last) / 255
