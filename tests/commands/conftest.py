"""Commands as a person runs them: in their own process, on virtual boards that this process keeps running."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from host.sim.realtime import RealTimeWorld
from host.sim.trace import ChannelState, Trace
from host.sim.world import World, WorldSettings
from host.transport.driver import now_us

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "host" / "assets" / "sample.jpg"
LIMIT_S = 60


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    status: int
    out: str
    err: str
    took_s: float


def run(*arguments: object, cwd: Path, stdin: str = "") -> Ended:
    """Run ``python -m …`` to its end."""
    start = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        input=stdin,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr, time.monotonic() - start)


@contextmanager
def started(*arguments: object, cwd: Path) -> Iterator[subprocess.Popen[str]]:
    """A command that goes on; ended with SIGINT, as by Ctrl-C."""
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def line_with(process: subprocess.Popen[str], text: str, stream: str = "stderr") -> str:
    """The next line of a stream that has a text in it."""
    pipe = getattr(process, stream)
    for line in pipe:
        if text in line:
            return str(line)
    raise AssertionError(f"the command ended without a line with {text!r}")


class Boards:
    """Two virtual boards in real time, on a thread of their own."""

    def __init__(self, settings: WorldSettings) -> None:
        self._loop = asyncio.new_event_loop()
        self._made = threading.Event()
        self._settings = settings
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._run(),), daemon=True)
        self._thread.start()
        assert self._made.wait(10)

    @property
    def camera(self) -> str:
        return self._world.paths[0]

    @property
    def edge(self) -> str:
        return self._world.paths[-1]

    def do(self, action: Callable[[RealTimeWorld], None]) -> None:
        """Do something to the world, on its thread."""
        self._loop.call_soon_threadsafe(action, self._world)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join(10)

    async def _run(self) -> None:
        self._world = RealTimeWorld(World(self._settings, now_us=now_us()))
        self._task = asyncio.ensure_future(self._world.run())
        self._made.set()
        with suppress(asyncio.CancelledError):
            await self._task


@pytest.fixture
def boards() -> Iterator[Boards]:
    pair = Boards(WorldSettings())
    yield pair
    pair.close()


@pytest.fixture
def slow_boards() -> Iterator[Boards]:
    """At 1 kbyte/s a picture is on its way for seconds."""
    pair = Boards(WorldSettings(trace=Trace.constant(ChannelState(rate_bps=8000))))
    yield pair
    pair.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with three drawn pictures."""
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for index, colour in enumerate(("orange", "teal", "purple")):
        picture = Image.new("RGB", (320, 240), "white")
        ImageDraw.Draw(picture).ellipse((40 + 30 * index, 30, 240, 200), fill=colour)
        picture.save(pictures / f"{index}.png")
    return pictures
