"""The command-line options that choose where the pictures of ``send`` come from."""

from __future__ import annotations

import argparse
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from ..camera.capture import RESOLUTION
from ..camera.errors import SourceError
from ..camera.live_camera import LiveCamera
from ..camera.pictures import find_pictures
from ..camera.source import FileSource, Source, SourcePicture, picture_file
from ..camera.standard_input import StandardInput
from ..camera.watched_folder import WatchedFolder
from ..errors import Reason
from .command import USAGE, CommandError
from .start import program

STANDARD_INPUT = "-"
#: Widths and heights that a camera may be asked for, pixels.
_LEAST_PX, _MOST_PX = 16, 16384


class OnlyPicture(FileSource):
    """A source with one picture, which is at hand."""

    def __init__(self, picture: SourcePicture) -> None:
        super().__init__([Path(picture.name)])
        self.picture = picture


def add_source_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the names of files, ``--watch``, ``--camera`` and their options."""
    parser.add_argument(
        "files",
        nargs="*",
        metavar="FILE",
        help="pictures, or folders of pictures; several are a stream; -: standard input, a picture or MJPEG",
    )
    parser.add_argument("--recursive", action="store_true", help="also send the pictures in subfolders of a folder")
    live = parser.add_mutually_exclusive_group()
    live.add_argument("--watch", metavar="DIR", help="send each picture that another program writes into this folder")
    live.add_argument(
        "--camera",
        nargs="?",
        const="",
        metavar="N|PATH|pi",
        help="a live camera: number or path of a video device, pi[:N] for a Raspberry Pi's own, a film or an address "
        "that FFmpeg reads (default: the first camera)",
    )
    parser.add_argument(
        "--resolution",
        type=_resolution,
        metavar="WxH",
        help=f"size of the camera's pictures (default: {RESOLUTION[0]}x{RESOLUTION[1]})",
    )
    parser.add_argument(
        "--crop",
        choices=("whole", "centre", "center"),
        default="whole",
        metavar="whole|centre",
        help="send the whole picture, squashed to a square, or the square in its centre (default: whole)",
    )
    parser.add_argument("--count", type=_count, metavar="N", help="end a stream after N pictures")


@asynccontextmanager
async def chosen_source(arguments: argparse.Namespace, on_notice: Callable[[str], None]) -> AsyncIterator[Source]:
    """Open the source that the arguments choose. Raises CommandError or SourceError.

    A single file, and standard input with one picture, is an ``OnlyPicture``.
    """
    centre = arguments.crop != "whole"
    files: list[str] = arguments.files
    if sum((bool(files), arguments.watch is not None, arguments.camera is not None)) != 1:
        raise CommandError(
            "name each FILE or folder, or give one of -, --watch DIR and --camera "
            f"(`{program('send')} --help` lists the options)",
            USAGE,
        )
    if arguments.resolution is not None and arguments.camera is None:
        raise CommandError("--resolution is that of a camera: it needs --camera", USAGE)
    if STANDARD_INPUT in files and len(files) > 1:
        raise CommandError("- is standard input, and cannot be mixed with files", USAGE)
    if arguments.camera is not None:
        resolution = arguments.resolution or RESOLUTION
        camera = LiveCamera(arguments.camera, resolution=resolution, centre=centre, on_notice=on_notice)
        async with camera:
            yield camera
    elif arguments.watch is not None:
        folder = WatchedFolder(Path(arguments.watch), recursive=arguments.recursive, centre=centre, on_notice=on_notice)
        async with _usage_errors(folder):
            yield folder
    elif files == [STANDARD_INPUT]:
        async with _usage_errors(StandardInput(centre=centre)) as source:
            assert isinstance(source, StandardInput)
            only = await source.only()
            yield source if only is None else OnlyPicture(only)
    else:
        try:
            found = find_pictures(files, recursive=arguments.recursive)
        except OSError as error:
            raise CommandError(str(error), USAGE) from error
        if len(found) == 1:
            yield OnlyPicture(picture_file(found[0], centre=centre))
        else:
            yield FileSource(found, centre=centre)


@asynccontextmanager
async def _usage_errors(source: Source) -> AsyncIterator[Source]:
    """Open a source. Raises CommandError with the status of wrong usage for what the user must name otherwise."""
    try:
        opened = await source.__aenter__()
    except SourceError as error:
        if error.reason is Reason.BAD_USAGE:
            raise CommandError(str(error), USAGE) from error
        raise
    try:
        yield opened
    finally:
        await source.__aexit__(None, None, None)


def _resolution(text: str) -> tuple[int, int]:
    """Parse ``640x480``, for argparse."""
    match = re.fullmatch(r"([0-9]{1,5})[xX]([0-9]{1,5})", text)
    size = (int(match[1]), int(match[2])) if match else (0, 0)
    if not all(_LEAST_PX <= each <= _MOST_PX for each in size):
        raise argparse.ArgumentTypeError(f"{text!r} is not a size in pixels: write it as 640x480")
    return size


def _count(text: str) -> int:
    """Parse a number of pictures, for argparse."""
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of at least 1")
    return int(text)
