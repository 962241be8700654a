"""Generated files are up to date with their sources."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("command", [["protocol/generate.py"], ["tests/wire/make_vectors.py"]], ids=lambda c: c[-1])
def test_generated_files_are_fresh(command: list[str]) -> None:
    done = subprocess.run([sys.executable, *command, "--check"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
