"""The archive: pictures, maps of what is interpolated, and a line for each."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from host.edge.answered import AnsweredPicture
from host.edge.archive import MAPS, Archive
from host.edge.errors import ServerError

CELLS = np.linspace(0, 1, 28 * 28, dtype=np.float32).reshape(28, 28)
PIXELS = np.arange(224 * 224 * 3, dtype=np.uint32).astype(np.uint8).reshape(224, 224, 3)
ANSWERED = AnsweredPicture(
    time="2026-01-02T03:04:05+0000",
    source=2,
    image=7,
    whole=False,
    packets=5,
    bytes=1100,
    used_bytes=900,
    channels=11.5,
    interpolated=0.5,
    margin_ms=20.0,
    service_ms=40.0,
    top=((3, "tiger shark", 0.7),),
    issues=(),
    pixels=PIXELS,
    cells=CELLS,
)


def lines(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "pictures.jsonl").read_text().splitlines()]


def test_a_picture_is_saved_with_its_map_and_its_line(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    saved = archive.keep(ANSWERED)
    archive.close()
    assert saved.picture == str(tmp_path / "20260102T030405-00001-camera2.png")
    assert saved.cell_map == str(tmp_path / MAPS / "20260102T030405-00001-camera2.png")
    assert np.array_equal(np.asarray(Image.open(saved.picture)), PIXELS)
    levels = np.asarray(Image.open(saved.cell_map))
    assert levels.dtype == np.uint8
    assert np.abs(levels / 255 - CELLS).max() <= 0.5 / 255 + 1e-6
    (line,) = lines(tmp_path)
    assert (line["bytes"], line["used_bytes"], line["interpolated"]) == (1100, 900, 0.5)
    assert (line["picture"], line["cell_map"]) == (saved.picture, saved.cell_map)
    assert not {"pixels", "cells"} & line.keys()


def test_maps_are_no_pictures_of_the_folder(tmp_path: Path) -> None:
    """So that the saved pictures can be sent or looked at as a folder."""
    archive = Archive(tmp_path)
    for _ in range(3):
        archive.keep(ANSWERED)
    archive.close()
    assert len(list(tmp_path.glob("*.png"))) == 3
    assert len(list((tmp_path / MAPS).glob("*.png"))) == 3
    assert len(lines(tmp_path)) == 3


def test_a_picture_of_nothing_has_a_line_alone(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    kept = archive.keep(replace(ANSWERED, pixels=None, cells=None, top=(), used_bytes=0, interpolated=1.0))
    archive.close()
    assert (kept.picture, kept.cell_map) == (None, None)
    assert [path.name for path in tmp_path.iterdir()] == ["pictures.jsonl"]


def test_what_cannot_be_saved_is_an_issue(tmp_path: Path) -> None:
    (tmp_path / MAPS).write_text("in the way")
    archive = Archive(tmp_path)
    kept = archive.keep(ANSWERED)
    archive.close()
    assert kept.picture is not None
    assert kept.cell_map is None
    assert len(kept.issues) == 1
    assert kept.issues[0].startswith("not saved: ")
    assert lines(tmp_path)[0]["issues"] == list(kept.issues)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ServerError, match=r"file: cannot save there"):
        Archive(tmp_path / "file")
