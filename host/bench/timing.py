"""Times steps in turn, so that whatever else the machine does falls on all of them alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field


@dataclass
class Step:
    """Something that is done to one picture, given by its number, and what was timed of it.

    ``many`` does the same to several pictures at once, where there is a way that is not one after the other.
    """

    name: str
    one: Callable[[int], object]
    many: Callable[[Sequence[int]], object] | None = None
    #: Mean size of what comes out, where that is a picture's code.
    size_bytes: int | None = None
    times_ms: list[float] = field(default_factory=list)
    rates_per_s: list[float] = field(default_factory=list)

    @property
    def median_ms(self) -> float:
        return statistics.median(self.times_ms)

    def row(self) -> dict[str, str | float | None]:
        """The step as a row of the report: latency of one picture at a time, pictures per second of a batch."""
        return {
            "step": self.name,
            "bytes": self.size_bytes,
            "median_ms": round(self.median_ms, 4),
            "least_ms": round(min(self.times_ms), 4),
            "batch_per_s": round(statistics.median(self.rates_per_s), 1),
        }


def time_in_turn(steps: Sequence[Step], pictures: int, rounds: int, batch: int, threads: int) -> None:
    """Each round times every step on every picture; each fourth, every step on a batch shared by the threads."""
    some = [number % pictures for number in range(batch)]
    with ThreadPoolExecutor(threads) as pool:
        for step in steps:
            step.one(0)
        for turn in range(rounds):
            for step in steps:
                for number in range(pictures):
                    begun = time.perf_counter()
                    step.one(number)
                    step.times_ms.append((time.perf_counter() - begun) * 1e3)
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
