"""Reads picture files, as cameras and programs write them, as the 224x224 pixels that the codec takes."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from ..files import is_stream, open_to_read
from .colour_profile import ignore_profile, to_srgb
from .cut_jpeg import FORMATS as JPEG_FORMATS
from .cut_jpeg import is_whole, read_cut
from .deep_files import load_deep
from .errors import PictureError
from .file_end import NO_MARK, bytes_of, check_end
from .grey_range import LARGEST, grey_to_8_bits
from .layout import SIDE

_Converted = TypeVar("_Converted")

#: Takes a line about what was done to a picture so that it could be read.
OnNotice = Callable[[str], None]

#: A file with more pixels than this is refused as a decompression bomb.
MAX_PIXELS = 100_000_000
#: A file that ends too early is taken if no larger share of it is missing: of the rows of a JPEG file.
MOST_MISSING = 0.25
#: Formats that Pillow opens but that are no pictures by themselves: they need another program, or are containers.
NO_PICTURES = frozenset({"EPS", "WMF", "MPEG", "BUFR", "GRIB", "HDF5"})
#: Errors that Pillow's readers raise for broken files, besides OSError. They have no common base class.
BROKEN = (
    *(ValueError, SyntaxError, EOFError, IndexError, KeyError, TypeError, OverflowError, AttributeError, RuntimeError),
    *(struct.error, zlib.error, MemoryError, Image.DecompressionBombError),
)
#: How to turn a picture by its EXIF orientation (Exif 2.3, table 6); 1 and all others: not at all.
_TURNS: dict[int | None, Image.Transpose] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def no_notice(_: str) -> None:
    """Drop a notice."""


def load_picture(
    path: str | Path, on_notice: Callable[[str], None] | None = None, *, centre: bool = False
) -> np.ndarray:
    """Read the picture in ``path`` as uint8 [224, 224, 3] sRGB, upright (EXIF orientation), without keeping its aspect.

    Transparent parts become white. Colour profiles are applied. Greys and colours of more than 8 bits are scaled by the
    range of their values, unless that nearly fills a usual one. Of a JPEG file that ends too early at most a quarter of
    the rows may be missing; they become grey.

    Args:
        path: the file.
        on_notice: takes a line, which names the file, about each thing that was guessed, ignored or missing.
        centre: take the largest square in the middle, which keeps the aspect, instead of the whole picture.

    Raises:
        PictureError: the file is missing, unreadable, not a picture, cut off, or larger than 100 million pixels
            (checked before anything is decoded). The message names it.
    """
    return _load(path, Path(path), on_notice, centre)


def read_picture(
    data: bytes, name: str, on_notice: Callable[[str], None] | None = None, *, centre: bool = False
) -> np.ndarray:
    """Do the same as ``load_picture`` with the content of a file. Notices and errors call it ``name``."""
    return _load(name, data, on_notice, centre)


def open_picture(path: Path, least_side: int, on_notice: OnNotice = no_notice) -> Image.Image:
    """Read the picture in ``path`` as an RGB image of its own size, otherwise as ``load_picture`` does.

    A JPEG file may come smaller, its short side not below ``least_side`` pixels. Errors are those of ``load_picture``.
    """
    return _read(path, path, least_side, on_notice, to_rgb)


def _load(name: str | Path, content: Path | bytes, on_notice: OnNotice | None, centre: bool) -> np.ndarray:
    return _read(name, content, 2 * SIDE, on_notice or no_notice, partial(to_pixels, centre=centre))


def _read(
    name: str | Path,
    content: Path | bytes,
    least_side: int,
    on_notice: OnNotice,
    convert: Callable[[Image.Image, OnNotice], _Converted],
) -> _Converted:
    """Read a file and convert its picture. Raises PictureError, which names the file."""

    def notice(text: str) -> None:
        on_notice(f"{name}: {text}")

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return convert(_opened(content, least_side, notice), notice)
    except PictureError as error:
        raise PictureError(f"{name}: {error}") from None
    except UnidentifiedImageError:
        raise PictureError(f"{name}: not a picture that can be read (no known format)") from None
    except FileNotFoundError:
        raise PictureError(f"{name}: no such file") from None
    except OSError as error:
        raise PictureError(f"{name}: cannot be read ({error.strerror or error})") from None
    except MemoryError:
        raise PictureError(f"{name}: not enough memory for this picture") from None
    except BROKEN as error:
        raise PictureError(f"{name}: a broken picture ({error})") from None


def _opened(content: Path | bytes, least_side: int, notice: OnNotice) -> Image.Image:
    """Open a file and load its pixels. Raises PictureError without the file's name, and what Pillow raises."""
    if isinstance(content, Path) and is_stream(content):
        with open_to_read(content, streams=True) as stream:
            content = stream.read()  # it can be read only once
    with (
        io.BytesIO(content) if isinstance(content, bytes) else open_to_read(content) as file,
        Image.open(file) as image,
    ):
        kind = image.format
        if kind in NO_PICTURES:
            raise PictureError(f"{kind} files are not taken: store it as a picture, such as PNG")
        if image.width * image.height > MAX_PIXELS:
            raise PictureError(
                f"{image.width}x{image.height} pixels; at most {MAX_PIXELS // 1_000_000} million are taken"
            )
        # Only JPEG and MPO files have rows that can be told from missing ones.
        if kind not in JPEG_FORMATS:
            loaded = load_deep(image, content, notice)
            check_end(image, content, MOST_MISSING, notice)
            return _upright(loaded, notice)
        try:
            if is_whole(content):
                return _upright(_loaded(image, least_side), notice)
        except OSError as error:
            if "truncated" not in str(error):
                raise
    return _upright(_beginning(bytes_of(content), least_side, notice), notice)


def _beginning(data: bytes, least_side: int, notice: OnNotice) -> Image.Image:
    """Read a JPEG file that ends too early. Raises PictureError if too little of it is there."""
    try:
        cut = read_cut(data, partial(_loaded, least_side=least_side))
    except (OSError, *BROKEN):
        raise PictureError("the file ends before its picture begins") from None
    if cut.missing > MOST_MISSING:
        raise PictureError(f"{cut.missing:.0%} of its rows are missing: the file ends too early")
    if cut.missing:
        notice(f"the file ends too early: the last {max(cut.missing, 0.01):.0%} of its rows are missing, sent as grey")
    elif cut.coarse:
        notice("the file ends too early: a progressive JPEG without its last scans, with less detail")
    else:
        notice(NO_MARK)
    return cut.image


def _loaded(image: Image.Image, least_side: int) -> Image.Image:
    """Load the pixels of an opened JPEG file at the smallest scale whose sides have so many pixels."""
    image.draft("RGB", (least_side, least_side))
    image.load()
    return image


def _upright(image: Image.Image, notice: OnNotice) -> Image.Image:
    """Turn an image as its EXIF data say. Of broken data only the orientation matters."""
    try:
        turn = _TURNS.get(image.getexif().get(ExifTags.Base.Orientation))
    except (OSError, *BROKEN):
        notice("its EXIF data are broken and were ignored: it is sent as it lies")
        return image
    return image if turn is None else image.transpose(turn)


def sound_pictures(files: Iterable[Path], broken: list[Path]) -> Iterator[tuple[Path, np.ndarray]]:
    """Yield each readable file with its picture (see ``load_picture``); append the other files to ``broken``."""
    for file in files:
        try:
            picture = load_picture(file)
        except PictureError:
            broken.append(file)
        else:
            yield file, picture


def suffixes() -> frozenset[str]:
    """Return the suffixes, such as ``.jpg``, of the formats that ``load_picture`` reads with the installed Pillow."""
    known = Image.registered_extensions()  # loads all of Pillow's plug-ins
    readable = {*Image.OPEN, *JPEG_FORMATS} - NO_PICTURES  # Pillow opens MPO files as JPEG
    return frozenset(suffix for suffix, name in known.items() if name in readable)


def to_pixels(image: Image.Image, on_notice: OnNotice = no_notice, *, centre: bool = False) -> np.ndarray:
    """Resize a Pillow image, or with ``centre`` the largest square in its middle, to uint8 [224, 224, 3]."""
    box: tuple[float, float, float, float] | None = None
    if centre:
        side = min(image.size)
        left, top = (image.width - side) / 2, (image.height - side) / 2
        box = (left, top, left + side, top + side)
    return np.asarray(to_rgb(image, on_notice).resize((SIDE, SIDE), Image.Resampling.BICUBIC, box))


def to_rgb(image: Image.Image, on_notice: OnNotice = no_notice) -> Image.Image:
    """Convert an image of any mode to sRGB: by its colour profile, greys by their range, transparent parts to white.

    Raises PictureError if it is a grey picture without a finite value.
    """
    profile = image.info.get("icc_profile")
    transparency = image.info.get("transparency")
    if image.mode.startswith("I") or image.mode == "F":
        wide = image.mode.startswith("I;16")
        kind = "16-bit grey" if wide else "32-bit grey" if image.mode == "I" else "floating-point grey"
        levels, full = grey_to_8_bits(np.asarray(image), kind, LARGEST if wide else None, on_notice)
        if not full:
            ignore_profile(profile, on_notice)
        return to_srgb(Image.fromarray(levels), profile if full else None, on_notice)
    if image.mode in ("P", "PA"):
        image = image.convert("RGBA" if image.mode == "PA" or transparency is not None else "RGB")
    if image.mode == "La":
        image = image.convert("LA")
    if image.mode in ("RGBA", "LA", "RGBa") or transparency is not None:
        front = image.convert("RGBA")
        colours = to_srgb(front.convert("L" if image.mode in ("L", "LA") else "RGB"), profile, on_notice)
        colours.putalpha(front.getchannel("A"))
        return Image.alpha_composite(Image.new("RGBA", front.size, "white"), colours).convert("RGB")
    return to_srgb(image, profile, on_notice)
