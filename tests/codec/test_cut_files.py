"""Picture files that end too early: what is taken of them, with a notice, and what is refused."""

from __future__ import annotations

import io
import os
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from host.codec import PictureError, load_picture
from host.codec.picture import MOST_MISSING
from tests.codec.conftest import drawing
from tests.codec.picture_files import EXCHANGED, SIDE, near, png_16, read

NO_MARK = "the file ends too early: its end mark is missing, nothing of the picture is"


def saved(image: Image.Image, path: Path) -> Path:
    """Save an image; skip the test if this Pillow cannot."""
    Image.init()
    if Image.registered_extensions().get(path.suffix) not in Image.SAVE:
        pytest.skip(f"this Pillow does not write {path.suffix}")
    image.save(path)
    return path


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


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("padding", [bytes(2), bytes(1000), bytes(200_000), b"\xff" * 5000, b"U" * 5000])
def test_a_jpeg_with_padding_in_place_of_its_end_mark_is_taken_whole(
    progressive: bool, padding: bytes, tmp_path: Path
) -> None:
    (tmp_path / "whole.jpg").write_bytes(jpeg(progressive))
    (tmp_path / "padded.jpg").write_bytes(jpeg(progressive)[:-2] + padding)
    pixels, notices = read(tmp_path / "padded.jpg")
    assert np.array_equal(pixels, read(tmp_path / "whole.jpg")[0])
    assert notices == [NO_MARK]


@pytest.mark.parametrize("padding", [bytes(1000), bytes(400_000), b"\xff" * 5000])
def test_padding_is_no_part_of_a_jpeg_that_ends_early(padding: bytes, tmp_path: Path) -> None:
    data = jpeg()
    for share in (0.9, 0.5):
        (tmp_path / "cut.jpg").write_bytes(data[: round(share * len(data))])
        (tmp_path / "padded.jpg").write_bytes(data[: round(share * len(data))] + padding)
        if share == 0.9:
            pixels, notices = read(tmp_path / "padded.jpg")
            assert np.array_equal(pixels, read(tmp_path / "cut.jpg")[0])
            assert "sent as grey" in notices[0]
        else:
            with pytest.raises(PictureError, match=r"\d\d% of its rows are missing"):
                load_picture(tmp_path / "padded.jpg")


def test_what_follows_the_end_of_a_picture_does_not_matter(tmp_path: Path) -> None:
    for suffix in (".jpg", ".png", ".gif", ".webp"):
        path = tmp_path / f"longer{suffix}"
        Image.fromarray(drawing(2)).save(path)
        whole = read(path)[0]
        path.write_bytes(path.read_bytes() + (bytes(3) if suffix == ".gif" else bytes(3) + b"more"))
        pixels, notices = read(path)
        assert np.array_equal(pixels, whole)
        assert notices == [], suffix


@pytest.mark.parametrize(
    ("cut", "padding"), [(1, b""), (12, b""), (20, b""), (12, bytes(12)), (14, bytes(5000)), (12, b"\xff" * 5000)]
)
@pytest.mark.parametrize("deep", [False, True])
def test_a_png_without_its_last_bytes_is_taken_with_a_notice(
    cut: int, padding: bytes, deep: bool, tmp_path: Path
) -> None:
    image = Image.fromarray(drawing(2)[..., 0].astype(np.uint16) * 257) if deep else Image.fromarray(drawing(2))
    image.save(tmp_path / "whole.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "whole.png").read_bytes()[:-cut] + padding)
    pixels, notices = read(tmp_path / "cut.png")
    assert np.array_equal(pixels, read(tmp_path / "whole.png")[0])
    assert notices == [NO_MARK]


@pytest.mark.parametrize("padding", [b"", bytes(60), bytes(200)])
def test_a_png_without_a_part_of_its_picture_is_refused(padding: bytes, tmp_path: Path) -> None:
    Image.fromarray(drawing(2)).save(tmp_path / "whole.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "whole.png").read_bytes()[:-200] + padding)
    with pytest.raises(PictureError, match=r"cut\.png: "):
        load_picture(tmp_path / "cut.png")


@pytest.mark.parametrize(("suffix", "cut"), [(".gif", 1), (".qoi", 8)])
def test_a_file_without_its_end_mark_is_taken_with_a_notice(suffix: str, cut: int, tmp_path: Path) -> None:
    path = saved(Image.fromarray(drawing(2)), tmp_path / f"cut{suffix}")
    whole = read(path)[0]
    path.write_bytes(path.read_bytes()[:-cut])
    pixels, notices = read(path)
    assert np.array_equal(pixels, whole)
    assert notices == [NO_MARK]


@pytest.mark.parametrize("suffix", [".webp", ".avif", ".qoi"])
def test_zeros_in_place_of_a_picture_are_noticed_and_many_are_refused(suffix: str, tmp_path: Path) -> None:
    path = saved(Image.fromarray(drawing(2)), tmp_path / f"padded{suffix}")
    data = path.read_bytes()
    seen = 0
    for share in (0.05, 0.1, 0.15, 0.2, 0.4, 0.6):
        count = round(share * len(data))
        path.write_bytes(data[:-count] + bytes(count))
        try:
            _, (notice,) = read(path)
        except PictureError:
            continue
        assert share < MOST_MISSING
        assert notice.startswith("the file ends too early: its last ")
        seen += 1
    assert seen > 0


@pytest.mark.parametrize("suffix", [".webp", ".qoi", ".png", ".gif", ".jpg"])
def test_a_plain_picture_is_no_file_that_ends_early(suffix: str, tmp_path: Path) -> None:
    path = saved(Image.new("RGB", (1000, 700), "white"), tmp_path / f"plain{suffix}")
    assert read(path)[1] == []


def write_and_close(descriptor: int, data: bytes) -> None:
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)


def test_a_pipe_is_read_once(tmp_path: Path) -> None:
    for name, data in (("jpg", jpeg()[:-2]), ("png", png_16(np.full((60, 60, 3), 4000, np.uint16))[:-12])):
        pipe = tmp_path / name
        os.mkfifo(pipe)
        with pytest.raises(PictureError, match="it is a pipe"):
            read(pipe)
        out, into = os.pipe()
        writer = threading.Thread(target=write_and_close, args=(into, data))
        writer.start()
        notices = read(Path(f"/dev/fd/{out}"))[1]
        writer.join()
        os.close(out)
        assert NO_MARK in notices
