"""JPEG files that end too early: what is there of the picture, and how much is missing.

A camera that loses its connection, or a file that is read while it is written, leaves such files. What a card did not
write may be filled with zeros.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from .file_end import bytes_of, is_padded, tail

#: Pillow's names of the formats; MPO is several JPEG pictures, of which the first counts.
FORMATS = ("JPEG", "MPO")
#: Grey level of rows that are missing.
MISSING = 128
# Markers, ITU-T T.81 table B.1.
_END, _SCAN, _PROGRESSIVE = b"\xff\xd9", 0xDA, 0xC2
_WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD9)}
_STUFFED_OR_RESTART = {0x00, *range(0xD0, 0xD8)}
#: Coded data that continue nothing in particular, without a marker.
_NONSENSE = bytes((37 * i + 11) % 251 for i in range(4096))


@dataclass(frozen=True, slots=True)
class CutJpeg:
    """What is there of a JPEG file that ends too early.

    ``image``: the picture, grey from its first missing row on. ``missing``: share of rows that are missing, 0 to 1.
    ``coarse``: a progressive file without its last scans: all rows are there, in less detail.
    """

    image: Image.Image
    missing: float
    coarse: bool


def is_whole(content: Path | bytes) -> bool:
    """Return whether a JPEG file has its end mark; what follows it does not matter. Raises OSError."""
    if tail(content).endswith(_END):
        return True
    data = bytes_of(content)
    return data.find(_END, _first_scan(data)) >= 0


def read_cut(data: bytes, read: Callable[[Image.Image], Image.Image]) -> CutJpeg:
    """Read a JPEG file that ends too early.

    The decoder does not say where the data ended. So they are decoded twice: with an end mark, and continued with
    nonsense. The first row that differs is the first one that is not there.

    Args:
        data: the file.
        read: prepares an opened image and loads its pixels.

    Raises:
        Exception: whatever Pillow raises if not even the beginning can be decoded.
    """
    data = (data.rstrip(data[-1:]) if is_padded(data) else data).rstrip(b"\xff")
    image, other = (read(Image.open(io.BytesIO(data + tail), formats=FORMATS)) for tail in (_END, _NONSENSE + _END))
    pixels = np.array(image)
    rows = _equal_rows(pixels, np.asarray(other))
    if _later_scans(data):
        return CutJpeg(image, 0.0, coarse=rows < len(pixels))
    pixels[rows:] = MISSING
    grey = Image.fromarray(pixels, image.mode) if rows < len(pixels) else image
    grey.info = image.info
    return CutJpeg(grey, 1 - rows / len(pixels), coarse=False)


def _equal_rows(one: npt.NDArray[np.uint8], other: npt.NDArray[np.uint8]) -> int:
    """Return how many rows from the top are equal."""
    differing = np.flatnonzero((one != other).reshape(len(one), -1).any(axis=1))
    return int(differing[0]) if differing.size else len(one)


def _first_scan(data: bytes) -> int:
    """Return where the coded data of a JPEG file begin; its length, if there are none."""
    return next((at for marker, at in _segments(data) if marker == _SCAN), len(data))


def _later_scans(data: bytes) -> bool:
    """Return whether the file is progressive and its first scan is whole."""
    scans, progressive = 0, False
    for marker, _ in _segments(data):
        progressive = progressive or marker == _PROGRESSIVE
        scans += marker == _SCAN
        if scans > 1:
            break
    return progressive and scans > 1


def _segments(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield the marker of each segment, and where it ends; of a scan, where its coded data begin."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF or marker in _WITHOUT_LENGTH:
            at += 1 if marker == 0xFF else 2
            continue
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        yield marker, at
        if marker == _SCAN:
            at = _end_of_scan(data, at)


def _end_of_scan(data: bytes, at: int) -> int:
    """Return where the coded data from ``at`` on end: at the next marker, or with the file."""
    while (at := data.find(0xFF, at)) >= 0:
        if at + 1 == len(data) or data[at + 1] not in _STUFFED_OR_RESTART:
            return at
        at += 2
    return len(data)
