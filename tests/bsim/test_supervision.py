"""Watchdog, LEDs and button, on a panel of emulated pins (firmware/drivers/sim_panel.c)."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

from host.wire import Boot, Log, Pair, PairAction, Pairing, Picture, Role
from tests.bsim.bsim_console import BoardGoneError, Console, appears
from tests.bsim.bsim_scene import picture, scene
from tests.bsim.simulation import START_S, Simulation

CONNECTED, TRAFFIC, ERROR = range(3)
#: Bit of Zephyr's causes of a reset (hwinfo.h).
CPU_LOCKUP = 8


def _led_is_on(folder: Path, board: int, led: int) -> bool:
    """As the board printed it last."""
    changes = re.findall(rf"LED {led} (on|off)", (folder / f"log{board}.txt").read_text())
    return bool(changes) and changes[-1] == "on"


def test_the_button_opens_pairing(program: Path, tmp_path: Path) -> None:
    with Simulation(tmp_path, [program], board=["-press=3"]) as simulation:
        console = Console(simulation.ports[0])
        console.greet()
        console.configure(Role.CAMERA)
        console.until(Pairing, lambda p: p.open == 1)  # by the new role
        assert console.pairing(Pair(action=PairAction.CLOSE)).open == 0
        opened = console.until(Pairing)
        assert (opened.open, opened.left_s) == (1, 60)
        assert 2800 <= console.statistics().uptime_ms < 4000  # counted from when the board's thread began


def test_leds_show_connection_and_traffic_and_no_error(program: Path, tmp_path: Path) -> None:
    with Simulation(tmp_path, [program]) as simulation:
        console = Console(simulation.ports[0])
        console.greet()
        while console.statistics().uptime_ms < 500:
            console.pump(0.02)
        assert not any(_led_is_on(tmp_path, 0, led) for led in (CONNECTED, TRAFFIC, ERROR))
    (tmp_path / "flash0.bin").unlink()
    with scene(tmp_path, program) as boards:
        for rank in range(50):  # for a second
            boards.camera.say(picture(rank, rank))
            assert boards.edge.until(Picture).rank == rank
            boards.pump(0.02)
        for board in (0, 1):
            assert _led_is_on(tmp_path, board, CONNECTED)
            assert "LED 1 on" in (tmp_path / f"log{board}.txt").read_text()
            assert "LED 2 on" not in (tmp_path / f"log{board}.txt").read_text()


def test_a_locked_up_processor_is_told_as_a_fault(program: Path, tmp_path: Path) -> None:
    """Nothing was retained, since the handler of faults had one itself. The chip's register tells."""
    with Simulation(tmp_path, [program], board=[f"-cause={CPU_LOCKUP}"]) as simulation:
        console = Console(simulation.ports[0])
        assert console.greet().boot == Boot.FAULT
        assert console.until(Log).text == b"fault: the processor locked up"


def test_the_watchdog_resets_a_board_one_of_whose_threads_hangs(program: Path, tmp_path: Path) -> None:
    """The sender stops at 1 s of the board's life; the watchdog resets the board 5 s later."""
    with Simulation(tmp_path, [program], again=[(0, 8.0)], board=["-stall=1"]) as simulation:
        console = Console(simulation.ports[0])
        assert console.greet().boot == Boot.POWER
        last_ms = 0
        with suppress(BoardGoneError):
            while True:
                last_ms = console.statistics().uptime_ms
        assert 5000 < last_ms < 7000
        again = appears(simulation.ports_again[0], START_S)
        assert again.greet().boot == Boot.WATCHDOG
        assert again.until(Log).text == b"watchdog: thread sender hung"
