"""The examples of docs/api.md, run as programs of a user: in a folder with a host.py and a protocol/ of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (extra edge)")

from tests.commands.conftest import LIMIT_S, SAMPLE, Boards, boards, line_with, run  # noqa: F401

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs" / "examples"
#: Without it the checkout's own folder would be found: only what is installed is.
ENVIRONMENT = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
#: Runs a program and reports afterwards whether a module of that name was imported.
WATCHED = """
import runpy, sys
sys.argv.pop(0)
runpy.run_path(sys.argv[0], run_name="__main__")
assert not {"host", "protocol"} & set(sys.modules), "a module of the user's folder was imported"
assert "pnc_link" in sys.modules
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A user's folder, whose own modules have the names of two of our folders."""
    (tmp_path / "host.py").write_text("raise SystemExit('the wrong host')\n")
    (tmp_path / "protocol").mkdir()
    (tmp_path / "protocol" / "__init__.py").write_text("raise SystemExit('the wrong protocol')\n")
    return tmp_path


def example(name: str, *arguments: object, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", WATCHED, str(EXAMPLES / f"{name}.py"), *map(str, arguments)],
        cwd=folder,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )


def test_a_camera_and_an_edge_server_in_one_program(project: Path) -> None:
    done = example("camera", SAMPLE, folder=project)
    assert done.returncode == 0, done.stderr
    first, best, *_ = done.stdout.splitlines()
    assert re.fullmatch(r"([0-9]+) of \1 bytes arrived in time", first)
    assert best.endswith("  espresso")


def test_an_error_has_a_line_and_a_reason(project: Path) -> None:
    done = example("camera", "missing.jpg", folder=project)
    assert done.returncode == 1
    assert re.fullmatch(r"missing\.jpg: no such file \([a-z ]+\)\n", done.stderr)


def test_an_edge_server_iterates_over_answered_pictures(project: Path, boards: Boards) -> None:  # noqa: F811
    server = subprocess.Popen(
        [sys.executable, "-c", WATCHED, str(EXAMPLES / "edge_server.py"), boards.edge, "1"],
        cwd=project,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        ended = run("host.send", SAMPLE, "--port", boards.camera, "--deadline", "2s", cwd=ROOT / "docs")
        assert ended.status == 0, ended.err
        assert "espresso" in line_with(server, "camera 0", "stdout")
        assert server.wait(LIMIT_S) == 0, server.stderr.read() if server.stderr else ""
    finally:
        server.kill()
        server.communicate()


def test_the_codec_alone(project: Path) -> None:
    done = example("codec", SAMPLE, 1000, "decoded.png", folder=project)
    assert done.returncode == 0, done.stderr
    match = re.fullmatch(r"([0-9]+) of ([0-9]+) packets, ([0-9]+) bytes\n", done.stdout)
    assert match is not None
    assert int(match[1]) < int(match[2])
    assert 500 < int(match[3]) <= 1000
    with Image.open(project / "decoded.png") as picture:
        assert picture.size == (224, 224)


def test_an_installed_command_runs_beside_modules_of_those_names(project: Path) -> None:
    script = Path(sys.executable).with_name("pnc-send")
    if not script.exists():
        pytest.skip("the package's scripts are not installed")
    done = subprocess.run(
        [script, str(SAMPLE), "--port", "sim", "--deadline", "2s"],
        cwd=project,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "espresso" in done.stdout
