"""Files with more than 8 bits a colour, as 8 bits.

Of most of them Pillow keeps only the upper 8 bits. They are enough for a picture that uses all 16. For any other one
the lower bits are read, too: those of a PNG or TIFF file by a second look with the two bytes of each value exchanged,
those of PGM, PPM and SGI files from the file itself. Of other formats the upper 8 have to do.
"""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFile

from .colour_profile import ignore_profile
from .file_end import bytes_of
from .grey_range import LARGEST, deep_to_8_bits, fills_16_bits

#: Pillow's names for 16 bits a colour in a file, with the order of the two bytes: little, big, or that of the machine.
_DEEP = re.compile(r"(RGB|RGBA|RGBX|RGBa|LA|[RGBAL]);16([BLN])")
#: Formats and colours whose bytes can be exchanged.
_EXCHANGEABLE, _COLOURS = ("PNG", "TIFF"), ("RGB", "RGBA", "RGBX", *"RGBA")
_EXCHANGED = {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}
#: Grey and alpha, which Pillow reads as their upper bytes; as RGBA it reads all four bytes.
_GREY_ALPHA, _FOUR_BYTES = "LA;16B", "RGBA"
#: TIFF 6.0: the tags for bits and for one plane a colour. Pillow takes the values of such planes as 8 bits.
_BITS, _PLANES, _SEPARATE = 258, 284, 2
#: The first two markers of a JPEG 2000 codestream, and where the bits of its first colour are (ITU-T T.800, A.5.1).
_CODESTREAM, _PRECISION_AT = b"\xff\x4f\xff\x51", 42
_SGI_HEADER_BYTES = 512

#: A file, or its bytes.
Content = Path | bytes


class _Deep(NamedTuple):
    """Values uint16 [h, w] or [h, w, 3], alpha uint8 [h, w], the largest value that the file declares, and a name."""

    values: npt.NDArray[np.uint16]
    alpha: npt.NDArray[np.uint8] | None
    largest: int
    kind: str


def load_deep(image: Image.Image, content: Content, on_notice: Callable[[str], None]) -> Image.Image:
    """Load the pixels of an opened file that is no JPEG file, with 8 bits a colour.

    Only greys in Pillow's modes for more than 8 bits stay as they are.

    Args:
        image: the opened file.
        content: the same file.
        on_notice: takes a line about what was guessed.

    Returns:
        The image, or a new one with its ``info``.

    Raises:
        Exception: whatever Pillow raises for broken files.
    """
    if not isinstance(image, ImageFile.ImageFile) or not image.tile:
        image.load()
        return image
    deep = _values_of(image, content)
    if deep is None:
        return image
    visible = None if deep.alpha is None else deep.alpha > 0
    levels, full = deep_to_8_bits(deep.values, visible, deep.largest, deep.kind, on_notice)
    scaled = Image.fromarray(levels)
    if deep.alpha is not None:
        scaled.putalpha(Image.fromarray(deep.alpha))
    scaled.info = image.info.copy()
    if not full:
        ignore_profile(scaled.info.pop("icc_profile", None), on_notice)
    return scaled


def _values_of(image: ImageFile.ImageFile, content: Content) -> _Deep | None:
    """Return the values of a file that are to be scaled; None: the image is loaded, and is right as it is."""
    decoder, _, offset, args = cast(tuple[str, Any, int, Any], image.tile[0][:4])
    if image.format == "SGI" and decoder == "SGI16":
        return _sgi(image, bytes_of(content))
    if image.format == "PPM" and image.mode in ("I", "RGB"):
        largest = LARGEST if _rawmode(image) == "I;16B" else args[-1] if decoder != "raw" else 0
        if largest > 255:
            return _netpbm(image, bytes_of(content)[offset:], largest, plain=decoder == "ppm_plain")
    _mend_planes(image)
    found = _DEEP.fullmatch(_rawmode(image))
    if found is None and not (image.format == "JPEG2000" and image.mode != "I;16" and _precision(content) == 16):
        image.load()
        return None
    if found is not None and found[0] == _GREY_ALPHA:
        _set_rawmodes(image, lambda _: _FOUR_BYTES)
        image.load()
        pixels = np.asarray(image)
        return _Deep(_joined(pixels[..., 0], pixels[..., 1]), pixels[..., 2], LARGEST, "16-bit grey")
    image.load()
    exchangeable = image.format in _EXCHANGEABLE and found is not None and found[1] in _COLOURS
    return _from_upper(np.asarray(image), image.getbands(), content if exchangeable else None)


def _from_upper(upper: npt.NDArray[np.uint8], bands: tuple[str, ...], again: Content | None) -> _Deep | None:
    """Return values by their upper bytes [h, w] or [h, w, bands]; None: these are enough.

    The lower bytes are read from ``again``, if there is one that has them.
    """
    alpha = upper[..., -1] if bands[-1] == "A" else None
    colours = upper if len(bands) == 1 else upper[..., 0] if len(bands) == 2 else upper[..., :3]
    if fills_16_bits(colours, None if alpha is None else alpha > 0):
        return None
    lower = colours if again is None else _lower(again)[..., :3]
    kind = "16 bits a colour"
    if np.array_equal(colours, lower):  # as of compressed planes, whose bytes cannot be exchanged
        kind += ", of which the upper 8 are read"
    return _Deep(_joined(colours, lower), alpha, LARGEST, kind)


def _joined(upper: npt.NDArray[np.uint8], lower: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint16]:
    values: npt.NDArray[np.uint16] = upper.astype(np.uint16) << np.uint16(8) | lower
    return values


def _lower(content: Content) -> npt.NDArray[np.uint8]:
    with Image.open(io.BytesIO(content) if isinstance(content, bytes) else content) as image:
        _mend_planes(image)
        _set_rawmodes(image, lambda rawmode: rawmode[:-1] + _EXCHANGED[rawmode[-1]])
        image.load()
        return np.asarray(image)


def _mend_planes(image: ImageFile.ImageFile) -> None:
    """Say of an uncompressed TIFF file with a plane for each colour that its values have 16 bits."""
    if image.format != "TIFF" or image.tile[0][0] != "raw":
        return
    tags = cast(Any, image).tag_v2
    if tags.get(_PLANES) == _SEPARATE and set(tags.get(_BITS, ())) == {16}:
        order = "L" if tags.prefix == b"II" else "B"
        _set_rawmodes(image, lambda rawmode: f"{rawmode};16{order}")


def _set_rawmodes(image: ImageFile.ImageFile, change: Callable[[str], str]) -> None:
    """Change how Pillow unpacks the values of an opened file."""
    tiles: list[Any] = []
    for tile in image.tile:
        args: Any = tile[3]
        args = change(args) if isinstance(args, str) else (change(args[0]), *args[1:])
        tiles.append(tile._replace(args=args) if hasattr(tile, "_replace") else (*tile[:3], args))
    image.tile = tiles


def _rawmode(image: ImageFile.ImageFile) -> str:
    args: Any = image.tile[0][3]
    return str(args if isinstance(args, str) or not args else args[0])


def _netpbm(image: Image.Image, data: bytes, largest: int, *, plain: bool) -> _Deep:
    """Return the values that follow the head of a PGM or PPM file. Raises OSError if some are missing."""
    colours = len(image.getbands())
    count = image.width * image.height * colours
    if plain:
        text = re.sub(rb"#[^\r\n]*", b"", data).decode("ascii")
        values = np.fromstring(text, np.int64, sep=" ")[:count]
        if values.size and not 0 <= values.min() <= values.max() <= largest:
            raise ValueError(f"a value is not in 0 to {largest}")
    else:
        values = np.frombuffer(data, ">u2", min(count, len(data) // 2)).clip(max=largest)
    shape = (image.height, image.width) + (() if colours == 1 else (colours,))
    if largest == LARGEST:
        kind = "16-bit grey" if colours == 1 else "16 bits a colour"
    else:
        kind = f"{'grey' if colours == 1 else 'colours'} of 0 to {largest:,}"
    return _Deep(_whole(values, count).reshape(shape), None, largest, kind)


def _sgi(image: Image.Image, data: bytes) -> _Deep:
    """Return the values of an uncompressed SGI file: planes of rows from the bottom up. Raises OSError."""
    bands = len(image.getbands())
    count = image.width * image.height * bands
    stored = np.frombuffer(data[_SGI_HEADER_BYTES:], ">u2", min(count, (len(data) - _SGI_HEADER_BYTES) // 2))
    planes = _whole(stored, count).reshape(bands, image.height, image.width)[:, ::-1]
    if bands == 1:
        return _Deep(planes[0], None, LARGEST, "16-bit grey")
    alpha = (planes[3] >> 8).astype(np.uint8) if bands == 4 else None
    return _Deep(np.ascontiguousarray(planes[:3].transpose(1, 2, 0)), alpha, LARGEST, "16 bits a colour")


def _whole(values: npt.NDArray[Any], count: int) -> npt.NDArray[np.uint16]:
    if values.size != count:
        raise OSError("image file is truncated")
    return values.astype(np.uint16)


def _precision(content: Content) -> int:
    """Return the bits a colour of a JPEG 2000 file; 0: it does not say."""
    data = bytes_of(content)
    at = data.find(_CODESTREAM) + _PRECISION_AT
    return (data[at] & 0x7F) + 1 if _PRECISION_AT <= at < len(data) else 0
