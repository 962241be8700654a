"""Commands on a computer that is short of something: they work, or end in one line with status 1."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

if sys.platform == "win32":
    pytest.skip("there are no such limits on Windows", allow_module_level=True)

import resource

from host.cli.shortage import shortage
from tests import pace

ROOT = Path(__file__).parents[2]
SAMPLE = str(ROOT / "host" / "assets" / "sample.jpg")
SEND = ("host.send", SAMPLE, "--port", "sim", "--deadline", "5s")
#: Runs a command on a computer without pseudo-terminals.
WITHOUT_TERMINALS = """
import errno, os, runpy, sys
def openpty():
    raise OSError(errno.ENOENT, os.strerror(errno.ENOENT))
os.openpty = openpty
sys.argv = sys.argv[1:]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""


def run(
    *command: str,
    cwd: Path,
    limit: Callable[[], None] | None = None,
    environment: Mapping[str, str] | None = None,
    start: tuple[str, ...] = ("-m",),
) -> subprocess.CompletedProcess[str]:
    path = {"PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, *start, *command],
        cwd=cwd,
        env=(os.environ if environment is None else environment) | path,
        preexec_fn=limit,
        capture_output=True,
        text=True,
        timeout=pace.seconds(60),
        check=False,
    )


def limited(kind: int, most: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(kind, (most, most))


def is_one_line(ended: subprocess.CompletedProcess[str], command: str) -> bool:
    lines = ended.stderr.splitlines()
    return ended.returncode == 1 and all(line.startswith(f"{command}: ") for line in lines) and bool(lines)


def test_without_a_board_send_needs_no_pseudo_terminals(tmp_path: Path) -> None:
    ended = run(*SEND, cwd=tmp_path, start=("-c", WITHOUT_TERMINALS))
    assert (ended.returncode, "espresso" in ended.stdout) == (0, True), ended.stderr


def test_virtual_boards_of_recv_need_them_and_that_is_said_in_a_line(tmp_path: Path) -> None:
    ended = run("host.recv", "--port", "sim", cwd=tmp_path, start=("-c", WITHOUT_TERMINALS))
    assert (ended.returncode, ended.stdout, ended.stderr) == (
        1,
        "",
        "recv: no pseudo-terminal can be opened: No such file or directory\n",
    )


def test_without_a_board_send_needs_twelve_file_descriptors(tmp_path: Path) -> None:
    ended = run(*SEND, cwd=tmp_path, limit=limited(resource.RLIMIT_NOFILE, 12))
    assert (ended.returncode, "espresso" in ended.stdout) == (0, True), ended.stderr


@pytest.mark.parametrize("descriptors", [6, 7, 8, 9, 10, 12, 14])
@pytest.mark.parametrize("command", [SEND, ("host.recv", "--port", "sim")], ids=["send", "recv"])
def test_with_too_few_descriptors_a_command_ends_in_lines(
    command: tuple[str, ...], descriptors: int, tmp_path: Path
) -> None:
    if command[0] == "host.recv" and descriptors > 10:
        pytest.skip("it may serve")
    ended = run(*command, cwd=tmp_path, limit=limited(resource.RLIMIT_NOFILE, descriptors))
    assert ended.returncode == 0 or is_one_line(ended, command[0].removeprefix("host.")), ended.stderr


@pytest.mark.parametrize("megabytes", [20, 30, 60, 90, 100, 120, 150, 160, 180, 200])
@pytest.mark.parametrize("command", [SEND, ("host.recv", "--port", "sim")], ids=["send", "recv"])
def test_with_next_to_no_memory_a_command_ends_in_lines(
    command: tuple[str, ...], megabytes: int, tmp_path: Path
) -> None:
    ended = run(*command, cwd=tmp_path, limit=limited(resource.RLIMIT_AS, megabytes * 1_000_000))
    of_numpy = "OpenBLAS error: Memory allocation still failed after 10 retries, giving up.\n"  # it ends the process
    assert ended.stderr == of_numpy or is_one_line(ended, command[0].removeprefix("host.")), ended.stderr


@pytest.mark.parametrize("megabytes", [250, 300, 350, 400, 450, 500, 550, 600, 700, 800])
def test_with_too_little_memory_send_ends_in_lines(megabytes: int, tmp_path: Path) -> None:
    ended = run(*SEND, cwd=tmp_path, limit=limited(resource.RLIMIT_AS, megabytes << 20))
    assert ended.returncode == 0 or is_one_line(ended, "send"), ended.stderr


@pytest.mark.parametrize("home", [None, "/nowhere", ""])
def test_without_a_home_send_works(home: str | None, tmp_path: Path) -> None:
    environment = {} if home is None else {"HOME": home}
    ended = run(*SEND, cwd=tmp_path, environment=environment)
    assert (ended.returncode, "espresso" in ended.stdout) == (0, True), ended.stderr


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (MemoryError(), "not enough memory"),
        (OSError(24, "Too many open files", "boards.toml"), "too many open files (`ulimit -n` is the limit)"),
        (OSError(12, "Cannot allocate memory"), "not enough memory"),
        (ImportError("x.so: failed to map segment from shared object"), "not enough memory"),
        (ImportError("libgomp.so: cannot allocate memory in static TLS block"), "not enough memory"),
        (RuntimeError("can't start new thread"), "no more threads can be started"),
    ],
)
def test_a_shortage_is_named(error: BaseException, text: str) -> None:
    assert (shortage(error) or "").startswith(text)


@pytest.mark.parametrize(
    "error", [RuntimeError("a fault"), OSError("no number"), OSError(2, "no file"), ValueError(), ImportError("no x")]
)
def test_another_error_is_no_shortage(error: BaseException) -> None:
    assert shortage(error) is None
