"""From a picture file to the 224x224 pixels that the codec takes."""

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

#: A file that claims more pixels than this is taken for a decompression bomb.
MAX_PIXELS = 100_000_000
#: What Pillow's readers raise for broken files, beside OSError: they have no error in common.
BROKEN = (
    *(ValueError, SyntaxError, EOFError, IndexError, KeyError, TypeError, OverflowError, AttributeError, RuntimeError),
    *(struct.error, zlib.error, MemoryError, Image.DecompressionBombError),
)


def load_picture(path: str | Path) -> np.ndarray:
    """The picture in ``path``, squashed to uint8 [224, 224, 3] RGB, the right way up (EXIF orientation).

    Transparent parts are laid on white. Raises PictureError, naming the file, when it is missing, unreadable, no
    picture, cut short, or has more than 100 million pixels (seen before anything is decoded).
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
                # A JPEG is decoded at the smallest scale that is still large enough.
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
    """Each of ``files`` with its picture, as ``load_picture`` reads it; those that it cannot read go to ``broken``."""
    for file in files:
        try:
            picture = load_picture(file)
        except PictureError:
            broken.append(file)
        else:
            yield file, picture


def to_pixels(image: Image.Image) -> np.ndarray:
    """Any Pillow image as uint8 [224, 224, 3]: plain resize, no crop."""
    return np.asarray(to_rgb(image).resize((SIDE, SIDE), Image.Resampling.BICUBIC))


def to_rgb(image: Image.Image) -> Image.Image:
    """Any mode as RGB: 16 bits a channel are scaled down, transparent parts are laid on white."""
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        values = np.asarray(image, dtype=np.float64)
        # 32-bit modes hold what a 16-bit file held, unless it fits 8 bits.
        scale = 255 / 65535 if image.mode.startswith("I;16") or values.max(initial=0) > 255 else 1.0
        image = Image.fromarray(np.clip(np.round(values * scale), 0, 255).astype(np.uint8))
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        front = image.convert("RGBA")
        back = Image.new("RGBA", front.size, "white")
        return Image.alpha_composite(back, front).convert("RGB")
    return image.convert("RGB")
