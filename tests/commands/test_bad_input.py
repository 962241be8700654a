"""Bad input ends in one line on stderr, with status 2 for wrong usage and 1 for failure, no traceback and no hang."""

from __future__ import annotations

import os
import pty
import signal
import struct
import threading
import time
import tty
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from host.link.frames import FrameReader, write_frame
from host.wire import Hello, Kind, Role
from tests import pace
from tests.commands.conftest import SAMPLE, Boards, Ended, line_with, run, started

SIM = ("--port", "sim")


def complains(ended: Ended, status: int, *texts: str) -> None:
    """Check for one line with all the texts, besides the line about virtual boards."""
    lines = [line for line in ended.err.splitlines() if "two virtual boards" not in line]
    assert len(lines) == 1, ended.err
    for text in texts:
        assert text in lines[0]
    assert ended.status == status
    assert "Traceback" not in ended.err


@pytest.mark.parametrize(
    ("arguments", "texts"),
    [
        (["nothing.jpg", *SIM], ["nothing.jpg", "no such file"]),
        ([SAMPLE, *SIM, "--deadline", "0"], ["--deadline", "0 is not between"]),
        ([SAMPLE, *SIM, "--deadline=-5ms"], ["--deadline", "'-5ms' is not a time"]),
        ([SAMPLE, *SIM, "--fast"], ["--fast", "--help"]),
        (SIM, ["FILE", "--help"]),
        ([SAMPLE, *SIM, "--deadline", "soon"], ["--deadline", "'soon' is not a time"]),
        ([SAMPLE, *SIM, "--deadline", "2h"], ["'2h' is not a time"]),
        ([SAMPLE, *SIM, "--deadline", "70s"], ["65.5 s"]),
        ([SAMPLE, *SIM, "--period", "0"], ["--period", "0 is not between"]),
        ([SAMPLE, *SIM, "--connect", "later"], ["--connect", "'later' is not a time"]),
        ([SAMPLE, *SIM, "--max-bytes", "0"], ["--max-bytes", "'0' is not a whole number from 1"]),
        ([SAMPLE, *SIM, "--rate", "fast"], ["'fast' is not a rate"]),
        ([SAMPLE, *SIM, "--rate", "0kbps"], ["is not a rate"]),
        ([SAMPLE, *SIM, "--trace", "none-such"], ["none-such", "heavy, light, none"]),
        ([SAMPLE, "--port", "/dev/null", "--rate", "50kbps"], ["virtual boards", "/dev/null"]),
    ],
)
def test_wrong_usage_is_named(arguments: list[object], texts: list[str], tmp_path: Path) -> None:
    complains(run("host.send", *arguments, cwd=tmp_path), 2, *texts)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("when,what\n0,1\n", "time_s and rate_kbps"),
        ("time_s,rate_kbps\n0,50\n1,a lot\n", "line 3: rate_kbps is 'a lot'"),
        ("time_s,rate_kbps\n5,50\n", "line 2: times must start at 0"),
        ("time_s,rate_kbps,loss\n0,50,1.5\n", "line 2: loss is '1.5'"),
        ("time_s,rate_kbps\n0,-3\n", "line 2: rate_kbps is '-3'"),
        ("time_s,rate_kbps\n", "no lines"),
        ("\0\xff\0", "not a CSV text file"),
    ],
)
def test_a_trace_with_nonsense_is_named_with_its_line(text: str, complaint: str, tmp_path: Path) -> None:
    (tmp_path / "air.csv").write_text(text, encoding="latin-1")
    complains(run("host.send", SAMPLE, *SIM, "--trace", "air.csv", cwd=tmp_path), 2, "air.csv", complaint)


@pytest.mark.parametrize("content", [b"", b"no picture at all", SAMPLE.read_bytes()[:2000]])
def test_a_file_that_is_no_picture_is_named(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "bad.jpg").write_bytes(content)
    complains(run("host.send", "bad.jpg", *SIM, cwd=tmp_path), 1, "bad.jpg")


def test_a_decompression_bomb_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    (tmp_path / "bomb.png").write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )
    complains(run("host.send", "bomb.png", *SIM, cwd=tmp_path), 1, "bomb.png", "3600000000 pixels")


def test_a_bad_file_in_a_folder_is_named_and_the_others_are_sent(tmp_path: Path, folder: Path) -> None:
    (folder / "1a.png").write_bytes(b"junk")
    ended = run("host.send", folder, *SIM, "--deadline", "2s", cwd=tmp_path)
    assert ended.status == 1
    assert "1a.png" in ended.err
    assert "3 of 4 pictures answered in time" in ended.err
    assert len(ended.out.splitlines()) == 3


@pytest.mark.parametrize(
    "arguments",
    [
        ("host.send", "{}.jpg", *SIM),
        ("host.send", SAMPLE, *SIM, "--log", "{}"),
        ("host.send", SAMPLE, *SIM, "--plot", "{}.svg"),
        ("host.send", SAMPLE, *SIM, "--trace", "{}"),
        ("host.recv", *SIM, "--log", "{}"),
        ("host.timeline", "{}"),
        ("host.timeline", "{}.jsonl", "--plot", "{}.svg"),
        ("host.preview", "{}.jpg"),
    ],
    ids=lambda arguments: " ".join(Path(each).name for each in arguments),
)
def test_a_pipe_in_place_of_a_file_is_refused_at_once(arguments: tuple[object, ...], tmp_path: Path) -> None:
    for suffix in ("", ".jpg", ".svg", ".jsonl"):
        os.mkfifo(tmp_path / f"pipe{suffix}")
    given = [str(each).replace("{}", str(tmp_path / "pipe")) for each in arguments]
    ended = run(*given, cwd=tmp_path)
    assert ended.status in (1, 2), ended.err
    [line] = [line for line in ended.err.splitlines() if "virtual boards" not in line]
    assert "it is a pipe, and not a file" in line or "nobody reads it" in line


def test_a_pipe_in_the_archive_costs_its_lines_and_no_answer(boards: Boards, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    os.mkfifo(tmp_path / "out" / "pictures.jsonl")
    with started("host.recv", "--port", boards.edge, "--save", "out", cwd=tmp_path) as server:
        assert "not saved: out: it is a pipe, and not a file" in line_with(server, "not saved")
        line_with(server, "serving on")
        ended = run("host.send", SAMPLE, "--port", boards.camera, "--deadline", "5s", cwd=tmp_path)
        assert ended.status == 0, ended.err
        assert "it is a pipe, and not a file" in line_with(server, "not saved")


def test_a_folder_without_pictures_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    complains(run("host.send", "empty", *SIM, cwd=tmp_path), 2, "empty", "no pictures")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read and write everything")
def test_an_unreadable_picture_is_named(tmp_path: Path) -> None:
    (tmp_path / "secret.jpg").write_bytes(SAMPLE.read_bytes())
    (tmp_path / "secret.jpg").chmod(0)
    complains(run("host.send", "secret.jpg", *SIM, cwd=tmp_path), 1, "secret.jpg")


@pytest.mark.parametrize("command", [("host.send", SAMPLE), ("host.recv",)])
def test_a_missing_port_is_named(command: tuple[object, ...], tmp_path: Path) -> None:
    complains(run(*command, "--port", "/dev/ttyNONE", cwd=tmp_path), 1, "/dev/ttyNONE", "no such port")


def test_a_file_is_no_port(tmp_path: Path) -> None:
    complains(run("host.send", SAMPLE, "--port", str(SAMPLE), cwd=tmp_path), 1, "not a serial port")


def test_a_busy_port_is_named(boards: Boards, tmp_path: Path) -> None:
    with started("host.recv", "--port", boards.edge, cwd=tmp_path) as server:
        line_with(server, "serving on")
        complains(run("host.recv", "--port", boards.edge, cwd=tmp_path), 1, boards.edge, "in use by another program")


def test_a_deadline_below_the_latency_of_the_link_names_the_least(tmp_path: Path) -> None:
    complains(run("host.send", SAMPLE, *SIM, "--deadline", "5ms", cwd=tmp_path), 1, "5 ms cannot be met", "at least")


def test_a_classifier_that_is_no_network_is_named(tmp_path: Path) -> None:
    (tmp_path / "net.onnx").write_bytes(b"not onnx")
    complains(run("host.send", SAMPLE, *SIM, "--classifier", "net.onnx", cwd=tmp_path), 1, "net.onnx")
    complains(run("host.recv", *SIM, "--classifier", "missing.onnx", cwd=tmp_path), 1, "missing.onnx")


def test_an_edge_server_that_is_not_there_is_named(boards: Boards, tmp_path: Path) -> None:
    arguments = [SAMPLE, "--port", boards.camera, "--connect", "2s"]
    complains(run("host.send", *arguments, cwd=tmp_path), 1, "no edge server answered in 2 s", "python -m host.recv")


def test_the_wrong_board_is_named(boards: Boards, tmp_path: Path) -> None:
    complains(run("host.send", SAMPLE, "--port", boards.edge, cwd=tmp_path), 1, "edge board", "camera board")


def test_ctrl_c_ends_at_once_with_one_line(slow_boards: Boards, tmp_path: Path) -> None:
    greeted = slow_boards.host_sends(1)
    with started("host.send", SAMPLE, "--port", slow_boards.camera, cwd=tmp_path) as sender:
        assert greeted.wait(pace.seconds(20))
        sender.send_signal(signal.SIGINT)
        assert sender.wait(pace.seconds(5)) == 130
        assert sender.stderr.read() == "send: stopped\n"


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        (lambda world: world.unplug(0), "went away"),
        (lambda world: setattr(world.world.cameras[0].line, "cut", True), "stopped answering"),
    ],
    ids=["the cable is pulled", "the board falls silent"],
)
def test_a_board_that_goes_away_in_the_middle_is_named(
    fault: Callable[[object], None], text: str, slow_boards: Boards, tmp_path: Path
) -> None:
    with started("host.recv", "--port", slow_boards.edge, "--save", "kept", cwd=tmp_path) as server:
        line_with(server, "serving on")
        sending = slow_boards.host_sends(1500)
        arguments = ["--port", slow_boards.camera, "--deadline", "20s"]
        with started("host.send", SAMPLE, *arguments, cwd=tmp_path) as sender:
            assert sending.wait(pace.seconds(20))
            slow_boards.do(fault)
            start = time.monotonic()
            assert sender.wait(pace.seconds(15)) == 1
            assert time.monotonic() - start < pace.seconds(9)
            err = sender.stderr.read()
    assert err.startswith(f"send: {slow_boards.camera}: ")
    assert text in err
    assert err.count("\n") == 1


class OddBoard:
    """A device on a pseudo-terminal that answers every frame with the same hello."""

    def __init__(self, hello: Hello) -> None:
        self._master, slave = pty.openpty()
        tty.setraw(slave)
        self.port = os.ttyname(slave)
        self._hello = hello
        threading.Thread(target=self._answer, daemon=True).start()

    def _answer(self) -> None:
        reader = FrameReader()
        while data := os.read(self._master, 1000):
            for _ in reader.feed(data):
                os.write(self._master, write_frame(0, self._hello.pack()))


@pytest.fixture
def newer_board() -> OddBoard:
    return OddBoard(Hello(version=9, kind=Kind.BOARD, role=Role.CAMERA, firmware=bytes((4, 5, 6))))


@pytest.mark.parametrize("command", [("host.send", SAMPLE), ("host.recv",)])
def test_a_board_of_another_protocol_version_is_named(
    command: tuple[object, ...], newer_board: OddBoard, tmp_path: Path
) -> None:
    ended = run(*command, "--port", newer_board.port, cwd=tmp_path)
    complains(ended, 1, newer_board.port, "version 9", "firmware 4.5.6", "make flash")


def test_a_port_without_a_board_is_named_within_two_seconds(tmp_path: Path) -> None:
    master, slave = pty.openpty()
    ended = run("host.send", SAMPLE, "--port", os.ttyname(slave), cwd=tmp_path)
    os.close(master)
    complains(ended, 1, "no board answered")
    assert ended.took_s < pace.seconds(10)
