"""Ctrl-C while a command is still importing what it needs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests import pace

ROOT = Path(__file__).parents[2]
COMMANDS = ("bench", "boards", "evaluate", "recv", "reference", "send", "simulate", "train")
LIMIT_S = 60
#: Stands where numpy is looked for: Ctrl-C comes while it is imported.
STOPPED = "import os, signal\nos.kill(os.getpid(), signal.SIGINT)\nraise SystemExit(7)\n"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "numpy.py").write_text(STOPPED)
    return os.environ | {"PYTHONPATH": str(tmp_path)}


@pytest.mark.parametrize("name", COMMANDS)
def test_it_ends_at_once_without_a_word(name: str, environment: dict[str, str]) -> None:
    command = [sys.executable, "-m", f"host.{name}"]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=pace.seconds(LIMIT_S), check=False
    )
    # A shell says 130.
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")


def test_these_are_all_commands() -> None:
    found = {path.stem for path in (ROOT / "host").glob("*.py") if '__name__ == "__main__"' in path.read_text()}
    assert found == set(COMMANDS)


def test_what_is_started_to_ignore_it_ignores_it(environment: dict[str, str]) -> None:
    command = ["sh", "-c", "trap '' INT; exec \"$0\" -m host.boards", sys.executable]
    done = subprocess.run(command, cwd=ROOT, env=environment, timeout=pace.seconds(LIMIT_S), check=False)
    assert done.returncode == 7


def test_who_imports_a_command_keeps_python_s_own_way() -> None:
    program = "import signal, host.send; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"
