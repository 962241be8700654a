"""The command-line options that give answered pictures to an application."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from ..edge.answered import AnsweredPicture
from ..edge.ending import Ending
from ..edge.exec_sink import ExecSink
from ..edge.post_sink import PostSink
from ..edge.sink import Sink, SinkError, SinkRunner
from .command import USAGE, CommandError


def add_sink_arguments(parser: argparse.ArgumentParser) -> None:
    """Add ``--exec`` and ``--post``."""
    parser.add_argument(
        "--exec",
        action="append",
        dest="commands",
        metavar="CMD",
        help="run a program for each answered picture, without a shell: 'CMD {picture} {json}', with the files of both",
    )
    parser.add_argument(
        "--post",
        action="append",
        dest="urls",
        metavar="URL",
        help="send each answered picture to a web server, as a form with the parts json and picture (WebP)",
    )


@asynccontextmanager
async def chosen_sinks(
    arguments: argparse.Namespace, on_notice: Callable[[str], None], ending: Ending
) -> AsyncIterator[Callable[[AnsweredPicture], None]]:
    """Run the sinks that the arguments choose; give the function that takes their pictures. Raises CommandError.

    They end together, within what ``ending`` leaves them.
    """
    try:
        sinks: list[Sink] = [ExecSink(command) for command in arguments.commands or ()]
        sinks += [PostSink(url) for url in arguments.urls or ()]
    except SinkError as error:
        raise CommandError(str(error), USAGE) from error
    runners = [SinkRunner(sink, on_notice, ending) for sink in sinks]

    def put(answered: AnsweredPicture) -> None:
        for runner in runners:
            runner.put(answered)

    for runner in runners:
        await runner.__aenter__()
    try:
        yield put
    finally:
        await asyncio.gather(*(runner.__aexit__(None, None, None) for runner in runners))
