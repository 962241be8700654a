"""Formats that Pillow writes and reads."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
import PIL
from PIL import Image, features

from ...codec import SIDE
from ..subject import Picture


class PillowRival:
    """A format of Pillow's with a ladder of qualities. ``file_format`` is Pillow's name of it, ``options`` go to
    ``Image.save``; ``library`` is Pillow's name for the library beneath."""

    progressive = False

    def __init__(
        self,
        name: str,
        file_format: str,
        ladder: tuple[int, ...],
        curve: tuple[int, ...],
        options: dict[str, Any],
        library: str | None = None,
    ) -> None:
        self.name, self.ladder, self.curve = name, ladder, curve
        self._format, self._options, self._library = file_format, options, library

    def encode(self, picture: Picture, quality: int) -> bytes:
        file = BytesIO()
        Image.fromarray(picture).save(file, self._format, quality=quality, **self._options)
        return file.getvalue()

    def decode(self, data: bytes) -> Picture:
        try:
            with Image.open(BytesIO(data), formats=[self._format]) as image:
                picture = np.asarray(image.convert("RGB"))
        except Exception:  # the formats' errors have no base class of their own
            return grey()
        return picture if picture.shape == (SIDE, SIDE, 3) else grey()

    def overhead_bytes(self, data: bytes) -> int:  # noqa: ARG002
        return 0

    def settings(self) -> dict[str, object]:
        found = features.version(self._library) if self._library else None
        return {"options": self._options, "pillow": PIL.__version__, "library": found}


def grey() -> Picture:
    """What a receiver shows that has nothing: uint8 [224, 224, 3]."""
    return np.full((SIDE, SIDE, 3), 128, np.uint8)
