"""Write ``traces/none.csv``, ``light.csv`` and ``heavy.csv``: no, light and heavy jamming.

The traces are generated, not recorded. Over one minute, a link of 200 kbit/s switches at random between clear and
jammed; the seed is fixed.
"""

from __future__ import annotations

import csv
import random
from dataclasses import dataclass

from .trace import TRACES

CLEAR_KBPS = 200
LENGTH_S = 60.0


@dataclass(frozen=True, slots=True)
class Jamming:
    """Mean durations of clear and jammed periods in s, and the channel while jammed."""

    clear_s: float
    jammed_s: float
    rate_kbps: int
    loss: float


KINDS = {"light": Jamming(1.2, 0.3, 60, 0.1), "heavy": Jamming(0.5, 0.8, 30, 0.3)}


def steps(jamming: Jamming, seed: int) -> list[tuple[float, int, float]]:
    """Return rows of time_s, rate_kbps, loss."""
    chance = random.Random(seed)
    rows: list[tuple[float, int, float]] = []
    time_s, jammed = 0.0, False
    while time_s < LENGTH_S:
        rate_kbps, loss = (jamming.rate_kbps, jamming.loss) if jammed else (CLEAR_KBPS, 0.0)
        rows.append((round(time_s, 3), rate_kbps, loss))
        time_s += max(0.02, chance.expovariate(1 / (jamming.jammed_s if jammed else jamming.clear_s)))
        jammed = not jammed
    return rows


def main() -> None:
    """Write the three files."""
    traces = {"none": [(0.0, CLEAR_KBPS, 0.0)]}
    traces |= {name: steps(jamming, seed=2023) for name, jamming in KINDS.items()}
    TRACES.mkdir(exist_ok=True)
    for name, rows in traces.items():
        with (TRACES / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows([("time_s", "rate_kbps", "loss"), *rows])


if __name__ == "__main__":
    main()
