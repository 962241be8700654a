"""The command ``send``: send pictures across the link and print what the edge server recognised."""

from __future__ import annotations

import sys

from .cli.start import start_command

if __name__ == "__main__":  # before the imports below: cli/start.py says why
    sys.exit(start_command("send"))

import argparse
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from .camera.camera import Camera
from .camera.pictures import SAMPLE
from .camera.report import DECODED, NOT_A_PICTURE, OK, TransferReport
from .camera.source import Source, SourcePicture
from .camera.stream import PictureStream
from .camera.summary import StreamSummary
from .cli.board_choice import add_port_arguments, chosen_port, why_virtual, world_settings
from .cli.command import FAILURE, USAGE, CommandError, CommandParser, argument, run_async
from .cli.first_deadline import AUTO, measured_deadline_ms
from .cli.key_option import add_key_argument, chosen_key
from .cli.log_options import CameraLog, add_log_arguments, recording
from .cli.notices import Notices
from .cli.settings import parse
from .cli.source_choice import OnlyPicture, add_source_arguments, chosen_source
from .cli.units import milliseconds, whole
from .cli.verbosity import add_verbosity_arguments, event_printer
from .codec import Codec, load
from .edge.builtin import CLASSIFIERS, DEFAULT_CLASSIFIER
from .link.sender import DeadlineInfeasibleError
from .printing import BarStream, Colour, note, show, show_coloured
from .seal.key import Key
from .text import json_line
from .wire import MAX_DEADLINE_MS

if TYPE_CHECKING:
    from .cli.testbed import Saved, Testbed
    from .log.recorder import Recorder

NAME = "send"
#: The picture with which --deadline auto measures.
#: Longest time of --period and --connect: an hour.
_LONGEST_MS = 3_600_000

#: Returns where the edge server saved a decoded picture, given its number on the wire and how long ago it was taken, s.
SavedAt = Callable[[int, float], "Awaitable[Saved]"]


def parser() -> CommandParser:
    """Return the parser of the command line."""
    p = CommandParser(command=NAME)
    add_source_arguments(p)
    p.add_argument(
        "--deadline",
        default="300ms",
        metavar="300ms|auto",
        help="time from the picture to its answer; auto: measure first what this machine and its link can hold",
    )
    p.add_argument(
        "--period",
        metavar="100ms",
        help="several pictures: time from one to the next (default: as fast as the link answers in time)",
    )
    p.add_argument(
        "--max-bytes",
        type=argument(whole(1, 10**9)),
        metavar="N",
        help="most bytes of a picture; the less important are not sent",
    )
    p.add_argument(
        "--connect", default="5s", metavar="5s", help="longest wait for the boards and the edge server at the start"
    )
    add_port_arguments(p)
    add_key_argument(p, several=False)
    p.add_argument("--save", default="out", metavar="DIR", help="virtual boards: folder for decoded pictures (out)")
    p.add_argument(
        "--classifier",
        default=DEFAULT_CLASSIFIER,
        metavar="NAME|FILE",
        help=f"virtual boards: {CLASSIFIERS}",
    )
    p.add_argument(
        "--json", action="store_true", help="print one JSON object for each picture on stdout, and nothing else"
    )
    add_log_arguments(p, plot=True)
    add_verbosity_arguments(p)
    return p


def main() -> int:
    """Run the command line and return the exit status."""
    return run_async(send(parse(parser(), NAME)))


@dataclass(frozen=True, slots=True)
class _Options:
    """The command line, checked. Times in ms."""

    deadline_ms: float | None  # None: it is measured
    period_ms: float | None
    connect_ms: float
    max_bytes: int | None
    count: int | None
    as_json: bool
    quiet: bool


@dataclass(frozen=True, slots=True)
class _ReadPicture:
    """A picture that a source gave: its name, its pixels, and the notices about reading it."""

    name: str
    pixels: np.ndarray
    notices: tuple[str, ...]
    taken_us: int | None


def _options(arguments: argparse.Namespace) -> _Options:
    """Check the options. Raises CommandError, which names the option."""
    return _Options(
        deadline_ms=(
            None if arguments.deadline == AUTO else _time_ms("--deadline", arguments.deadline, MAX_DEADLINE_MS)
        ),
        period_ms=None if arguments.period is None else _time_ms("--period", arguments.period, _LONGEST_MS),
        connect_ms=_time_ms("--connect", arguments.connect, _LONGEST_MS),
        max_bytes=arguments.max_bytes,
        count=arguments.count,
        as_json=arguments.json,
        quiet=arguments.quiet,
    )


async def send(arguments: argparse.Namespace) -> int:
    """Send all pictures; return 0 if every one was answered in time."""
    options = _options(arguments)
    key = chosen_key(arguments)
    async with AsyncExitStack() as stack:
        notice = stack.enter_context(Notices(NAME))
        on_event = event_printer(arguments, notice)
        source = await stack.enter_async_context(chosen_source(arguments, notice))
        transport = chosen_port(arguments, "camera")
        # A single picture is read, and one that is none is reported, before any board is touched.
        only = _read(source.picture) if isinstance(source, OnlyPicture) else None
        codec = load()
        recorder = stack.enter_context(recording(arguments, NAME, notice))
        log = CameraLog(recorder)
        saved_at: SavedAt | None = None  # the edge server runs in another process, which saves its pictures itself
        if transport is None:
            testbed = await _testbed(stack, arguments, codec, key, notice, recorder)
            transport, saved_at = testbed.transport, testbed.saved
        camera = await stack.enter_async_context(
            # a stream outlives an outage
            Camera(
                log.transport(transport), codec, key=key, reopen=only is None, on_notice=notice, **log.hooks(on_event)
            )
        )
        await camera.connect(options.connect_ms / 1000)
        deadline_ms = options.deadline_ms or await _measured(camera, notice)
        if only is not None:
            return await _send_one(camera, only, deadline_ms, options, saved_at)
        return await _send_stream(camera, source, deadline_ms, options, saved_at)


async def _measured(camera: Camera, notice: Notices) -> float:
    """Return the deadline that can be held, ms, and report it."""
    slowest_ms, deadline_ms = await measured_deadline_ms(camera, str(SAMPLE))
    notice(f"--deadline {AUTO}: the slowest answer took {slowest_ms:.0f} ms, so the deadline is {deadline_ms:.0f} ms")
    return deadline_ms


def _read(picture: SourcePicture) -> _ReadPicture:
    """Read a picture, and print what was guessed, ignored or missing. Raises PictureError."""
    notices: list[str] = []
    pixels = picture.load(notices.append)
    _note(notices)
    return _ReadPicture(picture.name, pixels, tuple(notices), picture.taken_us)


async def _send_one(
    camera: Camera, picture: _ReadPicture, deadline_ms: float, options: _Options, saved_at: SavedAt | None
) -> int:
    try:
        report = await camera.send_picture(picture.pixels, deadline_ms, max_bytes=options.max_bytes)
    except DeadlineInfeasibleError as error:
        raise CommandError(f"a deadline of {deadline_ms:g} ms cannot be met: {error}") from error
    report = await _completed(report.of_file(picture.name, picture.notices), saved_at)
    _note(report.notices[len(picture.notices) :])
    show(*([json_line(report.as_json())] if options.as_json else report.lines()))
    return 0 if report.status == OK else FAILURE


async def _send_stream(
    camera: Camera, source: Source, deadline_ms: float, options: _Options, saved_at: SavedAt | None
) -> int:
    summary = StreamSummary(source.total, options.count)
    is_hidden = True if options.as_json or options.quiet else None  # None: unless it is on a terminal
    stderr = BarStream()
    total = None if source.total is None else summary.total
    with tqdm(total=total, unit="picture", disable=is_hidden, file=stderr) as bar:

        def show_report(report: TransferReport) -> None:
            summary.add(report)
            with bar.external_write_mode(file=stderr):  # not into the bar
                _note(report.notices)
                if report.status == NOT_A_PICTURE:
                    _note([report.detail])
                if options.as_json:
                    show(json_line(report.as_json()))
                elif report.status != NOT_A_PICTURE:
                    show_coloured(report.summary(), _colour(report))
            bar.update()

        sending = PictureStream(
            camera,
            source,
            deadline_ms,
            on_report=show_report,
            complete=lambda report: _completed(report, saved_at),
            period_ms=options.period_ms,
            max_bytes=options.max_bytes,
            count=options.count,
        )
        try:
            await sending.run()
        finally:  # also after Ctrl-C
            bar.close()
            summary.skipped = source.skipped
            note(summary.line())
    return 0 if summary.all_in_time else FAILURE


async def _completed(report: TransferReport, saved_at: SavedAt | None) -> TransferReport:
    """Name the file of the decoded picture, if the edge server runs in this process and has decoded it."""
    if report.image is None or report.answer_ms is None or saved_at is None or report.status not in DECODED:
        return report
    saved = await saved_at(report.image, report.answer_ms / 1000)
    return report.saved_as(saved.picture, saved.issue)


async def _testbed(
    stack: AsyncExitStack,
    arguments: argparse.Namespace,
    codec: Codec,
    key: Key | None,
    notice: Notices,
    recorder: Recorder | None,
) -> Testbed:
    # Imported here: a camera with a board needs neither an edge server nor onnxruntime.
    from .cli.testbed import virtual_testbed
    from .edge.archive import Archive
    from .edge.classifier import load as load_classifier

    settings = world_settings(arguments)
    notice(f"{why_virtual(arguments)}: two virtual boards and an edge server run in this process")
    archive = Archive(Path(arguments.save))
    classifier = load_classifier(arguments.classifier)
    keys = [] if key is None else [key]
    return await stack.enter_async_context(
        virtual_testbed(settings, codec, classifier, archive, notice, keys, recorder)
    )


def _time_ms(option: str, text: str, most_ms: float) -> float:
    """Return the time that an option gives. Raises CommandError, which names the option."""
    try:
        time_ms = milliseconds(text)
    except ValueError as error:
        raise CommandError(f"{option}: {error}", USAGE) from error
    if not 0 < time_ms <= most_ms:
        raise CommandError(f"{option}: {text} is not between 1 ms and {most_ms / 1000:.1f} s", USAGE)
    return time_ms


def _colour(report: TransferReport) -> Colour:
    if report.status == OK:
        return Colour.NONE
    return Colour.RED if report.answer_ms is None else Colour.YELLOW


def _note(texts: Sequence[str]) -> None:
    note(*(f"{NAME}: {text}" for text in texts))
