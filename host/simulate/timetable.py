"""When each picture is taken and due: the same for every policy, so that all meet the same air."""

from __future__ import annotations

from dataclasses import dataclass

from ..sim.radio import Connection
from ..sim.schedule import Schedule
from ..sim.trace import ChannelState, Trace
from .scenario import Disconnect, Scenario

#: Time before the first picture, us: the boards connect, the ends open their sessions and measure the link.
WARM_UP_US = 3_000_000
#: Time after the last deadline in which late answers still count as late.
AFTERWARDS_US = 700_000
_GOLDEN = (5**0.5 - 1) / 2
_OUT_OF_RANGE = Trace.constant(ChannelState(loss=1.0))


@dataclass(frozen=True, slots=True)
class Slot:
    """One picture: its number among all, its camera, and its times, us."""

    index: int
    camera: int
    begin_us: int
    due_us: int


def slots(scenario: Scenario, deadline_ms: float, count: int, begin_us: int) -> list[Slot]:
    """Return the times of ``count`` pictures; the cameras take turns, evenly spread over the period.

    A camera does not follow the radio's clock. So each picture begins up to a connection interval later, unless the
    scenario aligns them: every phase between picture and connection event occurs, in the order of multiples of the
    golden ratio.
    """
    cameras, period_us = scenario.settings.cameras, scenario.period_us(deadline_ms)
    phases_us = 0 if scenario.aligned_ms else scenario.settings.parameters.interval_us
    if scenario.aligned_ms:
        aligned_us = round(scenario.aligned_ms * 1000)
        begin_us = -(-begin_us // aligned_us) * aligned_us
    found = []
    for index in range(count):
        turn, camera = divmod(index, cameras)
        at_us = begin_us + turn * period_us + camera * period_us // cameras
        at_us += int(phases_us * (index * _GOLDEN % 1))
        found.append(Slot(index, camera, at_us, at_us + round(deadline_ms * 1000)))
    return found


def schedule_range(
    schedule: Schedule, disconnects: tuple[Disconnect, ...], connections: list[Connection], begin_us: int, end_us: int
) -> None:
    """Put the cameras out of range at the times that the scenario says, and back."""
    traces = [connection.trace for connection in connections]

    def leave() -> None:
        for connection in connections:
            connection.trace = _OUT_OF_RANGE

    def come_back() -> None:
        for connection, trace in zip(connections, traces, strict=True):
            connection.trace = trace

    for each in disconnects:
        if each.by == "range":
            for at_us in times_us(each, begin_us, end_us):
                schedule.at(at_us, leave)
                schedule.at(at_us + round(each.for_s * 1e6), come_back)


def times_us(disconnect: Disconnect, begin_us: int, end_us: int) -> list[int]:
    """Return when a disconnect happens."""
    first_us = begin_us + round(disconnect.at_s * 1e6)
    return list(range(first_us, end_us, round(disconnect.every_s * 1e6)))
