"""``--log``, ``--plot`` and ``--bug-report`` of the programs, and the command ``timeline`` that reads the logs."""

from __future__ import annotations

import json
import signal
import zipfile
from pathlib import Path

import pytest

from tests import pace
from tests.commands.conftest import SAMPLE, Boards, line_with, run, started


def ample() -> str:
    """Return a deadline that the sample meets on this machine."""
    return f"{pace.seconds(2):.1f}s"


def test_one_program_logs_the_whole_way_of_a_picture(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed (extra plot)")
    options = ["--log", "log.jsonl", "--plot", "plot.png", "--bug-report", "bug.zip"]
    ended = run("host.send", SAMPLE, "--port", "sim", "--deadline", ample(), *options, cwd=tmp_path)
    assert ended.status == 0, ended.err
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")
    assert ended.err.splitlines()[-1] == "send: wrote bug.zip: look into it before you publish it"
    with zipfile.ZipFile(tmp_path / "bug.zip") as file:
        assert json.loads(file.read("settings.json"))["port"] == "sim"
        assert file.read("doctor.txt")
    shown = run("host.timeline", "log.jsonl", "--packets", cwd=tmp_path)
    assert shown.status == 0, shown.err
    for word in ("taken", "encoded", "sent", "in the radio", "arrived", "decided", "answer leaves", "answered"):
        assert word in shown.out
    assert "espresso" in shown.out
    [picture] = map(json.loads, run("host.timeline", "log.jsonl", "--json", cwd=tmp_path).out.splitlines())
    assert picture["status"] == "ok"
    for packet in picture["packets"]:
        assert 0 <= packet["sent_ms"] <= packet["in_radio_ms"] <= packet["arrived_ms"] <= picture["decided_ms"]
        assert packet["on_air"] >= 1
    assert picture["encoded_ms"] <= picture["decided_ms"] <= picture["answered_ms"] <= picture["due_ms"]


def test_the_logs_of_two_programs_make_one_time_line(boards: Boards, tmp_path: Path) -> None:
    with started("host.recv", "--port", boards.edge, "--log", "edge.jsonl", cwd=tmp_path) as server:
        line_with(server, "serving on")
        for _ in range(2):
            options = ["--port", boards.camera, "--deadline", ample(), "--log", "camera.jsonl"]
            ended = run("host.send", SAMPLE, *options, cwd=tmp_path)
            assert ended.status == 0, ended.err
        server.send_signal(signal.SIGINT)
        assert server.wait(pace.seconds(10)) == 130
    shown = run("host.timeline", "camera.jsonl", "edge.jsonl", "--json", cwd=tmp_path)
    pictures = [json.loads(line) for line in shown.out.splitlines()]
    assert len(pictures) == 2
    for picture in pictures:
        assert picture["source"] == 0
        assert all(packet["sent_ms"] <= packet["arrived_ms"] for packet in picture["packets"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--log", "no/log.jsonl"], "no/log.jsonl: cannot be written"),
        (["--plot", "plot.jpg"], "plot.jpg: a plot is one of"),
        (["--bug-report", "."], ".: cannot be written|. is a folder"),
    ],
)
def test_a_file_that_cannot_be_written_is_said_before_anything_is_sent(
    options: list[str], message: str, tmp_path: Path
) -> None:
    ended = run("host.send", SAMPLE, "--port", "sim", *options, cwd=tmp_path)
    assert ended.status == 1
    [line] = ended.err.splitlines()
    assert any(part in line for part in message.split("|"))


def test_a_run_that_fails_has_its_bug_report(tmp_path: Path) -> None:
    ended = run("host.send", SAMPLE, "--port", "sim", "--deadline", "1ms", "--bug-report", "bug.zip", cwd=tmp_path)
    assert ended.status == 1
    with zipfile.ZipFile(tmp_path / "bug.zip") as file:
        assert "cannot be met" in file.read("error.txt").decode()


def test_timeline_says_what_is_wrong_with_a_log(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello\n")
    for arguments, message in ((["text"], "no event log"), (["gone"], "cannot be read")):
        ended = run("host.timeline", *arguments, cwd=tmp_path)
        assert ended.status == 1
        [line] = ended.err.splitlines()
        assert message in line
