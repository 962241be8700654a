"""Loads a folder of photos into memory."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from ..camera.pictures import pictures_in
from ..codec.errors import PictureError
from ..codec.layout import SIDE
from ..codec.picture import BROKEN, open_picture
from ..errors import PncError

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
    """Read a photo as ``load_picture`` does, uint8 [h, w, 3], reduced if its short side has more pixels.

    Raises PictureError if it cannot be read, ValueError if it is too small.
    """
    picture = open_picture(path, short_side)
    if min(picture.size) < 64:
        raise ValueError(f"only {picture.width}x{picture.height} pixels")
    scale = short_side / min(picture.size)
    if scale < 1:
        size = (round(picture.width * scale), round(picture.height * scale))
        picture = picture.resize(size, Image.Resampling.BICUBIC)
    return np.asarray(picture)


def load_photos(folder: Path, load: Callable[[Path], np.ndarray] = read_photo) -> tuple[list[np.ndarray], Source]:
    """Load all photos of ``folder`` with ``load``, in order of name, as uint8 arrays [h, w, 3].

    The files are those that ``send`` takes of a folder. Raises TrainingError if the folder is missing or has no usable
    photo.
    """
    if not folder.is_dir():
        raise TrainingError(f"{folder}: no such folder; --data takes a folder of photos")
    try:
        files = pictures_in(folder, recursive=False)
    except OSError as error:
        raise TrainingError(f"{folder}: cannot be read ({error.strerror or error})") from error

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
