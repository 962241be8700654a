"""A Zephyr that was downloaded into the checkout is neither committed nor linted (docs/zephyr.md)."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
NAMES = ("zephyr", "modules", "bootloader", "tools", ".west")
BAD = "import os, sys\n"


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_what_west_downloads_is_ignored_by_git_and_by_the_linter(tmp_path: Path) -> None:
    for name in (".gitignore", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    for name in NAMES:
        (tmp_path / name).mkdir()
        (tmp_path / name / "bad.py").write_text(BAD)
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    command = ["git", "status", "--porcelain", "--untracked-files=all"]
    status = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert status.stdout.splitlines() == ["?? .gitignore", "?? pyproject.toml"]
    lint = [sys.executable, "-m", "ruff", "check", "."]
    assert subprocess.run(lint, cwd=tmp_path, capture_output=True, check=False).returncode == 0
    (tmp_path / "bad.py").write_text(BAD)
    assert subprocess.run(lint, cwd=tmp_path, capture_output=True, check=False).returncode == 1
