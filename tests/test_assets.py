"""The pictures that ship with the project: small, and each with its source and its licence."""

from __future__ import annotations

import tomllib
from fnmatch import fnmatch
from pathlib import Path

import numpy as np
import pytest

from host.camera.pictures import PHOTOS, SAMPLE, find_pictures
from host.codec import load_picture

ROOT = Path(__file__).parents[1]
PICTURES = [SAMPLE, *find_pictures([str(PHOTOS)])]


def test_there_are_ten_different_photos_which_are_small_together() -> None:
    photos = PICTURES[1:]
    assert len({load_picture(photo).tobytes() for photo in photos}) == len(photos) == 10
    assert sum(photo.stat().st_size for photo in photos) < 250_000
    assert {photo.name for photo in photos} == {file.name for file in PHOTOS.iterdir()}


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.stem)
def test_each_picture_has_a_source_and_a_licence_of_its_own(picture: Path) -> None:
    source = (PHOTOS.parent / "SOURCE.md").read_text()
    rows = [line for line in source.splitlines() if line.startswith((f"| `{picture.name}`", f"`{picture.name}`"))]
    assert len(rows) == (1 if picture == SAMPLE else 2), "what it is, and who says that it is free"
    assert any(free in rows[-1] for free in ("public domain", "CC0")) or picture == SAMPLE
    name = picture.relative_to(ROOT).as_posix()
    named = []
    for each in tomllib.loads((ROOT / "REUSE.toml").read_text())["annotations"][1:]:
        paths = each["path"] if isinstance(each["path"], list) else [each["path"]]
        if any(fnmatch(name, path) for path in paths):
            named.append(each["SPDX-License-Identifier"])
    assert len(named) == 1
    assert named[0] in ("CC0-1.0", "LicenseRef-Public-Domain")
    assert (ROOT / "LICENSES" / f"{named[0]}.txt").exists()


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.stem)
def test_each_picture_can_be_sent_and_is_not_flat(picture: Path) -> None:
    pixels = load_picture(picture)
    assert pixels.shape == (224, 224, 3)
    assert np.std(pixels) > 20
