"""Reads picture files as the 224x224 pixels that the codec takes."""

from __future__ import annotations

import struct
import warnings
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from .errors import PictureError
from .layout import SIDE

#: A file with more pixels than this is refused as a decompression bomb.
MAX_PIXELS = 100_000_000
#: Errors that Pillow's readers raise for broken files, besides OSError. They have no common base class.
BROKEN = (
    *(ValueError, SyntaxError, EOFError, IndexError, KeyError, TypeError, OverflowError, AttributeError, RuntimeError),
    *(struct.error, zlib.error, MemoryError, Image.DecompressionBombError),
)


def load_picture(path: str | Path) -> np.ndarray:
    """Read the picture in ``path`` as uint8 [224, 224, 3] RGB, upright (EXIF orientation), without keeping its aspect.

    Transparent parts become white. Raises PictureError, naming the file, if it is missing, unreadable, not a picture,
    truncated, or larger than 100 million pixels (checked before anything is decoded).
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path) as image:
                if image.width * image.height > MAX_PIXELS:
                    raise PictureError(
                        f"{path}: {image.width}x{image.height} pixels; "
                        f"at most {MAX_PIXELS // 1_000_000} million are taken"
                    )
                # Decode a JPEG at the smallest scale that is still large enough.
                image.draft("RGB", (2 * SIDE, 2 * SIDE))
                return to_pixels(ImageOps.exif_transpose(image))
    except PictureError:
        raise
    except UnidentifiedImageError:
        raise PictureError(f"{path}: not a picture that can be read (no known format)") from None
    except FileNotFoundError:
        raise PictureError(f"{path}: no such file") from None
    except OSError as error:
        raise PictureError(f"{path}: cannot be read ({error.strerror or error})") from None
    except BROKEN as error:
        raise PictureError(f"{path}: a broken picture ({error})") from None


def sound_pictures(files: Iterable[Path], broken: list[Path]) -> Iterator[tuple[Path, np.ndarray]]:
    """Yield each readable file with its picture (see ``load_picture``); append the other files to ``broken``."""
    for file in files:
        try:
            picture = load_picture(file)
        except PictureError:
            broken.append(file)
        else:
            yield file, picture


def to_pixels(image: Image.Image) -> np.ndarray:
    """Resize a Pillow image to uint8 [224, 224, 3], without cropping."""
    return np.asarray(to_rgb(image).resize((SIDE, SIDE), Image.Resampling.BICUBIC))


def to_rgb(image: Image.Image) -> Image.Image:
    """Convert an image of any mode to RGB: 16 bits a channel are scaled down, transparent parts become white."""
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        values = np.asarray(image, dtype=np.float64)
        # 32-bit modes hold the values of a 16-bit file, unless all of them fit 8 bits.
        scale = 255 / 65535 if image.mode.startswith("I;16") or values.max(initial=0) > 255 else 1.0
        image = Image.fromarray(np.clip(np.round(values * scale), 0, 255).astype(np.uint8))
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        front = image.convert("RGBA")
        back = Image.new("RGBA", front.size, "white")
        return Image.alpha_composite(back, front).convert("RGB")
    return image.convert("RGB")
