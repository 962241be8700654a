"""CI's limit of time is one number wherever it is written, and a run that takes longer fails."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
RUN = (ROOT / ".ci" / "run").read_text()


def test_the_limit_is_the_same_everywhere() -> None:
    (limit_s,) = re.findall(r"^limit_s=([0-9]+)$", RUN, re.MULTILINE)
    minutes = int(limit_s) // 60
    header = RUN.partition("set -euo")[0].replace("\n# ", " ")
    assert f"fails if it takes longer than {minutes} minutes" in header
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text()
    assert re.findall(r"timeout-minutes: ([0-9]+)", workflow) == [str(minutes)]
    page = " ".join((ROOT / "docs" / "testing.md").read_text().split())
    assert f"takes longer than {minutes} minutes ({int(limit_s):,} s)" in page


@pytest.mark.parametrize(("taken_s", "status"), [(2400, 0), (2401, 1)])
def test_a_run_that_takes_longer_fails(taken_s: int, status: int) -> None:
    limit, end = re.findall(r"^limit_s=\d+$|^if \(\(taken_s.*?^fi$", RUN, re.MULTILINE | re.DOTALL)
    done = subprocess.run(
        ["bash", "-c", f"{limit}\ntaken_s={taken_s}\n{end}"], capture_output=True, text=True, check=False
    )
    assert done.returncode == status
    assert len(done.stderr.splitlines()) == status


def test_what_judges_the_service_is_installed() -> None:
    packages = re.findall(r"install_packages ((?:\\\n|[^\n])*)", RUN)
    assert any("systemd" in words.replace("\\\n", " ").split() for words in packages)
