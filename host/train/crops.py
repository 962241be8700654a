"""Random crops of photos, made by Pillow or on a GPU."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from ..codec.layout import SIDE


@dataclass(frozen=True)
class Crop:
    """A rectangle of a photo in pixels, and how it is resized to a square."""

    left: float
    top: float
    width: float
    height: float
    bicubic: bool
    mirrored: bool


def draw_crop(height: int, width: int, size: int, rng: np.random.Generator) -> Crop:
    """Draw a random crop of a photo [height, width] to be resized to [size, size], at the scale of a whole picture."""
    zoom = rng.uniform(0.72, 1.06) * size / SIDE
    aspect = np.exp(rng.uniform(-0.12, 0.12))
    # 1: squashed like a whole picture; 0: an undistorted square.
    blend = rng.uniform(0, 1)
    short = min(height, width)
    crop_w = min(width, zoom * aspect * (blend * width + (1 - blend) * short))
    crop_h = min(height, zoom / aspect * (blend * height + (1 - blend) * short))
    left = rng.uniform(0, width - crop_w)
    top = rng.uniform(0, height - crop_h)
    return Crop(left, top, crop_w, crop_h, rng.random() < 0.5, rng.random() < 0.5)


def _cut(photo: np.ndarray, crop: Crop, size: int) -> np.ndarray:
    box = (crop.left, crop.top, crop.left + crop.width, crop.top + crop.height)
    how = Image.Resampling.BICUBIC if crop.bicubic else Image.Resampling.BILINEAR
    cut = np.asarray(Image.fromarray(photo).resize((size, size), how, box=box))
    return cut[:, ::-1] if crop.mirrored else cut


def random_batch(photos: Sequence[np.ndarray], count: int, size: int, rng: np.random.Generator) -> np.ndarray:
    """Make ``count`` random crops, uint8 [count, 3, size, size]."""
    chosen = [photos[i] for i in rng.integers(0, len(photos), count)]
    crops = [_cut(photo, draw_crop(photo.shape[0], photo.shape[1], size, rng), size) for photo in chosen]
    return np.ascontiguousarray(np.stack(crops).transpose(0, 3, 1, 2))


class DevicePhotos:
    """Photos in a device's memory (5,000 take 1.3 GB): crops are made there, so that a GPU need not wait for Pillow."""

    def __init__(self, photos: Sequence[np.ndarray], device: torch.device) -> None:
        """Copy photos, uint8 [h, w, 3] of any sizes, to ``device``."""
        self._photos = [torch.from_numpy(p.transpose(2, 0, 1).copy()).to(device) for p in photos]

    def random_batch(self, count: int, size: int, rng: np.random.Generator) -> Tensor:
        """Make crops as the function of that name does, but on the device and with edges at whole pixels."""
        cuts = []
        for index in rng.integers(0, len(self._photos), count):
            photo = self._photos[index]
            crop = draw_crop(photo.shape[1], photo.shape[2], size, rng)
            top, left = round(crop.top), round(crop.left)
            part = photo[:, top : top + round(crop.height), left : left + round(crop.width)].float()
            mode = "bicubic" if crop.bicubic else "bilinear"
            cut = F.interpolate(part[None], (size, size), mode=mode, antialias=True)[0]
            cuts.append(cut.flip(2) if crop.mirrored else cut)
        return torch.stack(cuts).round().clamp(0, 255).to(torch.uint8)
