"""The command ``demo``: virtual boards, cameras that play pictures through a changing air, an edge server, its page."""

from __future__ import annotations

import sys

from .cli.start import start_command

if __name__ == "__main__":  # before the imports below: cli/start.py says why
    sys.exit(start_command("demo"))

import argparse
import asyncio
import contextlib
import itertools
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack

import numpy as np
from PIL import Image

from .camera.camera import Camera
from .camera.pictures import SAMPLE, find_pictures
from .cli.command import FAILURE, USAGE, CommandError, CommandParser, argument, run_async
from .cli.first_deadline import AUTO, measured_deadline_ms
from .cli.log_options import CameraLog, EdgeLog, add_log_arguments, recording
from .cli.notices import Notices
from .cli.units import milliseconds, seconds
from .codec import load, load_picture
from .codec.errors import PictureError
from .codec.picture import to_pixels
from .edge.classifier import load as load_classifier
from .edge.server import EdgeServer
from .link.sender import DeadlineInfeasibleError
from .sim.trace import ChannelState, Trace
from .sim.virtual_boards import boards_in_world
from .sim.world import WorldSettings
from .web.address import DEFAULT, parse_address
from .web.page import Page
from .wire import MAX_DEADLINE_MS

NAME = "demo"
MOST_CAMERAS = 8
#: How long the boards may take to find each other, s.
CONNECT_S = 20.0
#: The deadline, if none is given and the machine can hold it, ms: the air lets a picture get sharper for so long.
USUAL_MS = 2000.0
#: Pause between the deadline of a picture and the next picture, ms.
_PAUSE_MS = 250
#: The air: kbit/s (None: as fast as the radio) and loss, for so many seconds each; the first is to measure
_AIR = ((4, None, 0.0), (8, 60, 0.0), (8, 25, 0.0), (6, None, 0.0), (8, 40, 0.2), (8, 15, 0.0), (6, 120, 0.1))
#: Pictures cut from the sample: side as a share of its height, and where along the photo.
_CUTS = ((1.0, 0.5), (0.7, 0.2), (0.85, 0.8), (0.6, 0.6), (0.95, 0.3), (0.75, 0.5))


def parser() -> CommandParser:
    """Return the parser of the command line."""
    p = CommandParser(command=NAME)
    p.add_argument("files", nargs="*", metavar="FILE", help="pictures or folders to play (default: the sample)")
    p.add_argument("--cameras", type=_cameras, default=2, metavar="N", help=f"1 to {MOST_CAMERAS} (%(default)s)")
    p.add_argument(
        "--deadline",
        type=_time_ms,
        metavar="2s|auto",
        help="time for each answer; auto: measure first what this machine can hold (default: that, and at least 2 s)",
    )
    p.add_argument(
        "--web",
        type=argument(parse_address),
        default=parse_address(DEFAULT),
        metavar="HOST:PORT",
        help=f"address of the page ({DEFAULT})",
    )
    p.add_argument("--seconds", type=argument(seconds), metavar="S", help="end after so long (default: when stopped)")
    add_log_arguments(p)
    return p


def _cameras(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MOST_CAMERAS:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to {MOST_CAMERAS}")
    return int(text)


def _time_ms(text: str) -> float | str:
    """Parse a deadline, for argparse: ms, or AUTO."""
    if text == AUTO:
        return AUTO
    time_ms = argument(milliseconds)(text)
    if not 0 < time_ms <= MAX_DEADLINE_MS:
        raise argparse.ArgumentTypeError(f"{text} is not between 1 ms and {MAX_DEADLINE_MS / 1000:.1f} s")
    return time_ms


def main() -> int:
    """Run the command line and return the exit status."""
    return run_async(demo(parser().parse_args()))


async def demo(arguments: argparse.Namespace) -> int:
    """Run until stopped, or for as long as was asked."""
    pictures = _pictures(arguments.files)
    codec, classifier = load(), load_classifier()
    async with AsyncExitStack() as stack:
        notice = stack.enter_context(Notices(NAME))
        page = await stack.enter_async_context(Page(arguments.web, notice, without="--web HOST:PORT is another place"))
        recorder = stack.enter_context(recording(arguments, NAME, notice, [page.sink]))
        log, settings = EdgeLog(recorder), WorldSettings(cameras=arguments.cameras, trace=changing_air())
        boards = await stack.enter_async_context(boards_in_world(settings, on_world=log.world))
        server = EdgeServer(
            log.transport(boards[-1]), codec, classifier, on_event=log.event, on_picture=log.picture, on_notice=notice
        )
        await stack.enter_async_context(server)
        await stack.enter_async_context(log.asking(server))
        cameras = []
        for source, board in enumerate(boards[:-1]):
            of_camera = CameraLog(recorder, source)
            camera = Camera(of_camera.transport(board), codec, on_notice=notice, reopen=True, **of_camera.hooks())
            cameras.append(await stack.enter_async_context(camera))
        await page.ready.wait()
        if not page.url:
            return FAILURE  # the page has said why
        for camera in cameras:
            await camera.connect(CONNECT_S)
        deadline_ms = await _chosen_deadline_ms(cameras, arguments.deadline, notice)
        notice(f"serving on {page.url}; Ctrl-C stops")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(arguments.seconds), asyncio.TaskGroup() as group:
                for number, camera in enumerate(cameras):
                    group.create_task(_play(camera, _turn(pictures, number), deadline_ms))
    return 0


async def _chosen_deadline_ms(cameras: Sequence[Camera], asked: float | str | None, notice: Notices) -> float:
    """Measure what deadline this machine holds with all cameras at once; return the one to use, ms, and report it."""
    measured = await asyncio.gather(*(measured_deadline_ms(camera, str(SAMPLE)) for camera in cameras))
    slowest_ms = max(slowest for slowest, _ in measured)
    held_ms = max(held for _, held in measured)
    chosen_ms = max(USUAL_MS, held_ms) if asked is None else held_ms if isinstance(asked, str) else asked
    few = f"; {held_ms:.0f} ms can be held here" if chosen_ms < held_ms else ""
    count = f"{len(cameras)} camera{'s' if len(cameras) > 1 else ''}"
    notice(f"{count}: the slowest answer took {slowest_ms:.0f} ms, the deadline is {chosen_ms:.0f} ms{few}")
    return chosen_ms


async def _play(camera: Camera, pictures: Iterator[np.ndarray], deadline_ms: float) -> None:
    """Send picture after picture, each some time after the deadline of the one before."""
    loop = asyncio.get_running_loop()
    for picture in pictures:
        next_s = loop.time() + (deadline_ms + _PAUSE_MS) / 1000
        with contextlib.suppress(DeadlineInfeasibleError):  # the air is slow: the next picture is tried
            await camera.send_picture(picture, deadline_ms)
        await asyncio.sleep(max(0.0, next_s - loop.time()))


def _turn(pictures: Sequence[np.ndarray], first: int) -> Iterator[np.ndarray]:
    """Yield the pictures again and again, from the one with this number on."""
    first %= len(pictures)
    return itertools.cycle([*pictures[first:], *pictures[:first]])


def changing_air() -> Trace:
    """Return an air that gets better and worse, so that pictures arrive in part and as a whole."""
    times_us, states, at_us = [], [], 0
    for duration_s, rate_kbps, loss in _AIR:
        times_us.append(at_us)
        states.append(ChannelState(None if rate_kbps is None else rate_kbps * 1000, loss))
        at_us += duration_s * 1_000_000
    return Trace(times_us, states, period_us=at_us)


def _pictures(names: Sequence[str]) -> list[np.ndarray]:
    """Return the pictures to play, uint8 [224, 224, 3]. Raises CommandError."""
    if not names:
        return sample_pictures()
    try:
        return [load_picture(file) for file in find_pictures(names)]
    except (OSError, PictureError) as error:
        raise CommandError(str(error), USAGE) from error


def sample_pictures() -> list[np.ndarray]:
    """Return pictures cut from the sample photo, uint8 [224, 224, 3]."""
    with Image.open(SAMPLE) as image:
        photo = image.convert("RGB")
    pictures = []
    for share, place in _CUTS:
        side = round(photo.height * share)
        left, top = round((photo.width - side) * place), (photo.height - side) // 2
        pictures.append(to_pixels(photo.crop((left, top, left + side, top + side))))
    return pictures
