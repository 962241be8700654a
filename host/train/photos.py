"""A folder of photos in memory."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps

from ..codec.errors import PictureError
from ..codec.picture import BROKEN, to_rgb
from ..errors import PncError

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp"}
#: Photos are kept at this short side at most: enough for crops at the scale of a 224-pixel picture.
SHORT_SIDE = 248


class TrainingError(PncError):
    """A mistake that the user can mend; the message is one line and names the thing."""


class Source(NamedTuple):
    """Where photos come from: how many files were left out as broken, and what other photos do not share."""

    broken: int
    #: Number of photos, and a digest of their files' names and sizes: the order of names decides what is held out.
    identity: str


def _load(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        image.draft("RGB", (SHORT_SIDE, SHORT_SIDE))
        picture = to_rgb(ImageOps.exif_transpose(image))
    if min(picture.size) < 64:
        raise ValueError(f"only {picture.width}x{picture.height} pixels")
    scale = SHORT_SIDE / min(picture.size)
    if scale < 1:
        size = (round(picture.width * scale), round(picture.height * scale))
        picture = picture.resize(size, Image.Resampling.BICUBIC)
    return np.asarray(picture)


def load_photos(folder: Path, load: Callable[[Path], np.ndarray] = _load) -> tuple[list[np.ndarray], Source]:
    """All photos of ``folder`` as uint8 arrays [h, w, 3], in order of name, and what is to be known of them.

    ``load`` reads one of them. Raises TrainingError when the folder is missing or holds no usable photo.
    """
    if not folder.is_dir():
        raise TrainingError(f"{folder}: no such folder; --data takes a folder of photos")
    files = sorted(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES)

    def attempt(path: Path) -> np.ndarray | None:
        try:
            return load(path)
        except (OSError, PictureError, *BROKEN):
            return None

    with ThreadPoolExecutor() as pool:
        read = [(file, photo) for file, photo in zip(files, pool.map(attempt, files), strict=True) if photo is not None]
    photos = [photo for _, photo in read]
    broken = len(files) - len(photos)
    if not photos:
        what = f"all {broken} are broken" if broken else "it holds none"
        raise TrainingError(f"{folder}: no usable photo ({what}); --data takes a folder of .jpg, .png or .webp photos")
    digest = sha256()
    for file, _ in read:
        digest.update(os.fsencode(file.name) + f"/{file.stat().st_size}/".encode())
    return photos, Source(broken, f"{len(photos)} ({digest.hexdigest()[:12]})")


def whole(photo: np.ndarray) -> np.ndarray:
    """The whole photo squashed to 224x224, uint8 [224, 224, 3], as the sender does it."""
    return np.asarray(Image.fromarray(photo).resize((224, 224), Image.Resampling.BICUBIC))
