"""Saves the pictures that the edge server answered."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from ..errors import Reason
from ..files import write_whole
from .answered import AnsweredPicture
from .errors import ServerError

#: Folder of the maps, inside the archive's.
MAPS = "interpolated"


class Archive:
    """A folder of decoded pictures, and its file ``pictures.jsonl`` with one line for each answered picture.

    For each picture ``NAME.png`` there is a map ``interpolated/NAME.png``: 28x28 greys, one for each 8x8 cell, from 0
    (all of its bit-planes arrived) to 255 (none did, and the cell is the decoder's guess). The archive adds to what the
    folder contains already.
    """

    def __init__(self, folder: Path) -> None:
        """Make the folder and open the log. Raises ServerError if that is not possible."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._log = (folder / "pictures.jsonl").open("a", encoding="utf-8")
        except OSError as error:
            raise ServerError(f"{folder}: cannot save there ({error.strerror})", reason=Reason.BAD_FILE) from error
        self._folder = folder
        self._count = 0

    def keep(self, answered: AnsweredPicture) -> AnsweredPicture:
        """Save the pixels, the map and the line of a picture; return the picture with the names of its files.

        A picture that cannot be written, for example because the disk is full, is reported in ``issues``. The file is
        written completely or not at all.
        """
        if answered.pixels is not None:
            self._count += 1
            stamp = answered.time[:19].replace(":", "").replace("-", "")
            path = self._folder / f"{stamp}-{self._count:05d}-camera{answered.source}.png"
            try:
                write_whole(_png(answered.pixels), path, durable=False)
                answered = replace(answered, picture=str(path))
                if answered.cells is not None:
                    cell_map = self._folder / MAPS / path.name
                    cell_map.parent.mkdir(exist_ok=True)
                    write_whole(_png(np.round(255 * answered.cells).astype(np.uint8)), cell_map, durable=False)
                    answered = replace(answered, cell_map=str(cell_map))
            except OSError as error:
                answered = replace(answered, issues=(*answered.issues, f"not saved: {error.strerror}"))
        try:
            self._log.write(json.dumps(answered.as_json()) + "\n")
            self._log.flush()
        except OSError as error:
            answered = replace(answered, issues=(*answered.issues, f"{self._log.name}: {error.strerror}"))
        return answered

    def close(self) -> None:
        """Close the log."""
        self._log.close()


def _png(pixels: npt.NDArray[np.uint8]) -> memoryview:
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, format="PNG")
    return content.getbuffer()
