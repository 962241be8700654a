"""The serial side alone, on a board without Bluetooth: native_sim, native_posix before Zephyr 3.5."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from host.wire import (
    Boot,
    Capability,
    Configure,
    Error,
    ErrorCode,
    Hop,
    Pair,
    PairAction,
    Ping,
    Pong,
    Reset,
    ResetKind,
    Role,
)
from tests.bsim.bsim_console import BoardGoneError, appears
from tests.bsim.simulation import START_S, build, native_board


@contextmanager
def _board(folder: Path) -> Iterator[Path]:
    """A board; its port."""
    port = folder / "port"
    board = subprocess.Popen(
        [build(name="native", board=native_board()), f"-port={port}", f"-flash={folder / 'flash.bin'}"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield port
    finally:
        board.terminate()
        board.wait(10)
    assert not port.is_symlink()


def test_a_board_without_a_radio_answers_its_host_and_refuses_a_role(tmp_path: Path) -> None:
    with _board(tmp_path) as port:
        console = appears(port, START_S)
        assert console.greet().capabilities == Capability.VIRTUAL
        console.say(Ping(hop=Hop.BOARD, token=3))
        assert console.until(Pong).token == 3
        console.say(Configure(role=Role.CAMERA, tx_power_dbm=127))
        assert console.until(Error).code == ErrorCode.CONFIGURE
        console.say(Pair(action=PairAction.OPEN))
        assert console.until(Error).code == ErrorCode.REFUSED
        console.close()


def test_a_board_without_a_radio_is_not_reset_by_its_watchdog(tmp_path: Path) -> None:
    with _board(tmp_path) as port:
        console = appears(port, START_S)
        console.greet()
        while console.statistics().uptime_ms < 7_000:  # longer than the watchdog waits: 5 s
            console.pump(0.1)
        console.close()


def test_a_reset_restarts_the_board_and_its_hello_says_so(tmp_path: Path) -> None:
    with _board(tmp_path) as port:
        for boot in (Boot.POWER, Boot.SOFTWARE):
            console = appears(port, START_S)
            assert console.greet().boot == boot
            console.say(Reset(kind=ResetKind.FIRMWARE))
            with suppress(BoardGoneError):
                while True:
                    console.pump()  # until the board is gone
            console.close()
        console = appears(port, START_S)
        assert console.greet().boot == Boot.SOFTWARE
        console.close()
