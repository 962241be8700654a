"""The command ``preview``: show what the edge server sees of a picture after so many bytes, and what it would say.

    python -m host.preview image.jpg
    python -m host.preview image.jpg --bytes 300,900 --codec pnc-v2,webp --out sheet.webp

It draws a contact sheet: a row for each number of bytes; in it the original, this codec cut there, and other formats.
Progressive JPEG is cut, too. WebP and AVIF files that are cut do not decode, so they are the best files that fit: the
sender would have to know the number beforehand. ``--cut`` cuts them all the same.
"""

from __future__ import annotations

import sys

from ..cli.start import start_command

if __name__ == "__main__":  # before the imports below: cli/start.py says why
    sys.exit(start_command("preview"))

import argparse
import io
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from ..cli.command import USAGE, CommandError, CommandParser
from ..cli.table import lines
from ..codec import load_picture
from ..codec.weights import DEFAULT
from ..edge.builtin import CLASSIFIERS, DEFAULT_CLASSIFIER
from ..edge.classifier import load as load_classifier
from ..evaluate.codec_under_test import CodecUnderTest
from ..evaluate.codecs import NAMES, load_codecs
from ..evaluate.errors import EvaluationError
from ..evaluate.report import title
from ..evaluate.sheet import Tile, draw
from ..files import check_writable, write_file
from ..printing import note, show
from .views import View, views

NAME = "preview"
SIZES_BYTES = (250, 500, 1000, 2000, 5000)
CODECS = (DEFAULT, "pjpeg", "webp", "avif")
OUT = "preview.png"
#: Most characters of a caption: a tile is 224 pixels wide.
_CAPTION = 36


def parser() -> CommandParser:
    """Return the parser of the command line."""
    p = CommandParser(command=NAME)
    p.add_argument("picture", metavar="FILE", help="a picture")
    p.add_argument("--out", metavar="FILE", type=Path, default=Path(OUT), help=f"the sheet (default: {OUT})")
    default = ",".join(map(str, SIZES_BYTES))
    p.add_argument(
        "--bytes", metavar="N,...", type=_sizes, default=SIZES_BYTES, help=f"after so many bytes (default: {default})"
    )
    p.add_argument(
        "--codec",
        metavar="NAME,...",
        help=f"of {', '.join(NAMES)} (default: {','.join(CODECS)}, without those that are not installed)",
    )
    p.add_argument("--crop", choices=("whole", "centre", "center"), default="whole", help="as that of send")
    p.add_argument("--cut", action="store_true", help="cut the files of all formats")
    p.add_argument("--classifier", default=DEFAULT_CLASSIFIER, metavar="NAME|FILE", help=CLASSIFIERS)
    return p


def main() -> int:
    """Run the command line and return the exit status."""
    options = parser().parse_args()
    known = Image.registered_extensions()
    file_format = known.get(options.out.suffix.lower())
    if file_format not in ("PNG", "WEBP", "JPEG"):
        raise CommandError(f"--out {options.out}: a sheet is a .png, .webp or .jpg file", USAGE)
    check_writable(options.out, EvaluationError)
    notices: list[str] = []
    picture = load_picture(options.picture, notices.append, centre=options.crop != "whole")
    note(*(f"{NAME}: {each}" for each in notices))
    codecs = _codecs(options.codec)
    classifier = load_classifier(options.classifier)
    columns = [views(picture, codec, options.bytes, classifier, cut=options.cut) for codec in codecs]
    heads = [_head(codec, options.cut) for codec in codecs]
    show(*_table(options.picture, options.bytes, heads, columns))
    rows = [
        [Tile(picture, f"original; to its right, after {size:,} bytes"), *(_tile(column[row]) for column in columns)]
        for row, size in enumerate(options.bytes)
    ]
    content = io.BytesIO()
    settings = {"quality": 80} if file_format != "PNG" else {}
    draw(rows, [Path(options.picture).name, *heads]).save(content, file_format, **settings)
    write_file(content.getbuffer(), options.out, EvaluationError)
    show(f"  sheet      {options.out}")
    return 0


def _codecs(names: str | None) -> list[CodecUnderTest]:
    """Return the codecs of these names; without names those of ``CODECS`` that are installed here."""
    if names is not None:
        return load_codecs(names.split(","))
    found: list[CodecUnderTest] = []
    for name in CODECS:
        try:
            found += load_codecs([name])
        except EvaluationError as error:
            note(f"{NAME}: left out: {error}")
    return found


def _head(codec: CodecUnderTest, is_cut: bool) -> str:
    return title(codec.name) if codec.kind == "cut" or is_cut else f"{title(codec.name)}, made for the size"


def _table(name: str, sizes: Sequence[int], heads: Sequence[str], columns: Sequence[Sequence[View]]) -> list[str]:
    rows = [[f"{size:,} bytes", *(column[row].says() for column in columns)] for row, size in enumerate(sizes)]
    return [name, *(f"  {line}" for line in lines(["after", *heads], rows))]


def _tile(view: View) -> Tile:
    if view.picture is None:
        return Tile(None, "nothing decodes" if view.size_bytes else "nothing fits")
    said = f", {view.probability:.0%}, {view.size_bytes:,} bytes"
    return Tile(view.picture, view.label[: _CAPTION - len(said)] + said)


def _sizes(text: str) -> tuple[int, ...]:
    """Parse numbers of bytes, for argparse."""
    parts = text.split(",")
    if not all(part.isascii() and part.isdigit() and 0 < int(part) < 1 << 20 for part in parts):
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of numbers of bytes, such as 250,1000")
    return tuple(map(int, parts))
