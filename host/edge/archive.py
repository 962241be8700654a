"""What the edge server keeps of the pictures that it answered."""

from __future__ import annotations

import io
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from ..files import write_whole
from .errors import ServerError


@dataclass(frozen=True, slots=True)
class Served:
    """One picture, as it was answered: the line that ``--save`` writes. ``top`` holds index, label, probability."""

    time: str
    source: int
    image: int
    whole: bool
    packets: int
    bytes: int
    channels: float
    margin_ms: float
    service_ms: float
    top: tuple[tuple[int, str, float], ...]
    faults: tuple[str, ...]
    picture: str | None


class Archive:
    """A folder of decoded pictures and ``pictures.jsonl`` with a line for each; what is in it already stays."""

    def __init__(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._log = (folder / "pictures.jsonl").open("a", encoding="utf-8")
        except OSError as error:
            raise ServerError(f"{folder}: cannot save there ({error.strerror})") from error
        self._folder = folder
        self._count = 0

    def keep(self, served: Served, pixels: npt.NDArray[np.uint8] | None) -> Served:
        """Save the decoded picture (uint8 [h, w, 3]), whole or not at all, and its line; returns it with the path.

        A picture that cannot be written (a full disk) is a fault in the line, no end of the service.
        """
        if pixels is not None:
            self._count += 1
            stamp = served.time[:19].replace(":", "").replace("-", "")
            path = self._folder / f"{stamp}-{self._count:05d}-camera{served.source}.png"
            content = io.BytesIO()
            Image.fromarray(pixels).save(content, format="PNG")
            try:
                write_whole(content.getbuffer(), path, durable=False)
                served = replace(served, picture=str(path))
            except OSError as error:
                served = replace(served, faults=(*served.faults, f"not saved: {error.strerror}"))
        try:
            self._log.write(json.dumps(asdict(served)) + "\n")
            self._log.flush()
        except OSError as error:
            served = replace(served, faults=(*served.faults, f"{self._log.name}: {error.strerror}"))
        return served

    def close(self) -> None:
        """Close the log."""
        self._log.close()
