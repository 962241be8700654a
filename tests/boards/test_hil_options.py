"""``pytest tests/hil``: a run cannot pass by skipping, and leaves a report."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from host.sim.world import WorldSettings
from tests.commands.conftest import Boards
from tests.hil.needs import needs

ROOT = Path(__file__).parents[2]
ONE = "tests/hil/test_packets.py::test_both_boards_say_who_they_are"


def hil(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run one of its tests."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ZEPHYR", "BSIM"))}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "-p", "no:cacheprovider", "-ra", ONE]
    report = f"--hil-report={folder / 'report.html'}"
    return subprocess.run(
        [*command, *options, report],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize(
    ("link", "why"), [("hil", "a camera and an edge board are needed"), ("bsim", "ZEPHYR_BASE is not set")]
)
def test_missing_boards_are_a_skip_with_a_reason_or_a_failure(link: str, why: str, tmp_path: Path) -> None:
    skipped = hil(tmp_path, "--link", link)
    assert skipped.returncode == 0
    assert "1 skipped" in skipped.stdout
    assert why in skipped.stdout
    failed = hil(tmp_path, "--link", link, "--require-boards")
    assert failed.returncode == 1
    assert why in failed.stdout


def test_a_run_leaves_a_page_and_junit_xml(tmp_path: Path) -> None:
    done = hil(tmp_path, f"--junitxml={tmp_path / 'junit.xml'}")
    assert done.returncode == 0, done.stdout
    page = (tmp_path / "report.html").read_text()
    assert "<h1>Link sim: 1 passed</h1>" in page
    assert "firmware of the camera<td>0.1.0" in page
    assert 'tests="1"' in (tmp_path / "junit.xml").read_text()


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals on Windows")
def test_the_link_for_real_boards_takes_any_two_ports(tmp_path: Path) -> None:
    pair = Boards(WorldSettings())
    try:
        ports = ["--camera", pair.camera, "--edge", pair.edge, "--require-boards"]
        done = hil(tmp_path, "--link", "hil", *ports, "tests/hil/test_faults.py", "-k", "cut or say_who")
    finally:
        pair.close()
    assert done.returncode == 0, done.stdout
    assert "3 passed" in done.stdout


def test_an_unknown_need_is_an_error() -> None:
    with pytest.raises(ValueError, match="no such needs: miracle"):
        needs("miracle")
