"""Prints what a camera board's radio takes, by BabbleSim's record of the air: ``python -m tests.bsim.energy``."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from host.wire import Phy
from tests import goal
from tests.bsim.bsim_console import Console
from tests.bsim.bsim_scene import pair_all
from tests.bsim.building import build
from tests.bsim.radio_time import RadioTime, radio_time
from tests.bsim.simulation import Simulation, missing
from tests.bsim.stream import PICTURE_BYTES, Stream

#: What is measured, s.
SPAN_S = 5
PICTURES = 10
PERIOD_MS = 1000
INTERVALS_US = (7_500, 50_000)
READY_S = 4
#: The record of the air is written late: the last seconds of a board that hardly sends are missing.
RECORD_LATE_S = 15


def _span(simulation: Simulation, begin_s: float, length_s: float) -> RadioTime:
    begin_us = round(begin_s * 1e6)
    return radio_time(simulation.results, 0, begin_us, begin_us + round(length_s * 1e6))


def advertising(folder: Path, program: Path) -> tuple[RadioTime, RadioTime]:
    """Return the radio's time of a camera that nobody answers: at first, and after 30 s."""
    with Simulation(folder, [program], record=True) as simulation:
        console = Console(simulation.ports[0])
        console.greet()
        while console.clock.now_s < 32 + SPAN_S + RECORD_LATE_S:
            console.statistics()
            console.pump(5.0)
        fast, slow = _span(simulation, 10, SPAN_S), _span(simulation, 32, SPAN_S)
        console.close()
        return fast, slow


def streaming(folder: Path, program: Path, interval_us: int) -> tuple[RadioTime, RadioTime, int]:
    """Return the radio's time of a camera that is connected, without and with pictures, and the number in time."""
    with Simulation(folder, [program] * 2, record=True) as simulation:
        stream = Stream(simulation, deadline_ms=300, period_ms=PERIOD_MS, phy=Phy.LE_2M, interval_us=interval_us)
        stream.run((READY_S + SPAN_S) * 1_000_000, sending=False)
        begin_s = READY_S + SPAN_S
        length_s = PICTURES * PERIOD_MS // 1000
        stream.run((begin_s + length_s) * 1_000_000)
        idle, busy = _span(simulation, READY_S, SPAN_S), _span(simulation, begin_s, length_s)
        stream.close()
        return idle, busy, stream.record.in_time


def _line(name: str, time: RadioTime) -> str:
    seconds = time.span_us / 1e6
    return f"| {name} | {time.tx_us / seconds / 1000:.2f} | {time.rx_us / seconds / 1000:.2f} | {time.power_mw:.3f} |"


def main() -> int:
    """Measure and print a table in Markdown."""
    why = missing()
    if why is not None:
        print(f"simulated boards: {why}; docs/firmware.md says what they need", file=sys.stderr)
        return 2
    program = Path(sys.argv[1]) if len(sys.argv) > 1 else build()
    print("| camera board | sends, ms/s | receives, ms/s | mW |\n|---|---|---|---|")
    for interval_us in INTERVALS_US:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            pair_all(folder, program)
            if interval_us == INTERVALS_US[0]:
                fast, slow = advertising(folder, program)
                print(_line("advertises, the first 30 s", fast))
                print(_line("advertises later", slow), flush=True)
            idle, busy, in_time = streaming(folder, program, interval_us)
        interval_ms = interval_us / 1000
        print(_line(f"connected, {interval_ms:g} ms, no pictures", idle))
        print(_line(f"connected, {interval_ms:g} ms, a picture of {PICTURE_BYTES} bytes a second", busy))
        alone_mj = busy.energy_mj / PICTURES - idle.power_mw * PERIOD_MS / 1000
        print(f"\n{in_time} of {PICTURES} in time; a picture alone takes {alone_mj:.3f} mJ\n", flush=True)
    return 0


if __name__ == "__main__":
    goal.run("energy", main)
