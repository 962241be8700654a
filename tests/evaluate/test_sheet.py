"""The contact sheet: which tiles it has, that each shows what its bytes decode to, and its command."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from host.cli.command import run_command
from host.codec import SIDE
from host.evaluate import sheet
from host.evaluate.baselines import ProgressiveJpeg, jpeg
from host.evaluate.codec_under_test import Picture
from host.evaluate.drawings import text_chart
from host.evaluate.sheet import CAPTION, GAP, Tile, draw, tiles
from tests.evaluate.test_baselines import Boxed


def test_tiles_go_by_size_and_then_by_codec(pictures: list[Picture]) -> None:
    cut, ladder = ProgressiveJpeg(), jpeg()
    found = tiles(pictures[0], [cut, ladder], (300, 3000))
    whole = cut.encode(pictures[0], 30)
    assert np.array_equal(found[0].picture, cut.decode(whole[:300]))
    assert (found[1].picture, found[1].caption) == (None, "nothing fits")
    assert np.array_equal(found[2].picture, cut.decode(whole[:3000]))
    fitting = [data for data in (ladder.encode(pictures[0], q) for q in ladder.ladder) if len(data) <= 3000]
    assert np.array_equal(found[3].picture, ladder.decode(fitting[-1]))
    assert found[3].caption.startswith(f"{len(fitting[-1]):,} bytes, ")
    assert found[3].caption.endswith(" dB")


def test_a_container_is_not_counted(pictures: list[Picture]) -> None:
    boxed = Boxed("boxed", "JPEG", tuple(range(1, 46)), (5,), {})
    payload_bytes = len(boxed.encode(pictures[0], 20)) - 100
    (tile,) = tiles(pictures[0], [boxed], (payload_bytes,))
    assert tile.caption.startswith(f"{payload_bytes:,} bytes")


def test_the_sheet_shows_each_tile_in_its_place(pictures: list[Picture]) -> None:
    rows = [[Tile(picture, "left"), Tile(None, "nothing fits")] for picture in pictures]
    image = draw(rows, ["original", "codec"])
    assert image.size == (2 * SIDE + GAP, CAPTION + 3 * (SIDE + CAPTION + GAP))
    pixels = np.asarray(image)
    for row, picture in enumerate(pictures):
        top = CAPTION + row * (SIDE + CAPTION + GAP)
        assert np.array_equal(pixels[top : top + SIDE, :SIDE], picture)
        assert len(np.unique(pixels[top : top + SIDE, SIDE + GAP :])) == 1
        assert (pixels[top + SIDE : top + SIDE + CAPTION, :SIDE] < 128).any()  # its caption


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr("sys.argv", ["sheet", *map(str, arguments)])
    return run_command(sheet.NAME, sheet.main)


@pytest.mark.parametrize("suffix", [".png", ".webp", ".jpg"])
def test_the_command_writes_a_sheet(
    suffix: str, pictures: list[Picture], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "photos").mkdir()
    for number, picture in enumerate(pictures):
        Image.fromarray(picture).save(tmp_path / "photos" / f"{number}.png")
    out = tmp_path / f"sheet{suffix}"
    options = ["--codec", "jpeg,pjpeg", "--bytes", "1000,3000", "--first", 2, "--drawn", "--out", out]
    assert run(monkeypatch, tmp_path / "photos", *options) == 0
    with Image.open(out) as image:
        assert image.size == (5 * (SIDE + GAP) - GAP, CAPTION + 3 * (SIDE + CAPTION + GAP))
        shown = np.asarray(image.convert("RGB"))[CAPTION : CAPTION + SIDE, :SIDE].astype(int)
    assert np.abs(shown - pictures[0]).mean() < 8


@pytest.mark.parametrize(
    ("arguments", "status", "text"),
    [
        (["--out", "sheet.png"], 2, "no picture to draw"),
        (["nowhere", "--out", "sheet.png"], 2, "nowhere: no such file or folder"),
        (["--drawn", "--out", "sheet.txt"], 1, "a sheet is a .png, .webp or .jpg file"),
        (["--drawn", "--out", "missing/sheet.png"], 1, "cannot be written"),
        (["--drawn", "--codec", "morse", "--out", "sheet.png"], 1, "morse: no such codec"),
    ],
)
def test_wrong_usage_is_one_line(
    arguments: list[str],
    status: int,
    text: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(monkeypatch, *arguments) == status
    (line,) = capsys.readouterr().err.splitlines()
    assert text in line


def test_a_broken_file_is_named_and_left_out(
    pictures: list[Picture], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.fromarray(pictures[0]).save(tmp_path / "good.png")
    (tmp_path / "bad.png").write_bytes(b"junk")
    out = tmp_path / "sheet.webp"
    assert run(monkeypatch, tmp_path, "--codec", "jpeg", "--bytes", "3000", "--out", out) == 0
    assert "bad.png: not a picture" in capsys.readouterr().err
    with Image.open(out) as image:
        assert image.height == CAPTION + SIDE + CAPTION + GAP


def test_the_text_chart_is_the_same_each_time_and_has_fine_detail() -> None:
    picture = text_chart()
    assert (picture.shape, picture.dtype) == ((SIDE, SIDE, 3), np.uint8)
    assert np.array_equal(picture, text_chart())
    blurred = np.asarray(Image.fromarray(picture).filter(ImageFilter.GaussianBlur(2)))
    assert np.abs(picture.astype(int) - blurred).max() > 60


def test_the_lines_of_the_text_chart_become_smaller_and_stay_on_it() -> None:
    dark = (text_chart().max(axis=2) < 110)[:, :]
    rows = dark[64:].any(axis=1)
    starts = np.flatnonzero(rows[1:] & ~rows[:-1])
    ends = np.flatnonzero(~rows[1:] & rows[:-1])
    assert len(starts) >= 5
    assert ends[-1] < len(rows) - 4
    assert not dark[64:, -3:].any()
