"""Picture files that end too early: what is taken of them, with a notice, and what is refused."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from host.codec import PictureError, load_picture
from host.codec.picture import MOST_MISSING
from tests.codec.conftest import drawing
from tests.codec.picture_files import EXCHANGED, SIDE, near, read


def jpeg(progressive: bool = False) -> bytes:
    file = io.BytesIO()
    large = Image.fromarray(drawing(3)).resize((900, 700), Image.Resampling.BICUBIC)
    Image.fromarray(np.asarray(large)).save(file, "JPEG", quality=92, progressive=progressive)
    return file.getvalue()


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("cut", [1, 2])
def test_a_jpeg_without_its_last_two_bytes_is_taken_whole(progressive: bool, cut: int, tmp_path: Path) -> None:
    (tmp_path / "whole.jpg").write_bytes(jpeg(progressive))
    (tmp_path / "cut.jpg").write_bytes(jpeg(progressive)[:-cut])
    pixels, (notice,) = read(tmp_path / "cut.jpg")
    assert np.array_equal(pixels, read(tmp_path / "whole.jpg")[0])
    assert notice == "the file ends too early: its end mark is missing, nothing of the picture is"


@pytest.mark.parametrize("share", [0.85, 0.92, 0.98])
def test_of_a_jpeg_that_ends_early_the_rows_that_are_there_are_taken(share: float, tmp_path: Path) -> None:
    data = jpeg()
    (tmp_path / "whole.jpg").write_bytes(data)
    (tmp_path / "cut.jpg").write_bytes(data[: round(share * len(data))])
    whole = read(tmp_path / "whole.jpg")[0]
    pixels, (notice,) = read(tmp_path / "cut.jpg")
    missing = int(notice.split("%")[0].split()[-1]) / 100
    assert 0 < missing <= MOST_MISSING
    first = round(SIDE * (1 - missing))
    assert np.array_equal(pixels[: first - 4], whole[: first - 4])
    assert near(pixels[first + 4 :], (128, 128, 128), 1)
    assert "sent as grey" in notice


def test_a_jpeg_that_lacks_more_than_a_quarter_is_refused_with_what_is_missing(tmp_path: Path) -> None:
    data = jpeg()
    (tmp_path / "cut.jpg").write_bytes(data[: len(data) // 3])
    with pytest.raises(PictureError, match=r"cut\.jpg: \d\d% of its rows are missing: the file ends too early"):
        load_picture(tmp_path / "cut.jpg")
    (tmp_path / "cut.jpg").write_bytes(data[:400])
    with pytest.raises(PictureError, match=r"cut\.jpg: "):
        load_picture(tmp_path / "cut.jpg")


def test_a_progressive_jpeg_without_its_last_scans_is_coarser(tmp_path: Path) -> None:
    data = jpeg(progressive=True)
    (tmp_path / "whole.jpg").write_bytes(data)
    (tmp_path / "cut.jpg").write_bytes(data[: len(data) // 2])
    pixels, (notice,) = read(tmp_path / "cut.jpg")
    assert 0 < np.abs(pixels - read(tmp_path / "whole.jpg")[0]).mean() < 10
    assert "without its last scans" in notice


def test_a_jpeg_that_ends_early_keeps_its_orientation_and_profile(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    file = io.BytesIO()
    image = Image.new("RGB", (320, 240), (230, 20, 20))
    image.paste((20, 20, 230), (0, 0, 320, 120))
    image.save(file, "JPEG", quality=95, exif=exif, icc_profile=EXCHANGED)
    (tmp_path / "cut.jpg").write_bytes(file.getvalue()[:-2])
    pixels, _ = read(tmp_path / "cut.jpg")
    assert near(pixels[:100], (20, 230, 20))
    assert near(pixels[124:], (20, 20, 230), 20)
