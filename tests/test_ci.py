"""CI's limit of time is one number wherever it is written, and a run that takes longer fails."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
RUN = (ROOT / ".ci" / "run").read_text()


def number(name: str) -> int:
    (found,) = re.findall(rf"^{name}=([0-9]+)$", RUN, re.MULTILINE)
    return int(found)


def test_the_limits_are_the_same_everywhere() -> None:
    limit_s, most_s = number("limit_s"), number("most_s")
    header = RUN.partition("set -euo")[0].replace("\n# ", " ")
    assert f"fails if it takes longer than {limit_s // 60} minutes" in header
    assert f"but {most_s // 60} minutes at most" in header
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text()
    assert re.findall(r"timeout-minutes: ([0-9]+)", workflow) == [str(most_s // 60)]
    page = " ".join((ROOT / "docs" / "testing.md").read_text().split())
    assert f"takes longer than {limit_s // 60} minutes ({limit_s:,} s)" in page
    assert f"{most_s // 60} minutes at most" in page


@pytest.mark.parametrize(
    ("slower_percent", "taken_s", "status"),
    [(100, 2400, 0), (100, 2401, 1), (120, 2880, 0), (120, 2881, 1), (300, 3480, 0), (300, 3481, 1)],
)
def test_a_run_that_takes_longer_fails(slower_percent: int, taken_s: int, status: int) -> None:
    limit, end = re.findall(r"^limit_s=\d+\nmost_s=\d+$|^allowed_s=[^\n]*limit_s.*?^fi$", RUN, re.MULTILINE | re.DOTALL)
    done = subprocess.run(
        ["bash", "-c", f"{limit}\nslower_percent={slower_percent}\ntaken_s={taken_s}\n{end}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status
    assert len(done.stderr.splitlines()) == status


def test_what_judges_the_service_is_installed() -> None:
    packages = re.findall(r"install_packages ((?:\\\n|[^\n])*)", RUN)
    assert any("systemd" in words.replace("\\\n", " ").split() for words in packages)
