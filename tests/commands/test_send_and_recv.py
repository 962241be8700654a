"""A picture crosses the link before its deadline."""

from __future__ import annotations

import json
import re
import signal
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests import pace
from tests.commands.conftest import SAMPLE, Boards, line_with, run, started


def ample() -> str:
    """Return a deadline that the sample meets on this machine."""
    return f"{pace.seconds(2):.1f}s"


def test_send_without_a_board_prints_the_answer_and_saves_the_picture(tmp_path: Path) -> None:
    ended = run("host.send", SAMPLE, "--port", "sim", "--deadline", ample(), cwd=tmp_path)
    assert ended.status == 0, ended.err
    assert ended.err == "send: --port sim: two virtual boards and an edge server run in this process\n"
    assert "espresso" in ended.out
    assert re.search(r"delivered  ([0-9,]+) of \1 bytes \(([0-9]+) of \2 packets\)", ended.out)
    assert "last useful byte after" in ended.out
    [saved] = (tmp_path / "out").glob("*.png")
    assert str(saved.relative_to(tmp_path)) in ended.out
    with Image.open(saved) as picture:
        assert picture.size == (224, 224)


def test_json_is_one_object_a_picture_and_nothing_else(tmp_path: Path, folder: Path) -> None:
    ended = run("host.send", folder, SAMPLE, "--port", "sim", "--deadline", ample(), "--json", cwd=tmp_path)
    assert ended.status == 0, ended.err
    reports = [json.loads(line) for line in ended.out.splitlines()]
    assert [Path(report["file"]).name for report in reports] == ["0.png", "1.png", "2.png", "sample.jpg"]
    for report in reports:
        assert report["status"] == "ok"
        assert report["bytes_delivered"] == report["bytes_encoded"] > 0
        assert 0 < report["last_useful_ms"] < report["answer_ms"] < report["deadline_ms"]
        assert len(report["top"]) == 5
        assert Path(tmp_path, report["picture"]).is_file()


def test_a_slow_link_delivers_the_most_important_part_in_time(tmp_path: Path) -> None:
    deadline_ms = round(pace.seconds(600))
    rate = f"{30 / pace.factor():.1f}kbps"  # the same number of packets by the deadline
    arguments = ["--port", "sim", "--rate", rate, "--deadline", f"{deadline_ms}ms", "--json"]
    ended = run("host.send", SAMPLE, *arguments, cwd=tmp_path)
    report = json.loads(ended.out)
    assert 0 < report["bytes_delivered"] < report["bytes_encoded"]
    assert report["last_useful_ms"] < deadline_ms
    assert report["top"]


def test_recv_and_send_work_as_two_programs_and_keep_what_was_saved(boards: Boards, tmp_path: Path) -> None:
    with started("host.recv", "--port", boards.edge, "--save", "kept", cwd=tmp_path) as server:
        line_with(server, "serving on")
        ended = run("host.send", SAMPLE, "--port", boards.camera, "--deadline", ample(), cwd=tmp_path)
        assert ended.status == 0, ended.err
        assert "espresso" in ended.out
        assert "espresso" in line_with(server, "camera 0", "stdout")
        server.send_signal(signal.SIGINT)
        assert server.wait(pace.seconds(10)) == 130
        assert "recv: stopped" in server.stderr.read()
    [line] = (tmp_path / "kept" / "pictures.jsonl").read_text().splitlines()
    kept = json.loads(line)
    assert kept["top"][0][1] == "espresso"
    assert kept["whole"] is True
    assert (tmp_path / kept["picture"]).is_file()
    assert kept["used_bytes"] == kept["bytes"]
    with Image.open(tmp_path / kept["cell_map"]) as cells:
        assert cells.size == (28, 28)
        assert np.asarray(cells).mean() / 255 == pytest.approx(kept["interpolated"], abs=0.003)
    assert not list((tmp_path / "kept").glob("*.part"))


def test_a_second_run_of_recv_keeps_the_lines_of_the_first(tmp_path: Path) -> None:
    kept = tmp_path / "out" / "pictures.jsonl"
    for count in (1, 2):
        assert run("host.send", SAMPLE, "--port", "sim", "--deadline", ample(), cwd=tmp_path).status == 0
        assert len(kept.read_text().splitlines()) == count


def test_a_reset_edge_server_is_served_again(boards: Boards, tmp_path: Path) -> None:
    with started("host.recv", "--port", boards.edge, cwd=tmp_path) as server:
        line_with(server, "serving on")
        assert run("host.send", SAMPLE, "--port", boards.camera, "--deadline", ample(), cwd=tmp_path).status == 0
        boards.do(lambda world: world.world.reset(world.world.edge))
        line_with(server, "serving on")
        ended = run("host.send", SAMPLE, "--port", boards.camera, "--deadline", ample(), cwd=tmp_path)
        assert ended.status == 0, ended.err
