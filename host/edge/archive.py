"""Saves the pictures that the edge server answered."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from ..files import append_line, open_to_append, write_new, write_whole
from ..text import json_line
from .answered import AnsweredPicture

#: Folder of the maps, inside the archive's.
MAPS = "interpolated"
#: The log, inside the archive's folder.
LOG = "pictures.jsonl"
#: How an issue begins that says why something of a picture was not saved. A picture has at most one.
NOT_SAVED = "not saved: "


class Archive:
    """A folder of decoded pictures, and its file ``pictures.jsonl`` with one line for each answered picture.

    For each picture ``NAME.png`` there is a map ``interpolated/NAME.png``: 28x28 greys, one for each 8x8 cell, from 0
    (all of its bit-planes arrived) to 255 (none did, and the cell is the decoder's guess).

    The archive adds to what the folder contains already. Several programs may save into one folder: no picture
    replaces another, and no line is mixed with another. The folder is made when it is needed. One that cannot be used
    now may be usable for the next picture.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0

    def trouble(self) -> str:
        """Make the folder and its log; return why nothing can be saved now, empty if it can."""
        try:
            _make(self._folder)
            open_to_append(self._folder / LOG).close()
        except OSError as error:
            return f"{self._folder}: {_cause(error)}"
        return ""

    def keep(self, answered: AnsweredPicture) -> AnsweredPicture:
        """Save the pixels, the map and the line of a picture; return the picture with the names of its files.

        What cannot be written, for example because the disk is full, is reported as one of the ``issues``. Each file
        and each line is written completely or not at all.
        """
        saved = self._with_files(answered)
        try:
            _make(self._folder)
            append_line(json_line(saved.as_json()).encode(), self._folder / LOG)
        except OSError as error:
            saved = _with_issue(saved, self._folder / LOG, error)
        return saved

    def close(self) -> None:
        """End the use of the archive, for ``contextlib.closing``. No file is open between two pictures."""

    def _with_files(self, answered: AnsweredPicture) -> AnsweredPicture:
        """Save the pixels and the map."""
        if answered.pixels is None:
            return answered
        path = self._folder
        try:
            _make(self._folder)
            path = self._write(answered, _png(answered.pixels))
            answered = replace(answered, picture=str(path))
            if answered.cells is not None:
                path = self._folder / MAPS / path.name
                _make(path.parent)
                write_whole(_png(np.round(255 * answered.cells).astype(np.uint8)), path, durable=False)
                answered = replace(answered, cell_map=str(path))
        except OSError as error:
            return _with_issue(answered, path, error)
        return answered

    def _write(self, answered: AnsweredPicture, png: memoryview) -> Path:
        """Write a picture under a name that no other has: of this program, of another one, or of an earlier hour."""
        stamp = answered.time[:19].replace(":", "").replace("-", "")
        while True:
            self._count += 1
            path = self._folder / f"{stamp}-{self._count:05d}-camera{answered.source}.png"
            if path.exists():
                continue
            try:
                write_new(png, path)
            except FileExistsError:  # another program was faster
                continue
            return path


def _make(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)


def _with_issue(answered: AnsweredPicture, path: Path, error: OSError) -> AnsweredPicture:
    if any(issue.startswith(NOT_SAVED) for issue in answered.issues):
        return answered
    return replace(answered, issues=(*answered.issues, f"{NOT_SAVED}{path}: {_cause(error)}"))


def _cause(error: OSError) -> str:
    return "a file is in its place" if isinstance(error, FileExistsError) else error.strerror or str(error)


def _png(pixels: npt.NDArray[np.uint8]) -> memoryview:
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, format="PNG")
    return content.getbuffer()
