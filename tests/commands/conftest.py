"""Commands in their own process, on virtual boards that this process runs."""

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
from tests import pace

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "host" / "assets" / "sample.jpg"
LIMIT_S = 60


@dataclass(frozen=True)
class Ended:
    """Result of a command."""

    status: int
    out: str
    err: str
    took_s: float


def run(*arguments: object, cwd: Path, stdin: str = "") -> Ended:
    """Run ``python -m …`` and return its result."""
    start = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        input=stdin,
        capture_output=True,
        text=True,
        timeout=pace.seconds(LIMIT_S),
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr, time.monotonic() - start)


@contextmanager
def started(*arguments: object, cwd: Path) -> Iterator[subprocess.Popen[str]]:
    """Run a command in the background; SIGINT ends it, as Ctrl-C does."""
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
                process.wait(pace.seconds(10))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def line_with(process: subprocess.Popen[str], text: str, stream: str = "stderr") -> str:
    """Return the next line of a stream that contains a text. A command that never writes one is ended."""
    limit = threading.Timer(pace.seconds(60), process.kill)
    limit.start()
    try:
        for line in getattr(process, stream):
            if text in line:
                return str(line)
    finally:
        limit.cancel()
    raise AssertionError(f"the command ended without a line with {text!r}")


class Boards:
    """Two virtual boards in real time, on their own thread."""

    def __init__(self, settings: WorldSettings) -> None:
        self._loop = asyncio.new_event_loop()
        self._made = threading.Event()
        self._settings = settings
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._run(),), daemon=True)
        self._thread.start()
        assert self._made.wait(pace.seconds(10))

    @property
    def camera(self) -> str:
        return self._world.paths[0]

    @property
    def edge(self) -> str:
        return self._world.paths[-1]

    def do(self, action: Callable[[RealTimeWorld], None]) -> None:
        """Call a function with the world, on the world's thread."""
        self._loop.call_soon_threadsafe(action, self._world)

    def host_sends(self, least: int) -> threading.Event:
        """Return an event that is set when a host has written ``least`` bytes to the camera board from now on."""
        reached, installed = threading.Event(), threading.Event()

        def watch(world: RealTimeWorld) -> None:
            line = world.world.cameras[0].line
            write, left = line.write, least

            def count(now_us: int, data: bytes) -> None:
                nonlocal left
                left -= len(data)
                if left <= 0:
                    reached.set()
                write(now_us, data)

            line.write = count  # type: ignore[method-assign]
            installed.set()

        self.do(watch)
        assert installed.wait(pace.seconds(10))
        return reached

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join(pace.seconds(10))

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
    """Run boards with a radio of 1 kbyte/s: sending a picture takes seconds."""
    pair = Boards(WorldSettings(trace=Trace.constant(ChannelState(rate_bps=8000))))
    yield pair
    pair.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with three drawn pictures."""
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for index, colour in enumerate(("orange", "teal", "purple")):
        picture = Image.new("RGB", (320, 240), "white")
        ImageDraw.Draw(picture).ellipse((40 + 30 * index, 30, 240, 200), fill=colour)
        picture.save(pictures / f"{index}.png")
    return pictures
