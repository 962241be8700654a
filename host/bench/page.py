"""What the live page costs: answers in time and their latency, without it and with ten browsers, in turn in one run.

Cameras, virtual boards and edge server run in this process in real time, the page and its browsers beside it. The
server's answers are ready at once, so that what is measured is the link; decoder and classifier would take more CPUs
for so many pictures than most machines have.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..camera.camera import Camera
from ..camera.pictures import SAMPLE
from ..camera.report import OK, UNSENT, TransferReport, report_without_answer
from ..cli.log_options import EdgeLog
from ..codec import SIDE, Codec, Decoded, load
from ..edge.server import EdgeServer
from ..errors import PncError
from ..log.recorder import Recorder
from ..ranked import RankedPacket
from ..sim.virtual_boards import boards_in_world
from ..sim.world import WorldSettings
from ..web.address import Address
from ..web.page import PACKAGE, Page, PageError
from .pictures import parts_of

CAMERAS, PER_SECOND, VIEWERS = 8, 10, 10
DEADLINE_MS = 300.0
#: Codec bytes of a picture: 80 of them in a second fit through the edge board's serial port.
PICTURE_BYTES = 500
#: Length of a phase, and of the run-up before it, s.
SECONDS, _RUN_UP_S = 10.0, 2.0
_CONNECT_S = 30.0


@dataclass(frozen=True, slots=True)
class PageRow:
    """Answers of the phases of one kind. Latencies from the picture to its answer, medians over the phases."""

    page: str
    viewers: int
    pictures: int
    in_time: int
    share: float
    median_ms: float
    p95_ms: float
    p99_ms: float
    cpu_ms: float  # of this process for a picture: boards, cameras and server, with the page also what it is told


@dataclass(frozen=True, slots=True)
class _Phase:
    """What happened in one phase; ``cpu_s`` of this process, ``seen`` by the browsers."""

    reports: list[TransferReport]
    cpu_s: float
    seen: dict[str, int]


class _Ready:
    """A decoder and a classifier whose results are ready at once."""

    def __init__(self) -> None:
        self._grey = np.full((SIDE, SIDE, 3), 128, np.uint8)
        self._cells = np.zeros((28, 28), np.float32)

    def decode(self, packets: Sequence[RankedPacket]) -> Decoded:
        size = sum(len(packet.data) for packet in packets)
        return Decoded(self._grey, 1.0, len(packets), size, (), self._cells)

    def decode_batch(self, pictures: Sequence[Sequence[RankedPacket]]) -> list[Decoded]:
        return [self.decode(packets) for packets in pictures]

    def top(self, _picture: np.ndarray, _count: int) -> list[tuple[int, str, float]]:
        return [(0, "grey", 0.9)]


class _ReadyCodec:
    """A codec with that decoder."""

    def __init__(self, codec: Codec, ready: _Ready) -> None:
        self._codec, self._ready = codec, ready

    def encode(self, picture: np.ndarray) -> list[RankedPacket]:
        return self._codec.encode(picture)

    def decoder(self, threads: int | None = None) -> _Ready:
        del threads
        return self._ready


def run(rounds: int, seconds: float = SECONDS) -> dict[str, Any]:
    """Measure phases in turn. Raises PncError if there is no page to measure."""
    return asyncio.run(_run(max(1, rounds), seconds))


async def _run(rounds: int, seconds: float) -> dict[str, Any]:
    codec, pictures = load(), parts_of(SAMPLE)
    found: dict[bool, list[_Phase]] = {False: [], True: []}
    seen: dict[str, int] = {}
    for turn in range(rounds):
        for with_page in (False, True) if turn % 2 == 0 else (True, False):
            phase = await _phase(codec, pictures, seconds, with_page=with_page)
            found[with_page].append(phase)
            seen = {name: seen.get(name, 0) + count for name, count in phase.seen.items()} or seen
    rows = [asdict(_row(found[with_page], with_page=with_page)) for with_page in (False, True)]
    notes = [
        f"{CAMERAS} cameras, {PER_SECOND} pictures a second each, {PICTURE_BYTES} bytes, deadline {DEADLINE_MS:g} ms; "
        f"{rounds} phases of {seconds:g} s of each kind; the browsers got {seen.get('messages', 0):,} messages and "
        f"{seen.get('pictures', 0):,} pictures"
    ]
    return {"rows": rows, "viewers": seen, "notes": notes}


def _row(phases: Sequence[_Phase], *, with_page: bool) -> PageRow:
    reports = [report for phase in phases for report in phase.reports]
    in_time = sum(report.status == OK for report in reports)
    median, p95, p99 = (
        round(statistics.median(_latency_ms(phase.reports, share) for phase in phases), 1)
        for share in (0.5, 0.95, 0.99)
    )
    return PageRow(
        page="with" if with_page else "without",
        viewers=VIEWERS if with_page else 0,
        pictures=len(reports),
        in_time=in_time,
        share=round(in_time / len(reports), 4),
        median_ms=median,
        p95_ms=p95,
        p99_ms=p99,
        cpu_ms=round(statistics.median(1000 * phase.cpu_s / len(phase.reports) for phase in phases), 2),
    )


def _latency_ms(reports: Sequence[TransferReport], share: float) -> float:
    """Return the latency that this share of the pictures does not exceed; without an answer it is the deadline."""
    times = sorted(report.deadline_ms if report.answer_ms is None else report.answer_ms for report in reports)
    return times[min(len(times) - 1, int(share * len(times)))]


async def _phase(codec: Codec, pictures: Sequence[np.ndarray], seconds: float, *, with_page: bool) -> _Phase:
    notices: list[str] = []
    async with AsyncExitStack() as stack:
        recorder, page = None, None
        if with_page:
            page = await stack.enter_async_context(Page(Address("127.0.0.1", 0), notices.append))
            recorder = stack.enter_context(Recorder("bench", [page.sink]))
        log, ready = EdgeLog(recorder), _Ready()
        settings = WorldSettings(cameras=CAMERAS)
        boards = await stack.enter_async_context(boards_in_world(settings))
        server = EdgeServer(
            log.transport(boards[-1]),
            _ReadyCodec(codec, ready),  # type: ignore[arg-type]
            ready,  # type: ignore[arg-type]
            on_event=log.event,
            on_picture=log.picture,
            reopen=False,
            workers=1,
        )
        await stack.enter_async_context(server)
        await stack.enter_async_context(log.asking(server))
        cameras = [await stack.enter_async_context(Camera(board, codec)) for board in boards[:-1]]
        for camera in cameras:
            await camera.connect(_CONNECT_S)
        viewing = None
        if page is not None:
            await page.ready.wait()
            if not page.url:
                raise PageError(notices[-1])
            viewing = await _start_viewers(page.url, seconds + _RUN_UP_S)
        await _send(cameras, pictures, _RUN_UP_S)
        begun_s = time.process_time()
        reports = await _send(cameras, pictures, seconds)
        cpu_s = time.process_time() - begun_s
        return _Phase(reports, cpu_s, {} if viewing is None else await _result(viewing))


async def _send(cameras: Sequence[Camera], pictures: Sequence[np.ndarray], seconds: float) -> list[TransferReport]:
    """Let every camera send for so long, evenly spread; return the reports of all pictures."""
    loop, period_s = asyncio.get_running_loop(), 1 / PER_SECOND
    begin_s, reports = loop.time(), list[TransferReport]()

    async def send(camera: Camera, picture: np.ndarray) -> None:
        try:
            report = await camera.send_picture(picture, DEADLINE_MS, max_bytes=PICTURE_BYTES)
        except PncError as error:  # this computer was busy for so long that the deadline could not be met any more
            report = report_without_answer("", UNSENT, str(error), DEADLINE_MS)
        reports.append(report)

    async with asyncio.TaskGroup() as group:
        for number in range(int(seconds * PER_SECOND) * len(cameras)):
            turn, index = divmod(number, len(cameras))
            due_s = begin_s + (turn + index / len(cameras)) * period_s
            await asyncio.sleep(max(0.0, due_s - loop.time()))
            group.create_task(send(cameras[index], pictures[number % len(pictures)]))
    return reports


async def _start_viewers(url: str, seconds: float) -> asyncio.subprocess.Process:
    root = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH", ""))))
    command = (sys.executable, "-m", f"{PACKAGE}.bench.viewers", url, str(VIEWERS), f"{seconds:g}")
    environment = {**os.environ, "PYTHONPATH": path}
    return await asyncio.create_subprocess_exec(*command, env=environment, stdout=asyncio.subprocess.PIPE)


async def _result(viewing: asyncio.subprocess.Process) -> dict[str, int]:
    """Return what the browsers got."""
    said, _ = await viewing.communicate()
    found: dict[str, int] = json.loads(said)
    return found
