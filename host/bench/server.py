"""Measures the edge server: the time for a picture by workers, threads and batch, and its queue under too much work.

The first part runs the networks on this machine. CPU time per picture hardly depends on what else runs; the latency
does. The second part is virtual time: the real queue, with workers that take a fixed time.
"""

from __future__ import annotations

import heapq
import statistics
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import count
from random import Random
from typing import Any

import numpy as np

from ..camera.pictures import SAMPLE
from ..codec import Decoder, load
from ..edge.classifier import Classifier
from ..edge.classifier import load as load_classifier
from ..edge.picture_queue import PictureQueue
from ..edge.service_time import ServiceTime
from ..link.events import ImageCollected
from ..ranked import RankedPacket
from .pictures import parts_of

#: Workers, threads of each, pictures in a batch.
CASES = ((1, 1, 1), (1, 2, 1), (2, 1, 1), (1, 1, 4), (1, 1, 8), (1, 2, 8))
_SECONDS = 20
_AIR_MS = (60, 160)


@dataclass(frozen=True, slots=True)
class ServiceRow:
    """Times of one way to use the CPUs: medians."""

    workers: int
    threads: int
    batch: int
    latency_ms: float  # of a run
    cpu_ms: float  # of a picture
    pictures_per_s: float


@dataclass(frozen=True, slots=True)
class OverloadRow:
    """Cameras that send more than the server can answer. ``share``: answered in time, of what it could answer."""

    cameras: int
    period_ms: int
    deadline_ms: int
    service_ms: int
    workers: int
    load: float  # pictures that come, over pictures that the workers can answer
    in_time: int
    late: int
    refused: int
    share: float
    fewest: float  # answers in time of the camera with the fewest, over the mean


def run(rounds: int) -> dict[str, Any]:
    """Measure the times here, and simulate the cases of too much work."""
    overload = [
        overloaded(8, 100, 300, 45),
        overloaded(8, 100, 300, 45, workers=2),
        overloaded(8, 100, 300, 50),
        overloaded(8, 100, 300, 50, together=True),
        overloaded(4, 300, 300, 90),
        overloaded(8, 400, 300, 45),
    ]
    return {"rows": [asdict(row) for row in services(rounds, CASES)], "overload": [asdict(row) for row in overload]}


def services(rounds: int, cases: Sequence[tuple[int, int, int]]) -> list[ServiceRow]:
    """Time every case in turn, so that other load on the machine affects all of them alike."""
    codec = load()
    packets = [codec.encode(picture) for picture in parts_of(SAMPLE)]
    tools = {
        threads: (codec.decoder(threads), load_classifier(threads=threads))
        for threads in {threads for _, threads, _ in cases}
    }
    found: dict[tuple[int, int, int], list[tuple[float, float, float]]] = {case: [] for case in cases}
    for turn in range(rounds + 1):
        for workers, threads, batch in cases:
            measured = _measure(tools[threads], packets, workers, batch)
            if turn:  # the first one also prepares the networks
                found[workers, threads, batch].append(measured)
    rows = []
    for case, values in found.items():
        latency, cpu, rate = (statistics.median(column) for column in zip(*values, strict=True))
        rows.append(ServiceRow(*case, round(latency * 1e3, 1), round(cpu * 1e3, 1), round(rate, 1)))
    return rows


def _measure(
    tools: tuple[Decoder, Classifier], packets: Sequence[Sequence[RankedPacket]], workers: int, batch: int
) -> tuple[float, float, float]:
    """Return latency of a run, CPU time of a picture and pictures per second; times in s."""
    decoder, classifier = tools
    durations: list[float] = []

    def work() -> None:
        for start in range(0, len(packets), batch):
            begun_s = time.perf_counter()
            decoded = decoder.decode_batch(packets[start : start + batch])
            classifier.probabilities(np.stack([each.picture for each in decoded]))
            durations.append(time.perf_counter() - begun_s)

    threads = [threading.Thread(target=work) for _ in range(workers)]
    begun_s, cpu_s = time.perf_counter(), time.process_time()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    pictures = workers * len(packets)
    took_s = time.perf_counter() - begun_s
    return statistics.median(durations), (time.process_time() - cpu_s) / pictures, pictures / took_s


def overloaded(
    cameras: int,
    period_ms: int,
    deadline_ms: int,
    service_ms: int,
    *,
    workers: int = 1,
    together: bool = False,
    seconds: int = _SECONDS,
) -> OverloadRow:
    """Simulate cameras with one picture in every period, each whole at the server after 60 to 160 ms.

    ``together``: all cameras take their pictures at the same moment; otherwise evenly spread.
    """
    random = Random(1)
    estimate = ServiceTime()
    estimate.add(service_ms * 1000)
    queue = PictureQueue(estimate)
    events: list[tuple[int, int, Callable[[], None]]] = []
    in_time: Counter[int] = Counter()
    late = refused = 0
    now_us, order = 0, count()
    busy_since_us: list[int] = []

    def at(time_us: int, action: Callable[[], None]) -> None:
        heapq.heappush(events, (time_us, next(order), action))

    def begin() -> None:
        nonlocal refused
        while taken := queue.take(now_us, workers - len(busy_since_us), busy_since_us):
            busy_since_us.append(now_us)
            at(now_us + service_ms * 1000, partial(end, taken))
        refused += len(queue.expired(now_us))

    def end(taken: tuple[ImageCollected, ...]) -> None:
        nonlocal late
        busy_since_us.pop(0)  # all take equally long
        for picture in taken:
            on_time = now_us <= picture.deadline_us
            in_time[picture.source] += on_time
            late += not on_time
        begin()

    def arrive(picture: ImageCollected) -> None:
        queue.add(picture)
        begin()

    for camera in range(cameras):
        for number in range(seconds * 1000 // period_ms):
            taken_us = number * period_ms * 1000 + (0 if together else camera * period_ms * 1000 // cameras)
            picture = ImageCollected(camera, number, 0, (), True, taken_us + deadline_ms * 1000)
            at(taken_us + random.randint(*_AIR_MS) * 1000, partial(arrive, picture))
    while events:
        now_us, _, action = heapq.heappop(events)
        action()
    now_us += deadline_ms * 1000
    begin()  # the last ones are too late
    pictures = cameras * (seconds * 1000 // period_ms)
    open_ms = (
        seconds * 1000 - period_ms + deadline_ms - _AIR_MS[0]
    )  # from the first picture's arrival to the last deadline
    possible = min(pictures, open_ms // service_ms * workers)
    total = sum(in_time.values())
    return OverloadRow(
        cameras,
        period_ms,
        deadline_ms,
        service_ms,
        workers,
        round(pictures * service_ms / (seconds * 1000 * workers), 2),
        total,
        late,
        refused,
        round(total / possible, 3),
        round(min(in_time[camera] for camera in range(cameras)) / (total / cameras), 3),
    )
