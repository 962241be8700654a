"""``python -m host.send FILE…``: send pictures across the link and print what the edge server recognised."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from .camera.camera import Camera
from .camera.pictures import find_pictures
from .camera.transfer import transfer
from .cli.board_choice import add_port_arguments, chosen_port, world_settings
from .cli.command import FAILURE, USAGE, CommandError, CommandParser, run_command
from .cli.units import milliseconds
from .codec import Codec, PictureError, load, load_picture
from .link.sender import DeadlineInfeasibleError
from .wire import MAX_DEADLINE_MS

if TYPE_CHECKING:
    from .cli.testbed import Testbed
    from .sim.world import WorldSettings

NAME = "send"


def parser() -> CommandParser:
    """The command line."""
    p = CommandParser(prog="python -m host.send", description=__doc__)
    p.add_argument("files", nargs="+", metavar="FILE", help="pictures, or folders of pictures, sent one after another")
    p.add_argument("--deadline", default="300ms", metavar="300ms", help="for the answer, from the picture on")
    add_port_arguments(p)
    p.add_argument("--save", default="out", metavar="DIR", help="virtual boards: where decoded pictures go (out)")
    p.add_argument(
        "--classifier", default="efficientnet-lite0", metavar="NAME|FILE", help="virtual boards: a name or an ONNX file"
    )
    p.add_argument("--json", action="store_true", help="one JSON object a picture on stdout, nothing else")
    return p


async def send(arguments: argparse.Namespace) -> int:
    """Send everything; the exit status is 0 if every picture was answered in time."""
    deadline_ms = _deadline_ms(arguments.deadline)
    try:
        files = find_pictures(arguments.files)
    except OSError as error:
        raise CommandError(str(error), USAGE) from error
    port = chosen_port(arguments, "camera")
    settings = world_settings(arguments)
    if len(files) == 1:
        load_picture(files[0])  # if it is none, say so before any board is touched
    codec = load()
    async with AsyncExitStack() as stack:
        saved: Callable[[int], Awaitable[str | None]] = _kept_by_the_server
        if port is None:
            testbed = await _testbed(stack, arguments, settings, codec)
            camera = await stack.enter_async_context(Camera(testbed.port))
            saved = testbed.saved
        else:
            camera = await stack.enter_async_context(Camera(port))
        await camera.connect()
        return await _send_all(camera, codec, files, deadline_ms, saved, as_json=arguments.json)


async def _send_all(
    camera: Camera,
    codec: Codec,
    files: Sequence[Path],
    deadline_ms: float,
    saved: Callable[[int], Awaitable[str | None]],
    *,
    as_json: bool,
) -> int:
    in_time = 0
    quiet = True if len(files) == 1 or as_json else None  # None: only on a terminal
    with tqdm(files, unit="picture", disable=quiet) as bar:
        for file in bar:
            try:
                report = await transfer(camera, codec, file, deadline_ms)
            except PictureError as error:
                _notice(str(error))
                continue
            except DeadlineInfeasibleError as error:
                raise CommandError(f"a deadline of {deadline_ms:g} ms cannot be met: {error}") from error
            if report.image is not None:
                report = report.saved_as(await saved(report.image))
            in_time += report.status == "ok"
            if as_json:
                print(json.dumps(report.as_json()), flush=True)
            else:
                bar.write("\n".join(report.lines()) if len(files) == 1 else report.summary(), file=sys.stdout)
    if len(files) > 1:
        print(f"{in_time} of {len(files)} pictures answered in time", file=sys.stderr)
    return 0 if in_time == len(files) else FAILURE


async def _testbed(
    stack: AsyncExitStack, arguments: argparse.Namespace, settings: WorldSettings, codec: Codec
) -> Testbed:
    # Imported here: a camera with a board needs no onnxruntime.
    from .cli.testbed import virtual_testbed
    from .edge.archive import Archive
    from .edge.classifier import load as load_classifier

    _notice("no board attached: two virtual boards and an edge server run in this process")
    archive = stack.enter_context(closing(Archive(Path(arguments.save))))
    classifier = load_classifier(arguments.classifier)
    return await stack.enter_async_context(virtual_testbed(settings, codec, classifier, archive, _notice))


async def _kept_by_the_server(_image: int) -> str | None:
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


if __name__ == "__main__":
    sys.exit(run_command(NAME, lambda: asyncio.run(send(parser().parse_args()))))
