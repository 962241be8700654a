"""Commands whose output takes only the characters of an old code page of Windows, and refuses all others."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from host.cli.start import COMMANDS
from tests import pace
from tests.commands.conftest import LIMIT_S, ROOT, SAMPLE

#: Of Windows in Western Europe, and of its console. Python refuses what they lack, unless told otherwise.
PAGES = ["cp1252", "cp437"]
#: Their characters are in none of the code pages, in one of them, and in both.
NAMES = ("花.jpg", "œuf.jpg", "café.jpg")


def run_on(page: str, *arguments: object, cwd: Path) -> tuple[int, str, str]:
    """Run ``python -m …`` with output in a code page; return its status, stdout and stderr."""
    done = subprocess.run(
        [sys.executable, "-m", *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": f"{page}:strict"},
        capture_output=True,
        timeout=pace.seconds(LIMIT_S),
        check=False,
    )
    return done.returncode, done.stdout.decode(page), done.stderr.decode(page)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("name", COMMANDS)
def test_help_is_printed(name: str, page: str, tmp_path: Path) -> None:
    status, out, err = run_on(page, f"host.{name}", "--help", cwd=tmp_path)
    assert (status, err) == (0, "")
    assert out.startswith("usage: ")


@pytest.mark.parametrize("page", PAGES)
def test_pictures_are_sent_saved_and_reported_whatever_their_names(page: str, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (extra edge)")
    for name in NAMES:
        (tmp_path / name).write_bytes(SAMPLE.read_bytes())
    (tmp_path / "花.txt").write_text("no picture", encoding="utf-8")
    options = ["--port", "sim", "--deadline", f"{pace.seconds(5):.1f}s"]
    status, out, err = run_on(page, "host.send", *NAMES, "花.txt", *options, cwd=tmp_path)
    assert "Traceback" not in err
    assert status == 1  # for the file that is no picture
    lines = [line for line in out.splitlines() if "espresso" in line]
    shown = [name.encode(page, "backslashreplace").decode(page) for name in NAMES]
    assert [line.partition(":")[0] for line in lines] == shown
    assert any(line.startswith("\\u82b1.txt") or "\\u82b1.txt" in line for line in (out + err).splitlines())
