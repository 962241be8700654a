"""Whether a picture file that could be read has its end. Programs and cards that fail leave files without it.

Pillow is content when it has all rows. Where a file was not written it may also hold zero bytes, which some formats
take for a part of the picture.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from .errors import PictureError

NO_MARK = "the file ends too early: its end mark is missing, nothing of the picture is"
#: So many equal bytes at the end of a compressed file are no part of its picture.
PADDING_BYTES = 64
_PNG_END, _PNG_SIGNATURE_BYTES = b"\0\0\0\0IEND\xaeB`\x82", 8
_GIF_END, _QOI_END = b";", bytes(7) + b"\x01"
#: Compressed formats in which equal bytes are taken for a part of the picture.
_PADDED = ("AVIF", "QOI", "WEBP")
#: A WebP file of one colour ends with a zero byte for so many pixels (measured: 10,000 or more).
_PIXELS_A_ZERO = 8192


def check_end(image: Image.Image, content: Path | bytes, most_missing: float, notice: Callable[[str], None]) -> None:
    """Say that a file has no end, if Pillow could read it all the same. JPEG files have a module of their own.

    Args:
        image: the opened file. If the end of its format cannot be told, it is taken as it is.
        content: the same file.
        most_missing: the largest share of the file that may be missing, 0 to 1.
        notice: takes the line.

    Raises:
        PictureError: too much is missing.
    """
    kind = image.format
    if kind == "PNG" and not tail(content).endswith(_PNG_END):
        _check_png(bytes_of(content), notice)
    elif kind == "GIF" and not tail(content).rstrip(b"\0\r\n ").endswith(_GIF_END):
        notice(NO_MARK)
    elif kind in _PADDED and is_padded(tail(content)):
        _check_padding(bytes_of(content), image.width * image.height, most_missing, notice)
    elif kind == "QOI" and not tail(content).endswith(_QOI_END):
        notice(NO_MARK)


def bytes_of(content: Path | bytes) -> bytes:
    """Return the bytes of a file. Raises OSError."""
    return content if isinstance(content, bytes) else content.read_bytes()


def tail(content: Path | bytes) -> bytes:
    """Return the last bytes of a file, ``PADDING_BYTES`` of them. Raises OSError."""
    if isinstance(content, bytes):
        return content[-PADDING_BYTES:]
    with content.open("rb") as file:
        file.seek(0, io.SEEK_END)
        file.seek(max(0, file.tell() - PADDING_BYTES))
        return file.read()


def is_padded(data: bytes) -> bool:
    """Return whether data end with so many equal bytes that these were not written as a part of them."""
    return len(data) >= PADDING_BYTES and data.endswith(data[-1:] * PADDING_BYTES)


def _check_png(data: bytes, notice: Callable[[str], None]) -> None:
    at = _PNG_SIGNATURE_BYTES
    while at + len(_PNG_END) <= len(data):
        if data.startswith(_PNG_END, at):
            return
        at += int.from_bytes(data[at : at + 4], "big") + len(_PNG_END)
    try:
        with Image.open(io.BytesIO(data.rstrip(data[-1:])), formats=["PNG"]) as image:
            image.load()
    except Exception:  # whatever Pillow raises for broken files
        raise PictureError("the file ends too early: a part of its picture is missing") from None
    notice(NO_MARK)


def _check_padding(data: bytes, pixels: int, most_missing: float, notice: Callable[[str], None]) -> None:
    count = len(data) - len(data.rstrip(data[-1:]))
    if count < PADDING_BYTES + pixels // _PIXELS_A_ZERO:
        return
    share = count / len(data)
    if share > most_missing:
        raise PictureError(f"{share:.0%} of its bytes are all {data[-1]}: the file ends too early")
    notice(f"the file ends too early: its last {count:,} bytes are all {data[-1]}, so rows may be missing")
