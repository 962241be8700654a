"""A save folder in trouble costs the saved pictures, said once for each, and never an answer."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests import pace
from tests.commands.conftest import LIMIT_S, ROOT, SAMPLE, Boards, line_with, run, started
from tests.limits import largest_file

SIM = ("--port", "sim", "--deadline", "5s")


@pytest.fixture(params=["a file in its place", "below a file", "below a device", "of the kernel", "full"])
def trouble(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str, int]:
    """A folder that cannot be saved to, the cause, and the size of the largest file that can be written."""
    (tmp_path / "file").write_text("in the way")
    folder, cause = {
        "a file in its place": ("file", "a file is in its place"),
        "below a file": ("file/out", "Not a directory"),
        "below a device": ("/dev/null/out", "Not a directory"),
        "of the kernel": ("/proc/self/out", ""),  # read-only, also for root
        "full": ("out", "File too large"),
    }[request.param]
    return folder, cause, 200 if request.param == "full" else 1 << 30


def test_send_prints_the_answer_and_why_the_picture_is_not_saved(trouble: tuple[str, str, int], tmp_path: Path) -> None:
    folder, cause, limit = trouble
    with largest_file(limit):
        text = run("host.send", SAMPLE, *SIM, "--save", folder, cwd=tmp_path)
        as_json = run("host.send", SAMPLE, *SIM, "--save", folder, "--json", cwd=tmp_path)
    assert "espresso" in text.out
    assert "picture  " not in text.out
    for ended in (text, as_json):
        assert ended.status == 0, ended.err
        [line] = ended.err.splitlines()[1:]
        assert line.startswith(f"send: {SAMPLE}: not saved: {folder}")
        assert line.endswith(cause)
    report = json.loads(as_json.out)
    assert (report["status"], report["picture"]) == ("ok", None)
    assert [f"send: {notice}" for notice in report["notices"]] == as_json.err.splitlines()[1:]
    assert not list(tmp_path.rglob("*.part"))


def test_each_picture_of_a_stream_has_its_line(folder: Path, tmp_path: Path) -> None:
    ended = run("host.send", folder, *SIM, "--save", "/dev/null", cwd=tmp_path)
    assert ended.status == 0
    assert len(ended.out.splitlines()) == 3
    lines = [line for line in ended.err.splitlines() if "not saved" in line]
    assert sorted(lines) == [
        f"send: {file}: not saved: /dev/null: a file is in its place" for file in sorted(folder.iterdir())
    ]


def test_a_server_says_it_at_the_start_and_for_each_picture(
    trouble: tuple[str, str, int], boards: Boards, tmp_path: Path
) -> None:
    where, cause, limit = trouble
    with largest_file(limit):
        process = started("host.recv", "--port", boards.edge, "--save", where, cwd=tmp_path)
        with process as server:
            if where != "out":  # of a full disk only a picture can tell
                line = line_with(server, "not saved")
                assert line.startswith(f"recv: pictures will be answered, but not saved: {where}")
            line_with(server, "serving on")
            for _ in range(2):
                ended = run("host.send", SAMPLE, "--port", boards.camera, "--deadline", "5s", cwd=tmp_path)
                assert ended.status == 0, ended.err
                assert "espresso" in line_with(server, "camera 0", "stdout")
                line = line_with(server, "not saved").rstrip()
                assert line.startswith("recv: image ")
                assert line.count("not saved") == 1
                assert line.endswith(cause)


def test_two_programs_that_save_into_one_folder_each_name_their_own_picture(tmp_path: Path) -> None:
    shades = {"black": 0, "white": 255}
    processes = {}
    for name, shade in shades.items():
        Image.fromarray(np.full((224, 224, 3), shade, np.uint8)).save(tmp_path / f"{name}.png")
        command = [sys.executable, "-m", "host.send", f"{name}.png", *SIM, "--json"]
        processes[name] = subprocess.Popen(command, cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE)
    saved = {}
    for name, process in processes.items():
        out, _ = process.communicate(timeout=pace.seconds(LIMIT_S))
        report = json.loads(out)
        assert report["notices"] == []
        saved[name] = tmp_path / report["picture"]
        assert abs(np.asarray(Image.open(saved[name])).mean() - shades[name]) < 20
    assert saved["black"] != saved["white"]
    assert len((tmp_path / "out" / "pictures.jsonl").read_text().splitlines()) == 2
