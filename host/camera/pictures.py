"""The picture files that the names on a command line refer to."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..codec.picture import suffixes

#: The photo that ships with the project; assets/SOURCE.md says where it comes from.
SAMPLE = Path(__file__).parents[1] / "assets" / "sample.jpg"
#: Ten free photos of many kinds, likewise.
PHOTOS = SAMPLE.parent / "photos"


def find_pictures(names: Sequence[str], *, recursive: bool = False) -> list[Path]:
    """Return files as they are named, and for a folder its picture files in the order of their names.

    In a folder, a file whose suffix is that of a format that ``load_picture`` reads is a picture. Hidden files and
    folders (with a dot before the name, such as macOS's ``._IMG.jpg``) are left out. A file that is named itself is
    taken in any case.

    Args:
        names: files and folders.
        recursive: whether to include the subfolders of folders. Links to folders are not followed.

    Raises:
        FileNotFoundError: names the file or folder that does not exist, or the folder without pictures.
        OSError: a folder cannot be read.
    """
    found: list[Path] = []
    for name in names:
        path = Path(name)
        if path.is_dir():
            inside = pictures_in(path, recursive)
            if not inside:
                below = not recursive and bool(pictures_in(path, recursive=True))
                raise FileNotFoundError(
                    f"{name}: no pictures in this folder{', but in its subfolders (--recursive)' if below else ''}"
                )
            found += inside
        elif path.exists():
            found.append(path)
        else:
            raise FileNotFoundError(f"{name}: no such file or folder")
    return found


def pictures_in(folder: Path, recursive: bool) -> list[Path]:
    """Return the pictures in a folder; with those in its subfolders, each folder's files before its subfolders."""
    known = suffixes()
    return [file for file in _files_in(folder, recursive) if file.suffix.lower() in known and file.is_file()]


def _files_in(folder: Path, recursive: bool) -> Iterator[Path]:
    def fail(error: OSError) -> None:
        raise error

    for where, folders, files in os.walk(folder, onerror=fail):
        folders[:] = sorted(each for each in folders if recursive and not each.startswith("."))
        yield from (Path(where, file) for file in sorted(files) if not file.startswith("."))
