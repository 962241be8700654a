"""The demo: boards, cameras, server and page in one command."""

from __future__ import annotations

import re
import signal
import socket
import urllib.request
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("uvicorn", reason="uvicorn is not installed (extra web)")
pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (extra edge)")

from host.demo import changing_air, sample_pictures
from tests import pace
from tests.commands.conftest import line_with, run, started


def test_the_demo_shows_pictures_on_its_page_until_it_is_stopped(tmp_path: Path) -> None:
    with started("host.demo", "--web", "127.0.0.1:0", "--log", "log.jsonl", cwd=tmp_path) as demo:
        address = line_with(demo, "page: http").split()[2]
        said = re.search(
            r"2 cameras: the slowest answer took (\d+) ms, the deadline is (\d+) ms$",
            line_with(demo, "slowest").strip(),
        )
        assert said is not None
        assert int(said[2]) >= max(2000, int(said[1]))
        line_with(demo, "serving on")
        with urllib.request.urlopen(f"{address}events", timeout=pace.seconds(60)) as events:
            seen = set[int]()
            for line in events:
                for camera in (0, 1):
                    if f'"camera":{camera},'.encode() in line and b'"outcome":"ok"' in line:
                        seen.add(camera)
                if seen == {0, 1}:
                    break
        demo.send_signal(signal.SIGINT)
        assert demo.wait(pace.seconds(20)) == 130
        assert "demo: stopped" in demo.stderr.read()
    shown = run("host.timeline", "log.jsonl", cwd=tmp_path).out
    assert "camera 0" in shown
    assert "camera 1" in shown


def test_the_demo_ends_by_itself_and_a_bad_file_is_one_line(tmp_path: Path) -> None:
    ended = run("host.demo", "--web", "127.0.0.1:0", "--seconds", "1", "--cameras", "1", cwd=tmp_path)
    assert ended.status == 0, ended.err
    (tmp_path / "text.jpg").write_text("hello")
    ended = run("host.demo", "text.jpg", cwd=tmp_path)
    assert ended.status == 2
    assert len(ended.err.splitlines()) == 1


@pytest.mark.parametrize(("asked", "held"), [("auto", True), ("20ms", False)])
def test_a_deadline_is_measured_or_taken_as_it_is_given(asked: str, held: bool, tmp_path: Path) -> None:
    options = ("--seconds", "0.1", "--cameras", "1", "--deadline", asked)
    ended = run("host.demo", "--web", "127.0.0.1:0", *options, cwd=tmp_path)
    assert ended.status == 0, ended.err
    said = re.search(
        r"slowest answer took (\d+) ms, the deadline is (\d+) ms(?:; (\d+) ms can be held here)?\n", ended.err
    )
    assert said is not None, ended.err
    slowest_ms, deadline_ms = int(said[1]), int(said[2])
    if held:
        assert deadline_ms == pytest.approx(max(300, 50 * -(-1.5 * slowest_ms // 50)), abs=50)
        assert said[3] is None
    else:
        assert deadline_ms == 20
        assert int(said[3]) >= 300


@pytest.mark.parametrize("command", ["demo", "recv"])
def test_a_page_at_a_name_that_nobody_knows_is_one_line_and_the_end(command: str, tmp_path: Path) -> None:
    ended = run(f"host.{command}", "--web", "no-such-host.invalid", cwd=tmp_path)
    assert ended.status == 1
    [line] = ended.err.splitlines()
    assert line == f"{command}: the page cannot be at no-such-host.invalid:8800: this computer knows no such host"


def test_a_port_in_use_ends_the_demo_with_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = run("host.demo", "--web", f"127.0.0.1:{port}", cwd=tmp_path)
    assert ended.status == 1
    [line] = ended.err.splitlines()
    assert line.startswith(f"demo: no page: 127.0.0.1:{port}: the port is in use")


def test_its_pictures_differ_and_its_air_changes() -> None:
    pictures = sample_pictures()
    assert len({picture.tobytes() for picture in pictures}) == len(pictures) > 3
    assert all(picture.shape == (224, 224, 3) and picture.dtype == np.uint8 for picture in pictures)
    air = changing_air()
    assert len({air.at(second * 1_000_000) for second in range(60)}) > 3
