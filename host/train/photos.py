"""Loads a folder of photos into memory."""

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
from ..codec.layout import SIDE
from ..codec.picture import BROKEN, to_rgb
from ..errors import PncError

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp"}
#: Larger photos are reduced to this short side: enough for crops at the scale of the codec's pictures.
SHORT_SIDE = 248


class TrainingError(PncError):
    """A training cannot run: a problem that the user can fix. The message is one line and names the file or option."""


class Source(NamedTuple):
    """The folder that photos came from: the number of broken files, which were left out, and an identity."""

    broken: int
    #: Number of photos, and a digest of file names and sizes. The names decide which photos are held out.
    identity: str


def read_photo(path: Path, short_side: int = SHORT_SIDE) -> np.ndarray:
    """Read a photo, uint8 [h, w, 3], reduced if its short side has more pixels."""
    with Image.open(path) as image:
        image.draft("RGB", (short_side, short_side))
        picture = to_rgb(ImageOps.exif_transpose(image))
    if min(picture.size) < 64:
        raise ValueError(f"only {picture.width}x{picture.height} pixels")
    scale = short_side / min(picture.size)
    if scale < 1:
        size = (round(picture.width * scale), round(picture.height * scale))
        picture = picture.resize(size, Image.Resampling.BICUBIC)
    return np.asarray(picture)


def load_photos(folder: Path, load: Callable[[Path], np.ndarray] = read_photo) -> tuple[list[np.ndarray], Source]:
    """Load all photos of ``folder`` with ``load``, in order of name, as uint8 arrays [h, w, 3].

    Raises TrainingError if the folder is missing or has no usable photo.
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
    """Return the whole photo squashed to the codec's size, uint8 [224, 224, 3], as the sender does it."""
    return np.asarray(Image.fromarray(photo).resize((SIDE, SIDE), Image.Resampling.BICUBIC))
