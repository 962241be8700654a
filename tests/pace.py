"""How much slower this machine is than a reference machine, so that real-time tests wait accordingly.

The factor is measured once per process: fixed pieces of work and short sleeps, against an idle machine with two cores.
Tests multiply by it how long they wait in real time, and the deadlines of pictures that are not what the test claims.
Modelled and virtual times, and claims about them, stay as they are.
"""

from __future__ import annotations

import functools
import os
import time

#: On the reference machine: one piece of work, and one sleep of ``_NAP_S``.
_WORK_S = 0.004
_NAP_S = 0.002
_SLEEP_S = 0.0022
_ROUNDS = 40
#: A machine that is slower still fails tests, instead of making them endless.
MOST = 10.0
#: The wire carries at most 65.5 s.
_LONGEST_DEADLINE_S = 60.0


def _work() -> None:
    total = 0
    for number in range(60_000):
        total = (total * 31 + number) & 0xFFFFFFFF


@functools.cache
def factor() -> float:
    """Return how many times slower this machine is, 1 to ``MOST``; ``PNC_PACE`` in the environment overrides it."""
    given = os.environ.get("PNC_PACE")
    if given:
        return min(max(1.0, float(given)), MOST)
    start_s = time.perf_counter()
    for _ in range(_ROUNDS):
        _work()
        time.sleep(_NAP_S)
    took_s = time.perf_counter() - start_s
    return min(max(1.0, took_s / (_ROUNDS * (_WORK_S + _SLEEP_S))), MOST)


def seconds(reference_s: float) -> float:
    """Return how long to wait on this machine for what takes at most ``reference_s`` on the reference machine."""
    return reference_s * factor()


def deadline_us(reference_us: int) -> int:
    """Return a picture's deadline on this machine, us from now, for a test that claims nothing about it."""
    return round(min(reference_us * factor(), _LONGEST_DEADLINE_S * 1e6))
