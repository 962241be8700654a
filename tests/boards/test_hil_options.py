"""``pytest tests/hil``: a run cannot pass by skipping, and leaves a report."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from host.sim.world import WorldSettings
from tests import pace
from tests.commands.conftest import Boards
from tests.hil.needs import needs
from tests.hil.rigs.serial import SerialRig

ROOT = Path(__file__).parents[2]
ONE = "tests/hil/test_packets.py::test_both_boards_say_who_they_are"


def hil(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run one test of tests/hil."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ZEPHYR", "BSIM"))}
    environment["PYTHONPATH"] = str(folder)  # a test's plug-ins
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "-p", "no:cacheprovider", "-ra", ONE]
    report = f"--hil-report={folder / 'report.html'}"
    return subprocess.run(
        [*command, *options, report],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=pace.seconds(120),
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


def test_a_missing_bluetooth_stack_is_a_skip_with_a_reason_or_a_failure(tmp_path: Path) -> None:
    (tmp_path / "hide_bumble.py").write_text("import sys\nsys.modules['bumble'] = None\n")
    options = ("--link", "bumble", "-p", "hide_bumble")
    skipped = hil(tmp_path, *options)
    assert skipped.returncode == 0, skipped.stdout
    assert "the package bumble is missing" in skipped.stdout
    failed = hil(tmp_path, *options, "--require-boards")
    assert failed.returncode == 1
    assert "the package bumble is missing" in failed.stdout


def test_a_run_leaves_a_page_and_junit_xml(tmp_path: Path) -> None:
    done = hil(tmp_path, f"--junitxml={tmp_path / 'junit.xml'}")
    assert done.returncode == 0, done.stdout
    page = (tmp_path / "report.html").read_text()
    assert "<h1>Link sim: 1 passed</h1>" in page
    assert "firmware of the camera<td>0.1.0" in page
    assert 'tests="1"' in (tmp_path / "junit.xml").read_text()


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals on Windows")
def test_under_twister_the_board_is_written_first_and_its_port_let_go_of(tmp_path: Path) -> None:
    log = tmp_path / "log"
    (tmp_path / "twister_stand_in.py").write_text(
        "import pathlib\nimport pytest\n"
        f"log = pathlib.Path({str(log)!r})\n"
        "def pytest_addoption(parser):\n    parser.addoption('--twister-harness', action='store_true')\n"
        "class Device:\n    def close(self):\n        log.write_text(log.read_text() + ' closed')\n"
        "@pytest.fixture(scope='session')\ndef dut():\n    log.write_text('written')\n    return Device()\n"
    )
    pair = Boards(WorldSettings())
    try:
        ports = ["--camera", pair.camera, "--edge", pair.edge, "--require-boards"]
        done = hil(tmp_path, "-p", "twister_stand_in", "--twister-harness", "--link", "hil", *ports)
    finally:
        pair.close()
    assert done.returncode == 0, done.stdout
    assert log.read_text() == "written closed"


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals on Windows")
def test_the_link_for_real_boards_takes_any_two_ports(tmp_path: Path) -> None:
    pair = Boards(WorldSettings())
    try:
        ports = ["--camera", pair.camera, "--edge", pair.edge, "--require-boards"]
        done = hil(tmp_path, "--link", "hil", *ports, "tests/hil/test_faults.py", "-k", "cut or say_who or stranger")
    finally:
        pair.close()
    assert done.returncode == 0, done.stdout
    assert "3 passed, 1 skipped" in done.stdout
    assert "to them nobody is a stranger" in done.stdout


def test_boards_whose_port_goes_away_with_a_reset_are_not_reset() -> None:
    assert {"reset", "disconnect"} <= SerialRig("a", "b").has
    assert not {"reset", "disconnect"} & SerialRig("a", "b", keeps_port=False).has


def test_an_unknown_need_is_an_error() -> None:
    with pytest.raises(ValueError, match="no such needs: miracle"):
        needs("miracle")
