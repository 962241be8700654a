"""The pictures of a folder: those that a single file may be, without hidden ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from host.camera.pictures import find_pictures
from host.codec import PictureError, load_picture
from host.codec.picture import NO_PICTURES, suffixes
from tests.codec.conftest import drawing


def touch(folder: Path, *names: str) -> list[Path]:
    """Make empty files with their folders."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return [folder / name for name in names]


def test_every_suffix_that_cameras_write_is_found(tmp_path: Path) -> None:
    names = ("a.avif", "b.JFIF", "c.jp2", "d.jpe", "e.jpeg", "f.JPG", "g.mpo", "h.pgm", "i.PNG", "j.tif", "k.webp")
    files = touch(tmp_path, *names)
    touch(tmp_path, "notes.txt", "film.mpg", "page.pdf", "drawing.eps", "jpg", "data.h5")
    assert find_pictures([str(tmp_path)]) == files


def test_hidden_files_and_folders_are_left_out_unless_they_are_named(tmp_path: Path) -> None:
    shown, hidden, *_ = touch(tmp_path, "IMG_1.jpg", "._IMG_1.jpg", ".trash/old.jpg", ".thumbnail.png")
    assert find_pictures([str(tmp_path)], recursive=True) == [shown]
    assert find_pictures([str(hidden)]) == [hidden]


def test_subfolders_are_searched_when_that_is_asked_for(tmp_path: Path) -> None:
    files = touch(tmp_path, "z.png", "day1/b.png", "day1/night/a.png", "day2/a.png")
    assert find_pictures([str(tmp_path)]) == files[:1]
    assert find_pictures([str(tmp_path)], recursive=True) == [files[0], files[1], files[2], files[3]]


def test_links_to_folders_are_not_followed(tmp_path: Path) -> None:
    (file,) = touch(tmp_path, "day/a.png")
    (tmp_path / "day" / "again").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "day" / "b.png").symlink_to(file)
    assert find_pictures([str(tmp_path)], recursive=True) == [file, tmp_path / "day" / "b.png"]


def test_a_folder_whose_pictures_are_in_subfolders_says_so(tmp_path: Path) -> None:
    touch(tmp_path, "day/a.png", "day/notes.txt")
    with pytest.raises(FileNotFoundError, match=r"no pictures in this folder, but in its subfolders \(--recursive\)"):
        find_pictures([str(tmp_path)])
    (tmp_path / "day" / "a.png").unlink()
    for recursive in (False, True):
        with pytest.raises(FileNotFoundError, match=r"no pictures in this folder$"):
            find_pictures([str(tmp_path)], recursive=recursive)


def test_what_a_folder_does_not_take_a_single_file_is_not_either(tmp_path: Path) -> None:
    path = tmp_path / "drawing.eps"
    Image.fromarray(drawing(0)).save(path)
    assert Image.open(path).format in NO_PICTURES
    with pytest.raises(PictureError, match="EPS files are not taken"):
        load_picture(path)
    with pytest.raises(FileNotFoundError):
        find_pictures([str(tmp_path)])


@pytest.mark.filterwarnings("ignore:IM image format:DeprecationWarning")
def test_a_file_of_each_format_that_folders_take_and_pillow_writes_is_read(tmp_path: Path) -> None:
    image = Image.fromarray(drawing(1))
    read = []
    for suffix in sorted(suffixes()):
        name = Image.registered_extensions()[suffix]
        path = tmp_path / f"picture{suffix}"
        try:
            image.save(path, name)
        except (OSError, KeyError, ValueError):  # other modes or sizes only, or no encoder
            continue
        assert load_picture(path).shape == (224, 224, 3), path
        read.append(name)
    assert {"JPEG", "PNG", "TIFF", "BMP", "GIF", "PPM"} <= set(read)
