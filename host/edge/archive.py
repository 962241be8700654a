"""Saves the pictures that the edge server answered."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

from PIL import Image

from ..errors import Reason
from ..files import write_whole
from .answered import AnsweredPicture
from .errors import ServerError


class Archive:
    """A folder of decoded pictures, and its file ``pictures.jsonl`` with one line for each answered picture.

    It adds to what the folder contains already.
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
        """Save the pixels and the line of a picture; return the picture with the name of its file.

        A picture that cannot be written, for example because the disk is full, is reported in ``issues``. The file is
        written completely or not at all.
        """
        if answered.pixels is not None:
            self._count += 1
            stamp = answered.time[:19].replace(":", "").replace("-", "")
            path = self._folder / f"{stamp}-{self._count:05d}-camera{answered.source}.png"
            content = io.BytesIO()
            Image.fromarray(answered.pixels).save(content, format="PNG")
            try:
                write_whole(content.getbuffer(), path, durable=False)
                answered = replace(answered, picture=str(path))
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
