"""The command ``send``: send pictures across the link and print what the edge server recognised."""

from __future__ import annotations

import sys

from .cli.start import start_command

if __name__ == "__main__":  # before the imports below: cli/start.py says why
    sys.exit(start_command("send"))

import argparse
import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from .camera.camera import Camera
from .camera.pictures import find_pictures
from .cli.board_choice import add_port_arguments, chosen_port, world_settings
from .cli.command import FAILURE, USAGE, CommandError, CommandParser
from .cli.units import milliseconds
from .codec import Codec, PictureError, load, load_picture
from .link.sender import DeadlineInfeasibleError
from .wire import MAX_DEADLINE_MS

if TYPE_CHECKING:
    from .cli.testbed import Testbed

NAME = "send"

#: Returns where the edge server saved a decoded picture, given its number on the wire.
SavedAt = Callable[[int], Awaitable[str | None]]


def parser() -> CommandParser:
    """Return the parser of the command line."""
    p = CommandParser(command=NAME)
    p.add_argument("files", nargs="+", metavar="FILE", help="pictures, or folders of pictures, sent one after another")
    p.add_argument("--deadline", default="300ms", metavar="300ms", help="time from the picture to its answer")
    add_port_arguments(p)
    p.add_argument("--save", default="out", metavar="DIR", help="virtual boards: folder for decoded pictures (out)")
    p.add_argument(
        "--classifier", default="efficientnet-lite0", metavar="NAME|FILE", help="virtual boards: a name or an ONNX file"
    )
    p.add_argument(
        "--json", action="store_true", help="print one JSON object for each picture on stdout, and nothing else"
    )
    return p


def main() -> int:
    """Run the command line and return the exit status."""
    return asyncio.run(send(parser().parse_args()))


async def send(arguments: argparse.Namespace) -> int:
    """Send all pictures; return 0 if every one was answered in time."""
    deadline_ms = _deadline_ms(arguments.deadline)
    try:
        files = find_pictures(arguments.files)
    except OSError as error:
        raise CommandError(str(error), USAGE) from error
    transport = chosen_port(arguments, "camera")
    # A single file that is not a picture is reported before any board is touched.
    first = load_picture(files[0]) if len(files) == 1 else None
    codec = load()
    async with AsyncExitStack() as stack:
        saved_at: SavedAt = _nowhere
        if transport is None:
            testbed = await _testbed(stack, arguments, codec)
            transport, saved_at = testbed.transport, testbed.saved
        camera = await stack.enter_async_context(Camera(transport, codec))
        await camera.connect()
        return await _send_all(camera, files, first, deadline_ms, saved_at, as_json=arguments.json)


async def _send_all(
    camera: Camera,
    files: Sequence[Path],
    first: np.ndarray | None,
    deadline_ms: float,
    saved_at: SavedAt,
    *,
    as_json: bool,
) -> int:
    """Send ``files`` one after another; ``first`` are the pixels of the first one, if they were read already."""
    in_time = 0
    quiet = True if len(files) == 1 or as_json else None  # None: only on a terminal
    with tqdm(files, unit="picture", disable=quiet) as bar:
        for file in bar:
            try:
                pixels, first = first, None
                if pixels is None:
                    pixels = await asyncio.to_thread(load_picture, file)
                report = (await camera.send_picture(pixels, deadline_ms)).of_file(file)
            except PictureError as error:
                _notice(str(error))
                continue
            except DeadlineInfeasibleError as error:
                raise CommandError(f"a deadline of {deadline_ms:g} ms cannot be met: {error}") from error
            report = report.saved_as(await saved_at(report.image))
            in_time += report.status == "ok"
            if as_json:
                print(json.dumps(report.as_json()), flush=True)
            else:
                bar.write("\n".join(report.lines()) if len(files) == 1 else report.summary(), file=sys.stdout)
    if len(files) > 1:
        print(f"{in_time} of {len(files)} pictures answered in time", file=sys.stderr)
    return 0 if in_time == len(files) else FAILURE


async def _testbed(stack: AsyncExitStack, arguments: argparse.Namespace, codec: Codec) -> Testbed:
    # Imported here: a camera with a board needs neither an edge server nor onnxruntime.
    from .cli.testbed import virtual_testbed
    from .edge.archive import Archive
    from .edge.classifier import load as load_classifier

    settings = world_settings(arguments)
    _notice("no board attached: two virtual boards and an edge server run in this process")
    archive = stack.enter_context(closing(Archive(Path(arguments.save))))
    classifier = load_classifier(arguments.classifier)
    return await stack.enter_async_context(virtual_testbed(settings, codec, classifier, archive, _notice))


async def _nowhere(_image: int) -> str | None:
    """Return None: the edge server runs in another process, which saves its pictures itself."""
    return None


def _deadline_ms(text: str) -> float:
    try:
        deadline_ms = milliseconds(text)
    except ValueError as error:
        raise CommandError(f"--deadline: {error}", USAGE) from error
    if not 0 < deadline_ms <= MAX_DEADLINE_MS:
        raise CommandError(f"--deadline: {text} is not between 1 ms and {MAX_DEADLINE_MS / 1000:.1f} s", USAGE)
    return deadline_ms


def _notice(text: str) -> None:
    print(f"{NAME}: {text}", file=sys.stderr)
