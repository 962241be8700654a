"""Draws a contact sheet: pictures beside what codecs make of them within a number of bytes, to be looked at.

    python -m host.evaluate.sheet DIR --out sheet.png
    python -m host.evaluate.sheet a.jpg b.jpg --bytes 300,800 --codec pnc-v2,avif,pjpeg --out sheet.png

Each row is a picture: the original, then for each size one tile for each codec. Below a tile are the bytes that it took
and its PSNR. Of a format with a container, only the bytes of the coded picture count.
"""

from __future__ import annotations

import sys

from ..cli.start import start_command

if __name__ == "__main__":  # before the imports below: cli/start.py says why
    sys.exit(start_command("evaluate", "evaluate.sheet"))

import argparse
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ..camera.pictures import find_pictures
from ..cli.command import USAGE, CommandError, CommandParser
from ..codec import SIDE, PictureError, load_picture
from ..codec.weights import DEFAULT
from ..files import check_writable, write_file
from ..printing import note
from .codec_under_test import CodecUnderTest, Criterion, OperatingPoint, Picture, Stream
from .codecs import NAMES, load_codecs
from .drawings import text_chart
from .errors import EvaluationError
from .fidelity import psnr_db
from .labels import positive
from .report import title

NAME = "evaluate"
DEFAULT_SIZES_BYTES = (500, 1000, 2000, 5000)
#: Height of a caption, and the distance between tiles, in pixels.
CAPTION, GAP = 15, 3
_GROUND, _INK, _NOTHING = (255, 255, 255), (30, 30, 30), (200, 200, 200)


@dataclass(frozen=True, slots=True)
class Tile:
    """A picture of the sheet and the line below it; None: nothing fits."""

    picture: Picture | None
    caption: str


def tiles(picture: Picture, codecs: Sequence[CodecUnderTest], sizes_bytes: Sequence[int]) -> list[Tile]:
    """Return a tile for each size and codec, in the order of the sheet."""
    by_codec = [_tiles_of(picture, codec, sizes_bytes) for codec in codecs]
    return [row[index] for index in range(len(sizes_bytes)) for row in by_codec]


def _tiles_of(picture: Picture, codec: CodecUnderTest, sizes_bytes: Sequence[int]) -> list[Tile]:
    points = [OperatingPoint(_criterion(codec), size) for size in sizes_bytes]
    return [_tile(picture, codec, stream) for stream in codec.streams(picture, points)]


def _tile(picture: Picture, codec: CodecUnderTest, stream: Stream | None) -> Tile:
    if stream is None:
        return Tile(None, "nothing fits")
    decoded = codec.decode_batch([stream.content])[0]
    return Tile(decoded, f"{stream.payload_bytes:,} bytes, {psnr_db(decoded, picture):.1f} dB")


def _criterion(codec: CodecUnderTest) -> Criterion:
    """Return how a codec meets a size: without its container, if it has one."""
    criteria = {point.criterion for point in codec.operating_points([1000])}
    return Criterion.PAYLOAD if Criterion.PAYLOAD in criteria else Criterion.BUDGET


def draw(rows: Sequence[Sequence[Tile]], heads: Sequence[str]) -> Image.Image:
    """Draw a sheet: a row of tiles for each picture, below the heads of the columns."""
    width = len(heads) * (SIDE + GAP) - GAP
    sheet = Image.new("RGB", (width, CAPTION + len(rows) * (SIDE + CAPTION + GAP)), _GROUND)
    pen = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(12)
    for column, head in enumerate(heads):
        pen.text((column * (SIDE + GAP) + 2, 0), head, fill=_INK, font=font)
    for row, line in enumerate(rows):
        top = CAPTION + row * (SIDE + CAPTION + GAP)
        for column, tile in enumerate(line):
            left = column * (SIDE + GAP)
            shown = np.full((SIDE, SIDE, 3), _NOTHING, np.uint8) if tile.picture is None else tile.picture
            sheet.paste(Image.fromarray(shown), (left, top))
            pen.text((left + 2, top + SIDE), tile.caption, fill=_INK, font=font)
    return sheet


def parser() -> CommandParser:
    """Return the parser of the command line."""
    p = CommandParser(
        prog="python -m host.evaluate.sheet",
        description="Draw a contact sheet of pictures beside what codecs make of them.",
    )
    p.add_argument("pictures", nargs="*", metavar="DIR|FILE", help="pictures, or folders of pictures")
    p.add_argument("--drawn", action="store_true", help="add a drawn chart of text of falling size")
    p.add_argument("--out", metavar="FILE", type=Path, required=True, help="the sheet: .png, .webp or .jpg")
    default = ",".join(map(str, DEFAULT_SIZES_BYTES))
    p.add_argument(
        "--bytes",
        metavar="N,...",
        type=lambda text: tuple(positive(part) for part in text.split(",")),
        default=DEFAULT_SIZES_BYTES,
        help=f"sizes (default {default})",
    )
    codecs = f"{DEFAULT},avif"
    p.add_argument("--codec", metavar="NAME,...", default=codecs, help=f"of {', '.join(NAMES)} (default {codecs})")
    p.add_argument("--weights", metavar="FILE", type=Path, help="the weights of pnc-reference")
    p.add_argument("--first", metavar="N", type=positive, default=10, help="only the first N pictures (default 10)")
    return p


def main() -> int:
    """Run the command line and return the exit status."""
    options = parser().parse_args()
    pictures = read_pictures(options)
    known = Image.registered_extensions()
    if known.get(options.out.suffix.lower()) not in ("PNG", "WEBP", "JPEG"):
        raise EvaluationError(f"{options.out}: a sheet is a .png, .webp or .jpg file")
    check_writable(options.out, EvaluationError)
    codecs = load_codecs(options.codec.split(","), options.weights)
    rows = [[Tile(picture, name), *tiles(picture, codecs, options.bytes)] for name, picture in pictures]
    heads = [f"{title(codec.name)}, {size:,} bytes" for size in options.bytes for codec in codecs]
    content = io.BytesIO()
    settings = {"quality": 75} | ({"method": 6} if options.out.suffix.lower() == ".webp" else {})
    draw(rows, ["original", *heads]).save(content, known[options.out.suffix.lower()], **settings)
    write_file(content.getbuffer(), options.out, EvaluationError)
    return 0


def read_pictures(options: argparse.Namespace) -> list[tuple[str, Picture]]:
    """Return the names and pixels of the pictures. Raises CommandError if there is none."""
    try:
        files = find_pictures(options.pictures)[: options.first]
    except OSError as error:
        raise CommandError(str(error), USAGE) from error
    found: list[tuple[str, Picture]] = []
    for file in files:
        try:
            found.append((file.name, load_picture(file)))
        except PictureError as error:
            note(f"{NAME}: left out: {error}")
    if options.drawn:
        found.append(("drawn text", text_chart()))
    if not found:
        raise CommandError("no picture to draw: name pictures or folders, or --drawn", USAGE)
    return found
