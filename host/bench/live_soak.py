"""Sends pictures in real time for as long as wanted: whether memory, open files and times stay as they are.

Camera and edge server run in this process, with the shipped codec and classifier, on virtual boards whose radio is
jammed lightly.
"""

from __future__ import annotations

import asyncio
import gc
import os
import resource
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from ..camera.camera import Camera
from ..camera.pictures import SAMPLE
from ..camera.report import OK, TransferReport
from ..codec import load
from ..edge.classifier import load as load_classifier
from ..edge.server import EdgeServer
from ..link.sender import DeadlineInfeasibleError
from ..sim.virtual_boards import virtual_boards
from .pictures import parts_of

PERIOD_S, DEADLINE_MS = 0.5, 2_000.0
#: Rows of a run; the first ones are warm-up and count for nothing.
PARTS, WARM_UP = 30, 3
#: The second half may have so many times the memory and the times of the first half.
MOST_MEMORY, MOST_TIME = 1.05, 1.5
#: The least share of pictures that is answered in time, of all and of the last tenth. On a busy computer 0.97 was
#: measured.
LEAST_IN_TIME = 0.5
#: Most pictures under way: on a computer that is too busy, some are left out.
_MOST_UNDER_WAY = 8
_CONNECT_S = 60.0


@dataclass(frozen=True, slots=True)
class LiveRow:
    """A part of the run. Times from the picture to its answer; memory and open files at the end of the part."""

    minutes: float
    pictures: int
    in_time: float
    p50_ms: float
    p99_ms: float
    memory_mb: float
    descriptors: int


async def soak(minutes: float, on_row: Callable[[LiveRow], None] = lambda _: None) -> list[LiveRow]:
    """Send pictures for so many minutes and return a row for each part of that time."""
    pictures = parts_of(SAMPLE)
    codec = load()
    rows: list[LiveRow] = []
    async with (
        virtual_boards(trace="light") as (camera_board, edge_board),
        EdgeServer(edge_board, codec, load_classifier()),
        Camera(camera_board, codec, reopen=True) as camera,
    ):
        await camera.connect(_CONNECT_S)
        start_s = time.monotonic()
        numbers = count()
        for part in range(1, PARTS + 1):
            reports = await _send(camera, pictures, numbers, start_s + 60 * minutes * part / PARTS)
            rows.append(_row((time.monotonic() - start_s) / 60, reports))
            on_row(rows[-1])
    return rows


async def _send(
    camera: Camera, pictures: Sequence[np.ndarray], numbers: count[int], end_s: float
) -> list[TransferReport | None]:
    """Send a picture every period until a time; return the reports when all have ended, None of a refused one."""
    reports: list[TransferReport | None] = []
    under_way: set[asyncio.Task[None]] = set()

    async def one(picture: np.ndarray) -> None:
        try:
            reports.append(await camera.send_picture(picture, DEADLINE_MS))
        except DeadlineInfeasibleError:  # this computer is too busy to decode one in time
            reports.append(None)

    while time.monotonic() < end_s:
        if len(under_way) < _MOST_UNDER_WAY:
            task = asyncio.create_task(one(pictures[next(numbers) % len(pictures)]))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
        await asyncio.sleep(PERIOD_S)
    await asyncio.gather(*under_way)
    return reports


def _row(minutes: float, reports: Sequence[TransferReport | None]) -> LiveRow:
    times = sorted(report.answer_ms for report in reports if report is not None and report.answer_ms is not None)
    p50_ms, p99_ms = (times[min(len(times) - 1, int(len(times) * share))] if times else 0.0 for share in (0.5, 0.99))
    in_time = sum(report is not None and report.status == OK for report in reports) / max(1, len(reports))
    gc.collect()
    return LiveRow(
        round(minutes, 2),
        len(reports),
        round(in_time, 4),
        round(p50_ms, 1),
        round(p99_ms, 1),
        round(memory_mb(), 1),
        descriptors(),
    )


def memory_mb() -> float:
    """Return the resident memory of this process, MB; where the system does not tell it, the most it ever was."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most / (1e6 if sys.platform == "darwin" else 1e3)
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def descriptors() -> int:
    """Return how many files this process has open."""
    return len(os.listdir("/dev/fd"))


def growth(rows: Sequence[LiveRow]) -> dict[str, float]:
    """Return how many times the first half's median the second half's is, of each figure, without the warm-up."""
    kept = rows[WARM_UP:]
    halves = kept[: len(kept) // 2], kept[len(kept) // 2 :]
    figures = ("p50_ms", "p99_ms", "memory_mb", "descriptors")
    medians = {name: [median(float(getattr(row, name)) for row in half) for half in halves] for name in figures}
    return {name: round(second / max(first, 1e-9), 3) for name, (first, second) in medians.items()}


def in_time(rows: Sequence[LiveRow]) -> float:
    """Return the share of all pictures that was answered in time; 0 if there were none."""
    return sum(row.in_time * row.pictures for row in rows) / max(1, sum(row.pictures for row in rows))


def missed(rows: Sequence[LiveRow]) -> list[str]:
    """Return the bars that a run misses: what grew by more than it may, and whether pictures were answered at all."""
    grown = growth(rows)
    bars = {
        "NOT FLAT": grown["memory_mb"] <= MOST_MEMORY
        and grown["descriptors"] <= 1
        and max(grown["p50_ms"], grown["p99_ms"]) <= MOST_TIME,
        "TOO FEW IN TIME": min(in_time(rows), in_time(rows[-PARTS // 10 :])) >= LEAST_IN_TIME,
    }
    return [bar for bar, kept in bars.items() if not kept]


def run(minutes: float, on_row: Callable[[LiveRow], None] = lambda _: None) -> dict[str, Any]:
    """Return the rows, how much each figure grew, and whether that is within the bar."""
    rows = asyncio.run(soak(minutes, on_row))
    grown = growth(rows)
    notes = [f"second half / first half, {name}: {value}" for name, value in grown.items()]
    pictures, verdict = sum(row.pictures for row in rows), ", ".join(missed(rows)) or "flat"
    notes.append(f"{pictures} pictures in {minutes:g} minutes of real time, {in_time(rows):.1%} in time: {verdict}")
    return {"rows": [asdict(row) for row in rows], "growth": grown, "notes": notes, "passed": not missed(rows)}
