"""The channel of a scenario over time: a trace, steps, bursts, or constant."""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import pairwise

from ..sim.trace import ChannelState, Trace

_LENGTH_MS = 60_000.0
_SHORTEST_MS = 5.0


@dataclass(frozen=True, slots=True)
class Bursts:
    """A channel that alternates between clear and jammed.

    ``loss``: the share of lost packets while jammed; ``random``: the durations are means of exponential distributions
    (for ``seed``) instead of being constant.
    """

    clear_ms: float
    jammed_ms: float
    loss: float = 1.0
    random: bool = True
    seed: int = 1


def bursts_trace(bursts: Bursts, clear: ChannelState) -> Trace:
    """Return a trace that alternates between ``clear`` and the same rate with the loss of the bursts."""
    jammed = ChannelState(clear.rate_bps, bursts.loss)
    if not bursts.random:
        period_us = round((bursts.clear_ms + bursts.jammed_ms) * 1000)
        return Trace([0, round(bursts.clear_ms * 1000)], [clear, jammed], period_us=period_us)
    chance = random.Random(bursts.seed)
    times_us: list[int] = []
    states: list[ChannelState] = []
    time_ms, state = 0.0, clear
    while time_ms < _LENGTH_MS:
        times_us.append(round(time_ms * 1000))
        states.append(state)
        mean_ms = bursts.clear_ms if state is clear else bursts.jammed_ms
        time_ms += max(_SHORTEST_MS, chance.expovariate(1 / mean_ms))
        state = jammed if state is clear else clear
    return Trace(times_us, states)


def steps_trace(steps: list[list[float]], cycle_ms: float | None) -> Trace:
    """Return a trace of steps: each has its start in ms, its rate in kbit/s (0: no limit), and perhaps its loss.

    Raises ValueError for steps that do not start at 0 and rise, or that go on beyond ``cycle_ms``.
    """
    times_us = [round(step[0] * 1000) for step in steps]
    rising = all(before < after for before, after in pairwise(times_us))
    if times_us[0] != 0 or not rising:
        raise ValueError("the steps must start at 0 and rise")
    if cycle_ms is not None and times_us[-1] >= cycle_ms * 1000:
        raise ValueError("the last step starts after the end of the cycle")
    states = [ChannelState(step[1] * 1000 or None, step[2] if len(step) > 2 else 0.0) for step in steps]
    return Trace(times_us, states, period_us=None if cycle_ms is None else round(cycle_ms * 1000))
