"""Times steps in turn, so that other load on the machine affects all of them alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field


@dataclass
class Step:
    """An operation on one picture, given by its number, and its times.

    ``many`` processes several pictures at once, if there is a faster way than one after the other.
    """

    name: str
    one: Callable[[int], object]
    many: Callable[[Sequence[int]], object] | None = None
    #: Mean size of the output, where that is a coded picture.
    size_bytes: int | None = None
    times_ms: list[float] = field(default_factory=list)
    #: CPU time of this process, on all its threads.
    cpu_ms: list[float] = field(default_factory=list)
    rates_per_s: list[float] = field(default_factory=list)

    @property
    def median_ms(self) -> float:
        """The median latency of one picture."""
        return statistics.median(self.times_ms)

    @property
    def median_cpu_ms(self) -> float:
        """The median CPU time of one picture."""
        return statistics.median(self.cpu_ms)

    def row(self) -> dict[str, str | float | None]:
        """Return a row of the report: latency and CPU time of single pictures, pictures per second in a batch."""
        return {
            "step": self.name,
            "bytes": self.size_bytes,
            "median_ms": round(self.median_ms, 4),
            "least_ms": round(min(self.times_ms), 4),
            "cpu_ms": round(self.median_cpu_ms, 4),
            "batch_per_s": round(statistics.median(self.rates_per_s), 1),
        }


def time_in_turn(steps: Sequence[Step], pictures: int, rounds: int, batch: int, threads: int) -> None:
    """Time every step on every picture in each round, and in each fourth on a batch that the threads share."""
    some = [number % pictures for number in range(batch)]
    with ThreadPoolExecutor(threads) as pool:
        for step in steps:
            step.one(0)
        for turn in range(rounds):
            for step in steps:
                for number in range(pictures):
                    cpu_begun, begun = time.process_time(), time.perf_counter()
                    step.one(number)
                    ended, cpu_ended = time.perf_counter(), time.process_time()
                    step.times_ms.append((ended - begun) * 1e3)
                    step.cpu_ms.append((cpu_ended - cpu_begun) * 1e3)
            for step in steps if turn % 4 == 0 else ():
                begun = time.perf_counter()
                _do_all(step, some, threads, pool)
                step.rates_per_s.append(batch / (time.perf_counter() - begun))


def _do_all(step: Step, numbers: Sequence[int], threads: int, pool: ThreadPoolExecutor) -> None:
    many = step.many or (lambda share: [step.one(number) for number in share])
    shares = [share for share in (numbers[first::threads] for first in range(threads)) if share]
    if threads == 1:
        many(numbers)
    else:
        list(pool.map(many, shares))
