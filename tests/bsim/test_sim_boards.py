"""``make sim-boards``: two boards in real time, until it is stopped; nothing of it stays behind. And what is built."""

from __future__ import annotations

import fcntl
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bsim.building import BUILD, ROOT, configure_command, is_configured
from tests.bsim.simulation import START_S

ENDS_S = 15.0


COMMAND = [sys.executable, "-m", "tests.bsim.simulation"]


@pytest.fixture
def environment(program: Path) -> Iterator[dict[str, str]]:
    """The command's environment. Tests of parallel processes take turns, since a checkout has one pair of boards."""
    BUILD.mkdir(parents=True, exist_ok=True)
    with (BUILD / "boards_turn").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        yield {**os.environ, "PNC_BSIM_PROGRAM": str(program)}


@pytest.fixture
def boards(environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """The command, once its boards run."""
    with subprocess.Popen(COMMAND, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("camera: python -m host.send --port ")
        assert process.stdout.readline().startswith("edge: ")
        yield process
        process.kill()


def _of_simulation(pid: int) -> list[int]:
    """The programs of the simulations that a process started: they have its number in their simulation's name."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if f"-s=pnc{pid}-0".encode() in words:
            found.append(int(folder.name))
    return found


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_signal_ends_all_processes(boards: subprocess.Popen[str], number: signal.Signals) -> None:
    assert len(_of_simulation(boards.pid)) == 4  # two boards, the handbrake, the radio
    boards.send_signal(number)
    boards.wait(START_S)
    assert boards.returncode == (-number if number == signal.SIGKILL else 0)
    until_s = time.monotonic() + ENDS_S
    while _of_simulation(boards.pid):
        assert time.monotonic() < until_s, _of_simulation(boards.pid)
        time.sleep(0.1)


def test_a_second_pair_of_boards_is_refused(boards: subprocess.Popen[str], environment: dict[str, str]) -> None:
    second = subprocess.run(COMMAND, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert (second.returncode, second.stdout) == (2, "")
    assert re.fullmatch(r"simulated boards: those of \S+ are running already: end them first\n", second.stderr)
    assert boards.poll() is None


def test_a_folder_is_configured_again_only_if_its_command_or_its_zephyr_changes(tmp_path: Path) -> None:
    key = "\n".join(["/zephyr", *configure_command(tmp_path, tmp_path, "nrf52_bsim", "-DX=1")])
    assert not is_configured(tmp_path, key)
    (tmp_path / "configured.txt").write_text(key)
    assert not is_configured(tmp_path, key)  # cmake did not finish
    (tmp_path / "build.ninja").touch()
    assert is_configured(tmp_path, key)
    assert not is_configured(tmp_path, key.replace("X=1", "X=2"))
    assert not is_configured(tmp_path, key.replace("/zephyr", "/other"))
