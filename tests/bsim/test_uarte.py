"""The data port by the asynchronous UART API: Zephyr's driver on a model of the kit's UARTE.

Not with Zephyr before 3.6, whose simulated board has no such model.
"""

from __future__ import annotations

import os
import random
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from host.wire import Hop, Kind, Ping, Pong, Statistics
from tests.bsim.bsim_console import Console
from tests.bsim.sim_clock import forget, register
from tests.bsim.simulation import ROOT, START_S, Simulation, build

pytestmark = pytest.mark.skipif(
    not (Path(os.environ.get("ZEPHYR_BASE", "")) / "boards" / "native" / "nrf_bsim").exists(),
    reason="this Zephyr has no model of the UARTE",
)
UARTE = ("-uart0_pty", "-uart0_pty_respect_RTS", "-uart_pty_pollT=1000")
GARBAGE_BYTES = 200_000
PINGS = 400
SINGLE_PINGS = 50
#: A frame, the pause after it, the board's turn and the answer; the model looks for bytes every ms.
ANSWER_MS = 10.0
STALL_S, RESUME_S = 2.0, 4.0
#: The board counts from the start of its thread.
STARTS_MS = 300
#: At least, in its frame; CONFIG_PNC_SERIAL_RX_BYTES.
PING_BYTES, BLOCKS_BYTES = 16, 512


@pytest.fixture(scope="module")
def image() -> Path:
    """The firmware for a simulated board whose data port is its UARTE."""
    overlay = ROOT / "tests" / "bsim" / "uarte.overlay"
    return build(f"-DEXTRA_DTC_OVERLAY_FILE={overlay}", name="uarte")


@contextmanager
def _console(folder: Path, image: Path, options: Sequence[str] = ()) -> Iterator[Console]:
    with Simulation(folder, [image], board=[*UARTE, *options]) as simulation:
        end_s = time.monotonic() + START_S
        while (found := re.search(r"UARTE0\).*?(/dev/\S+)", simulation.log())) is None:
            assert time.monotonic() < end_s, simulation.log()
            time.sleep(0.02)
        port = Path(found[1])
        assert simulation.clock is not None
        register(port, simulation.clock)
        console = Console(port)
        yield console
        console.close()
        forget(port)


def _account(console: Console, answered: list[int], before: Statistics, asked: int) -> Statistics:
    """Wait until each of so many pings has arrived: it was answered, or counted for lack of room for its answer."""
    end_s = console.clock.now_s + START_S
    while True:
        after = console.statistics()
        assert (after.damaged - before.damaged, after.missed - before.missed) == (0, 0)
        arrived = len(answered) + after.control_dropped - before.control_dropped
        if arrived == asked:
            return after
        assert console.clock.now_s < end_s, f"{arrived} of {asked} pings arrived"


def _note_answers(console: Console) -> list[int]:
    """The tokens of the answers to pings, from now on."""
    answered: list[int] = []
    console.on_packet = lambda packet: answered.append(packet.token) if isinstance(packet, Pong) else None
    return answered


def test_frames_sent_without_a_pause_all_arrive(image: Path, tmp_path: Path) -> None:
    with _console(tmp_path, image) as console:
        assert console.greet().kind == Kind.BOARD
        before, answered = console.statistics(), _note_answers(console)
        console.say(*(Ping(hop=Hop.BOARD, token=token) for token in range(PINGS)))
        _account(console, answered, before, PINGS)


def test_a_frame_alone_is_answered_after_the_pause(image: Path, tmp_path: Path) -> None:
    with _console(tmp_path, image) as console:
        console.greet()
        before_ms = console.statistics().uptime_ms
        for token in range(SINGLE_PINGS):
            console.say(Ping(hop=Hop.BOARD, token=token))
            assert console.until(Pong).token == token
        assert (console.statistics().uptime_ms - before_ms) / SINGLE_PINGS < ANSWER_MS


def test_garbage_at_line_rate_is_counted_and_the_next_frame_found(image: Path, tmp_path: Path) -> None:
    with _console(tmp_path, image) as console:
        console.greet()
        console.write(random.Random(1).randbytes(GARBAGE_BYTES))
        while console.unwritten:
            console.pump(0.01)
        console.greet()
        assert console.statistics().damaged > GARBAGE_BYTES // 1000


def test_flow_control_holds_what_a_stopped_board_cannot_take(image: Path, tmp_path: Path) -> None:
    """All blocks are full, so the driver stops to receive; nothing is lost, and it starts again."""
    options = ["-thread=board", f"-stall={STALL_S}", f"-resume={RESUME_S}"]
    with _console(tmp_path, image, options) as console:
        console.greet()
        statistics = console.statistics()
        while statistics.uptime_ms < STALL_S * 1000 - 300:
            console.pump(0.01)
            statistics = console.statistics()
        asked, before, answered = 0, statistics, _note_answers(console)
        end_s = console.clock.now_s + RESUME_S - STALL_S
        while console.clock.now_s < end_s:
            console.say(Ping(hop=Hop.BOARD, token=asked))
            asked += 1
            console.pump(0.005)
        assert (asked - len(answered)) * PING_BYTES > 2 * BLOCKS_BYTES, "more waits than its blocks hold"
        assert _account(console, answered, before, asked).uptime_ms > RESUME_S * 1000 - STARTS_MS
