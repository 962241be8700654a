"""The command ``recv`` with a classifier that hangs."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from tests import pace
from tests.commands.conftest import SAMPLE, Boards, line_with, run, started
from tests.commands.test_send_and_recv import ample

#: ``recv`` with a classifier that hangs at one call, counted from the first that is not a warm-up.
HANGING = """
import sys, time
from host.edge import answering, classifier
from host.recv import main

top, calls = classifier.Classifier.top, 0

def hang(self, picture, k=5):
    global calls
    calls += picture.std() > 20  # not the grey picture
    if calls == {call}:
        calls += 1
        time.sleep({seconds})
    return top(self, picture, k)

classifier.Classifier.top = hang
from host.cli.command import run_command
sys.exit(run_command("recv", main))
"""


@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_ends_it_at_once_while_a_classifier_hangs(workers: int, boards: Boards, tmp_path: Path) -> None:
    (tmp_path / "hanging.py").write_text(HANGING.format(call=1, seconds=1000))
    with started("hanging", "--port", boards.edge, "--workers", workers, cwd=tmp_path) as server:
        line_with(server, "serving on")
        run("host.send", SAMPLE, "--port", boards.camera, "--deadline", "500ms", cwd=tmp_path)
        start_s = time.monotonic()
        server.send_signal(signal.SIGINT)
        assert server.wait(pace.seconds(10)) == 130
        assert time.monotonic() - start_s < pace.seconds(3)


def test_after_a_classifier_took_nine_seconds_once_the_next_pictures_are_answered(
    boards: Boards, tmp_path: Path
) -> None:
    (tmp_path / "hanging.py").write_text(HANGING.format(call=2, seconds=9))
    send = ["host.send", SAMPLE, "--port", boards.camera, "--deadline", ample()]
    with started("hanging", "--port", boards.edge, cwd=tmp_path) as server:
        line_with(server, "serving on")
        assert run(*send, cwd=tmp_path).status == 0
        run(*send, cwd=tmp_path)  # this one may have a provisional answer, or none
        for _ in range(3):
            ended = run(*send, cwd=tmp_path)
            assert ended.status == 0, ended.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--workers", "0"], "'0' is not a number from 1 to 64"),
        (["--workers", "many"], "'many' is not a number from 1 to 64"),
        (["--sure", "0"], "'0' is not a number above 0 and at most 1"),
        (["--sure", "nan"], "'nan' is not a number above 0 and at most 1"),
        (["--sure", "1.1"], "'1.1' is not a number above 0 and at most 1"),
    ],
)
def test_a_wrong_number_is_refused_in_one_line(arguments: list[str], said: str, tmp_path: Path) -> None:
    ended = run("host.recv", *arguments, cwd=tmp_path)
    assert ended.status == 2
    assert said in ended.err
    assert len(ended.err.splitlines()) == 1


def test_a_classifier_without_a_calibration_cannot_be_sure(tmp_path: Path) -> None:
    pytest.importorskip("onnx", reason="onnx is not installed (extra evaluate)")
    from tests.edge.tiny_models import colour_classifier

    file = colour_classifier(tmp_path / "colours.onnx")
    ended = run("host.recv", "--port", "sim", "--classifier", str(file), "--sure", "0.9", cwd=tmp_path)
    assert ended.status == 1
    assert f"{file} is not calibrated" in ended.err
    assert len(ended.err.splitlines()) == 1
