"""The picture files that the names on a command line refer to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm"}


def find_pictures(names: Sequence[str]) -> list[Path]:
    """Return files as they are named, and for a folder its picture files in the order of their names.

    Raises FileNotFoundError, which names the file or folder that does not exist or the folder without pictures.
    """
    found: list[Path] = []
    for name in names:
        path = Path(name)
        if path.is_dir():
            inside = sorted(p for p in path.iterdir() if p.suffix.lower() in SUFFIXES and p.is_file())
            if not inside:
                raise FileNotFoundError(f"{name}: no pictures in this folder")
            found += inside
        elif path.exists():
            found.append(path)
        else:
            raise FileNotFoundError(f"{name}: no such file or folder")
    return found
