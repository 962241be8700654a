"""The firmware's serial side on an emulated Cortex-M3, without a radio: its instruction set, interrupts and faults."""

from __future__ import annotations

import random
import re
import shutil
import time
from pathlib import Path

import pytest

from host.wire import Boot, Configure, Error, ErrorCode, Hop, Log, Ping, Pong, Reset, ResetKind, Role
from tests.bsim.bsim_console import Console
from tests.bsim.emulator import QEMU, Emulator
from tests.bsim.simulation import build

pytestmark = pytest.mark.skipif(shutil.which(QEMU) is None, reason=f"{QEMU} is not installed")
GARBAGE_BYTES = 200_000
#: Silence for a board that starts: Zephyr resets this chip's processor, not its serial port, and what comes before the
#: port's driver is ready interrupts for ever.
STARTS_S = 1.0
LIVED_MS = 3000


@pytest.fixture(scope="module")
def image() -> Path:
    """The firmware for that board."""
    return build(name="emulated", board="qemu_cortex_m3")


def _let_it_start(console: Console) -> None:
    end_s = time.monotonic() + STARTS_S
    while time.monotonic() < end_s:
        console.pump(0.1)


def test_it_answers_its_host_and_refuses_a_role(image: Path, tmp_path: Path) -> None:
    with Emulator(tmp_path, image) as emulator:
        console = Console(emulator.port)
        hello = console.greet()
        assert hello.name.startswith(b"qemu_cortex_m3")
        assert (hello.capabilities, hello.slots, hello.boot) == (0, 32, Boot.POWER)
        console.say(Ping(hop=Hop.BOARD, token=3))
        assert console.until(Pong).token == 3
        console.say(Configure(role=Role.CAMERA, tx_power_dbm=127))
        assert console.until(Error).code == ErrorCode.CONFIGURE
        console.close()


def test_garbage_is_counted_and_the_next_frame_found(image: Path, tmp_path: Path) -> None:
    with Emulator(tmp_path, image) as emulator:
        console = Console(emulator.port)
        console.greet()
        console.write(random.Random(1).randbytes(GARBAGE_BYTES))
        while console.unwritten:
            console.pump(0.01)
        console.greet()
        statistics = console.statistics()
        assert statistics.damaged > GARBAGE_BYTES // 1000
        assert statistics.accepted == 0
        console.close()


def test_a_fault_resets_the_board_and_the_next_hello_says_so_once(image: Path, tmp_path: Path) -> None:
    with Emulator(tmp_path, image) as emulator:
        console = Console(emulator.port)
        assert console.greet().boot == Boot.POWER
        while console.statistics().uptime_ms < LIVED_MS:
            console.pump(0.01)
        emulator.break_program()
        _let_it_start(console)
        assert console.greet().boot == Boot.FAULT
        note = console.until(Log).text.decode()
        assert re.fullmatch(r"fault: CPU exception \(\d+\) in thread \w+, exception 0, pc 0xfffffff0, lr 0x\w{8}", note)
        assert console.statistics().uptime_ms < LIVED_MS
        console.say(Reset(kind=ResetKind.FIRMWARE))
        _let_it_start(console)
        assert console.greet().boot == Boot.SOFTWARE
        console.statistics()
        assert not any(isinstance(packet, Log) for packet in console.heard)
        console.close()
