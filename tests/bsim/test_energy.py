"""What a camera board spends on its radio: advertising that slows down, sleep without a host."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from host.wire import Link, LinkState, Role
from tests.bsim.bsim_console import Console
from tests.bsim.bsim_scene import pair_all
from tests.bsim.radio_time import RadioTime, advertisements_us, radio_time
from tests.bsim.simulation import Simulation

FAST_S, SLEEP_S = 30, 60
#: HCI's reason of a disconnection: the remote device is about to power off.
POWER_OFF = 0x15


def _stay(console: Console, until_s: float) -> None:
    """Let time pass with a host that says something every few seconds."""
    while console.clock.now_s < until_s:
        console.statistics()
        console.pump(min(5.0, max(0.001, until_s - console.clock.now_s)))
        console.heard.clear()


def test_advertising_slows_down_when_nobody_answers(program: Path, tmp_path: Path) -> None:
    pair_all(tmp_path, program)
    with Simulation(tmp_path, [program], record=True) as simulation:
        console = Console(simulation.ports[0])
        assert console.greet().role == Role.CAMERA
        _stay(console, FAST_S + 8)
        times_us = advertisements_us(simulation.results, 0)
        fast = radio_time(simulation.results, 0, 10_000_000, 20_000_000)
        slow = radio_time(simulation.results, 0, (FAST_S + 2) * 1_000_000, (FAST_S + 7) * 1_000_000)
        console.close()
    early = [b - a for a, b in pairwise(times_us) if b < (FAST_S - 1) * 1_000_000]
    late = [b - a for a, b in pairwise(times_us) if a > (FAST_S + 1) * 1_000_000]
    assert max(early) < 45_000
    assert late
    assert all(1_000_000 <= us <= 1_020_000 for us in late)
    print(f"fast {fast.power_mw:.2f} mW, slow {slow.power_mw:.3f} mW", end=" ")
    assert slow.power_mw < fast.power_mw / 25


def test_a_camera_without_a_host_sleeps_and_is_back_soon_after_its_host(program: Path, tmp_path: Path) -> None:
    pair_all(tmp_path, program, interval_us=50_000)
    with Simulation(tmp_path, [program] * 2, record=True) as simulation:
        camera, edge = (Console(port) for port in simulation.ports)
        clock = simulation.clock
        assert clock is not None
        edge.greet()
        camera.greet()
        silent_s = clock.now_s
        camera.link_up()
        down = edge.until(Link, lambda link: link.state == LinkState.DOWN, wait_s=SLEEP_S + 10)
        assert down.reason == POWER_OFF
        assert SLEEP_S - 1 < clock.now_s - silent_s < SLEEP_S + 1
        asleep_us = clock.now_us
        while clock.now_us < asleep_us + 5_000_000:
            edge.pump(0.1)
        assert radio_time(simulation.results, 0, asleep_us + 200_000, clock.now_us) == RadioTime(
            clock.now_us - asleep_us - 200_000
        )
        camera.greet()
        woken_s = clock.now_s
        camera.link_up()
        print(f"back after {clock.now_s - woken_s:.2f} s", end=" ")
        assert clock.now_s - woken_s < 2.0
