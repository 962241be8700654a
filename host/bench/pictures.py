"""The pictures that benches measure on."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image

from ..camera.pictures import pictures_in
from ..codec import PictureError
from ..codec.picture import sound_pictures, to_pixels

#: How many pictures of a folder are used.
MOST_PICTURES = 64


def parts_of(file: Path) -> list[np.ndarray]:
    """Return eight parts of a photo, three quarters of its height each: detailed and smooth ones."""
    with Image.open(file) as image:
        photo = image.convert("RGB")
    side = photo.height * 3 // 4
    corners = [((photo.width - side) * x // 3, (photo.height - side) * y) for y in range(2) for x in range(4)]
    return [to_pixels(photo.crop((x, y, x + side, y + side))) for x, y in corners]


def sound_in(folder: Path, notes: list[str]) -> tuple[list[Path], list[np.ndarray]]:
    """Return the first usable files with their pictures; note how many before them were broken."""
    if not folder.is_dir():
        raise PictureError(f"{folder}: no such folder")
    try:
        files = pictures_in(folder, recursive=False)
    except OSError as error:
        raise PictureError(f"{folder}: cannot be read ({error.strerror or error})") from error
    if not files:
        raise PictureError(f"{folder}: no pictures in this folder")
    broken: list[Path] = []
    sound = list(islice(sound_pictures(files, broken), MOST_PICTURES))
    if not sound:
        raise PictureError(f"{folder}: no usable picture (all {len(broken)} are broken)")
    if broken:
        notes.append(f"left out: {len(broken)} broken files of {folder}")
    return [file for file, _ in sound], [picture for _, picture in sound]
