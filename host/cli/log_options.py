"""The options of the event log, and the log of a run of ``send`` or ``recv``."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from ..errors import PncError
from ..files import check_appendable, check_writable
from ..link.events import Event, LinkChanged
from ..log.boards import tap_connection
from ..log.bug_report import write_bug_report
from ..log.entry import CAMERA, EDGE
from ..log.plot import check_plot, write_plot
from ..log.reader import LogError
from ..log.recorder import Recorder, Sink
from ..log.sinks import FileSink, MemorySink
from ..log.tap import Tap, TappedTransport, add_submitted
from ..log.timeline import time_lines
from ..transport.transport import Transport
from ..wire import LinkState, Picture, Result
from .start import PACKAGE
from .verbosity import to_each

if TYPE_CHECKING:
    from ..camera.camera import Submitted
    from ..edge.answered import AnsweredPicture
    from ..edge.server import EdgeServer
    from ..sim.world import World

#: Fields of an answered picture that the log does not repeat, or that are no text.
_NOT_LOGGED = ("source", "image", "pixels", "cells")
_DOCTOR_S = 30.0
#: How often a board is asked for its statistics, s.
_STATISTICS_S = 1.0


def add_log_arguments(parser: argparse.ArgumentParser, *, plot: bool = False) -> None:
    """Add ``--log`` and ``--bug-report``, and ``--plot`` if that is asked."""
    group = parser.add_argument_group("what happened")
    group.add_argument("--log", type=Path, metavar="FILE", help="append an event log, a JSON object a line")
    if plot:
        group.add_argument("--plot", type=Path, metavar="FILE", help="draw the time lines (.svg, .png, .pdf)")
    group.add_argument(
        "--bug-report",
        type=Path,
        metavar="FILE.zip",
        help="write log, versions, options and `boards doctor` into one file, without pictures and keys",
    )


@contextmanager
def recording(
    arguments: argparse.Namespace, program: str, on_notice: Callable[[str], None], sinks: Sequence[Sink] = ()
) -> Iterator[Recorder | None]:
    """Record a run as the options say, in an event loop; None if nobody wants a log.

    At the end, also of a run that fails, plot and bug report are written. What cannot be written is a notice, unless
    it can be known before.

    Raises:
        LogError: a file that an option names cannot be written.
    """
    plot: Path | None = getattr(arguments, "plot", None)
    if arguments.log is not None:
        check_appendable(arguments.log, LogError)
    if plot is not None:
        check_plot(plot)
    if arguments.bug_report is not None:
        check_writable(arguments.bug_report, LogError)
    loop, all_sinks, memory = asyncio.get_running_loop(), list(sinks), MemorySink()
    if arguments.log is not None:
        all_sinks.append(FileSink(arguments.log, lambda text: _call_soon(loop, on_notice, text)))
    if plot is not None or arguments.bug_report is not None:
        all_sinks.append(memory)
    if not all_sinks:
        yield None
        return
    recorder, error = Recorder(program, all_sinks), ""
    try:
        with recorder:
            yield recorder
    except BaseException as raised:
        error = str(raised) if isinstance(raised, PncError) else type(raised).__name__
        raise
    finally:
        try:
            if plot is not None:
                write_plot(time_lines(memory.entries), plot)
            if arguments.bug_report is not None:
                entries, settings = memory.entries, vars(arguments)
                write_bug_report(arguments.bug_report, entries, recorder.run, settings, _doctor(), error)
                on_notice(f"wrote {arguments.bug_report}: look into it before you publish it")
        except LogError as trouble:
            on_notice(str(trouble))


class CameraHooks(TypedDict, total=False):
    """Arguments of ``Camera`` that let it be recorded."""

    on_event: Callable[[Event], None] | None
    on_submitted: Callable[[Submitted], None]


class CameraLog:
    """The log of a camera; without a recorder it does nothing."""

    def __init__(self, recorder: Recorder | None, source: int | None = None) -> None:
        self._tap = None if recorder is None else Tap(recorder, CAMERA, source)

    def transport(self, transport: Transport) -> Transport:
        """Return a transport whose bytes are recorded."""
        return transport if self._tap is None else TappedTransport(transport, self._tap)

    def hooks(self, on_event: Callable[[Event], None] | None = None) -> CameraHooks:
        """Return arguments for the camera; ``on_event`` is told of each event, too."""
        if self._tap is None:
            return {"on_event": on_event}
        return {"on_event": to_each(self._tap.event, on_event), "on_submitted": self._submitted}

    def _submitted(self, picture: Submitted) -> None:
        assert self._tap is not None
        add_submitted(
            self._tap,
            picture.image,
            taken_us=picture.taken_us,
            encoded_us=picture.encoded_us,
            deadline_us=picture.deadline_us,
            packets=picture.packets,
            size=picture.bytes,
        )


class EdgeLog:
    """The log of an edge server; without a recorder it does nothing."""

    def __init__(self, recorder: Recorder | None, *, sealed: bool = False) -> None:
        """``sealed``: the server has keys, and its ``on_opened`` is this log's."""
        self._recorder = recorder
        self._tap = None if recorder is None else Tap(recorder, EDGE, opened=sealed)
        self._linked: set[int] = set()

    def transport(self, transport: Transport) -> Transport:
        """Return a transport whose bytes are recorded."""
        return transport if self._tap is None else TappedTransport(transport, self._tap)

    @property
    def on_opened(self) -> Callable[[Picture | Result], None] | None:
        """What takes the opened packets of a server with keys; None without a recorder."""
        return None if self._tap is None else self._tap.packet

    def event(self, event: Event) -> None:
        """Record an event of the link."""
        if self._tap is not None:
            self._tap.event(event)
        if isinstance(event, LinkChanged):
            (self._linked.add if event.state is LinkState.UP else self._linked.discard)(event.source)

    @asynccontextmanager
    async def asking(self, server: EdgeServer) -> AsyncIterator[None]:
        """Ask the board for its statistics every second, as long as the context lasts and anybody wants them."""
        if self._tap is None:
            yield
            return

        async def ask() -> None:
            while True:
                await asyncio.sleep(_STATISTICS_S)
                for source in sorted(self._linked):
                    server.request_statistics(source)

        task = asyncio.create_task(ask())
        try:
            yield
        finally:
            task.cancel()

    def picture(self, picture: AnsweredPicture) -> None:
        """Record an answered picture, without its pixels."""
        if self._tap is not None:
            fields: dict[str, Any] = {k: v for k, v in picture.as_json().items() if k not in _NOT_LOGGED}
            self._tap.entry("picture", source=picture.source, image=picture.image, **fields)

    def world(self, world: World) -> None:
        """Record what virtual boards hand to their radio."""
        if self._recorder is not None:
            for source, connection in enumerate(world.connections):
                tap_connection(self._recorder, connection, source)


def _call_soon(loop: asyncio.AbstractEventLoop, on_notice: Callable[[str], None], text: str) -> None:
    """Call in the event loop, from another thread. A loop that is closed has nobody to tell."""
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(on_notice, text)


def _doctor() -> str:
    """Return what the command ``boards doctor`` prints. It runs in a program of its own: a fault there is no matter."""
    root = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH", ""))))
    try:
        done = subprocess.run(
            [sys.executable, "-m", f"{PACKAGE}.boards", "doctor"],
            env={**os.environ, "PYTHONPATH": path},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="backslashreplace",
            timeout=_DOCTOR_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"doctor: {error}"
    return done.stdout + done.stderr
