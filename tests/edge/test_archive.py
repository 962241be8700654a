"""The archive: pictures, maps of what is interpolated, and a line for each."""

from __future__ import annotations

import json
import multiprocessing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from host.edge.answered import AnsweredPicture
from host.edge.archive import LOG, MAPS, Archive
from tests.limits import largest_file

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


@pytest.mark.parametrize("below", ["", "folder/in it"])
def test_a_file_in_the_place_of_the_folder_is_one_issue_of_each_picture(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").write_text("in the way")
    archive = Archive(tmp_path / "file" / below)
    assert str(tmp_path / "file") in archive.trouble()
    for _ in range(2):
        kept = archive.keep(ANSWERED)
        assert (kept.picture, kept.cell_map, kept.top) == (None, None, ANSWERED.top)
        [issue] = kept.issues
        assert issue.startswith(f"not saved: {tmp_path / 'file'}")
    assert (tmp_path / "file").read_text() == "in the way"
    (tmp_path / "file").unlink()
    assert archive.trouble() == ""
    kept = archive.keep(ANSWERED)
    assert kept.issues == ()
    assert kept.picture is not None


def test_a_folder_that_is_removed_is_made_again(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "out")
    first = archive.keep(ANSWERED)
    (tmp_path / "out").rename(tmp_path / "away")
    second = archive.keep(ANSWERED)
    assert (first.issues, second.issues) == ((), ())
    assert (len(lines(tmp_path / "out")), len(lines(tmp_path / "away"))) == (1, 1)


@pytest.mark.parametrize("limit", [0, 100, 1000])
def test_a_full_disk_leaves_no_part_of_a_picture_and_no_part_of_a_line(tmp_path: Path, limit: int) -> None:
    """A limit on the size of files refuses in the middle of a write, as a disk that is full does."""
    archive = Archive(tmp_path)
    archive.keep(replace(ANSWERED, pixels=None, cells=None))
    before = (tmp_path / LOG).read_bytes()
    noise = np.random.default_rng(0).integers(0, 256, PIXELS.shape, np.uint8)
    with largest_file(len(before) + limit):
        kept = [archive.keep(replace(ANSWERED, pixels=noise)) for _ in range(3)]
    for each in kept:
        assert each.picture is None
        assert len([issue for issue in each.issues if issue.startswith("not saved: ")]) == len(each.issues) == 1
    assert (tmp_path / LOG).read_bytes().startswith(before)
    assert all(line["picture"] is None for line in lines(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == [LOG]
    assert archive.keep(ANSWERED).issues == ()
    assert lines(tmp_path)[-1]["image"] == ANSWERED.image


def test_a_clock_that_is_set_back_replaces_nothing(tmp_path: Path) -> None:
    """In autumn an hour comes twice, with the same names; so does the second in which a program starts again."""
    shades = [np.full((224, 224, 3), shade, np.uint8) for shade in (0, 90, 250)]
    kept = []
    for shade, zone in zip(shades, ("+0200", "+0100", "+0100"), strict=True):
        answered = replace(ANSWERED, time=f"2026-10-25T02:30:00{zone}", pixels=shade)
        kept.append(Archive(tmp_path).keep(answered))  # another program each time
    for shade, each in zip(shades, kept, strict=True):
        assert each.picture is not None
        assert each.cell_map is not None
        assert np.array_equal(np.asarray(Image.open(each.picture)), shade)
        assert Path(each.cell_map).name == Path(each.picture).name
    assert [line["picture"] for line in lines(tmp_path)] == [each.picture for each in kept]


def _save(folder: Path, program: int, count: int, begin: object) -> None:
    archive = Archive(folder)
    begin.wait()  # type: ignore[attr-defined]
    for number in range(count):
        pixels = np.full((224, 224, 3), (program, number, 0), np.uint8)
        kept = archive.keep(replace(ANSWERED, image=100 * program + number, pixels=pixels))
        assert kept.issues == ()


def test_programs_that_save_into_one_folder_keep_every_picture_of_each(tmp_path: Path) -> None:
    programs, count = 4, 12
    context = multiprocessing.get_context("spawn")
    begin = context.Barrier(programs)
    running = [context.Process(target=_save, args=(tmp_path, program, count, begin)) for program in range(programs)]
    for each in running:
        each.start()
    for each in running:
        each.join()
        assert each.exitcode == 0
    saved = lines(tmp_path)
    assert sorted(line["image"] for line in saved) == [100 * p + n for p in range(programs) for n in range(count)]
    assert len({line["picture"] for line in saved}) == len({line["cell_map"] for line in saved}) == len(saved)
    for line in saved:
        program, number = divmod(int(str(line["image"])), 100)
        assert np.asarray(Image.open(str(line["picture"])))[0, 0].tolist() == [program, number, 0]
    assert not list(tmp_path.rglob("*.part"))
