"""The serial side alone, on a board without Bluetooth: native_posix."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from bsim_console import Console
from simulation import START_S, build

from protocol.wire import Capability, Configure, Error, ErrorCode, Hop, Ping, Pong, Role


def test_a_board_without_a_radio_answers_its_host_and_refuses_a_role(tmp_path: Path) -> None:
    program = build(name="native", board="native_posix")
    port = tmp_path / "port"
    board = subprocess.Popen(
        [program, f"-port={port}", f"-flash={tmp_path / 'flash.bin'}"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until_s = time.monotonic() + START_S
        while not port.is_symlink():
            assert board.poll() is None
            assert time.monotonic() < until_s
            time.sleep(0.02)
        console = Console(port)
        assert console.greet().capabilities == Capability.VIRTUAL
        console.say(Ping(hop=Hop.BOARD, token=3))
        assert console.until(Pong).token == 3
        console.say(Configure(role=Role.CAMERA, tx_power_dbm=127))
        assert console.until(Error).code == ErrorCode.CONFIGURE
        console.close()
    finally:
        board.terminate()
        board.wait(10)
    assert not port.is_symlink()
