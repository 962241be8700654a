"""``send`` with sources that do not end by themselves: a camera, a watched folder, standard input."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests import pace
from tests.commands.conftest import LIMIT_S, ROOT, SAMPLE, line_with, run, started

SIM = ("--port", "sim", "--json")


def ample() -> str:
    """Return a deadline that pictures meet on this machine."""
    return f"{pace.seconds(3):.1f}s"


def film(path: Path, count: int, fps: int) -> Path:
    pytest.importorskip("av", reason="PyAV is not installed (extra camera)")
    from tests.camera.films import film as write_film

    return write_film(path, count, fps=fps, size=(320, 240))


def test_a_camera_is_sent_until_so_many_pictures(tmp_path: Path) -> None:
    path = film(tmp_path / "film.avi", 30 * round(pace.factor() + 20), 30)
    command = ["--camera", path, "--count", 3, "--deadline", ample(), "--crop", "centre"]
    ended = run("host.send", *command, *SIM, cwd=tmp_path)
    assert ended.status == 0, ended.err
    reports = [json.loads(line) for line in ended.out.splitlines()]
    assert len(reports) == 3
    assert {report["status"] for report in reports} == {"ok"}
    numbers = [int(report["file"].rpartition(" ")[2]) for report in reports]
    assert numbers == sorted(set(numbers))
    assert numbers[0] > 1, "while the boards connected, newer ones came"
    assert reports[0]["file"].startswith(f"camera {path}, picture ")
    assert "3 of 3 pictures answered in time" in ended.err


def test_a_camera_goes_on_until_ctrl_c_and_counts(tmp_path: Path) -> None:
    path = film(tmp_path / "film.avi", 2000, 20)
    with started("host.send", "--camera", path, "--deadline", ample(), *SIM, cwd=tmp_path) as process:
        for _ in range(3):
            line_with(process, '"status"', "stdout")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=pace.seconds(20))
        assert process.returncode == 130
    assert "pictures answered in time" in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("arguments", "status", "text"),
    [
        (["--camera", "97"], 1, "send: /dev/video97: no such camera"),
        (["--camera", "/dev/null"], 1, "send: /dev/null: no camera (Inappropriate ioctl for device)"),
        (["--camera", "here.txt"], 1, "send: here.txt: no camera (Invalid data found when processing input)"),
        (["--watch", "missing"], 2, "send: missing: cannot be watched (No such file or directory)"),
        (["-", "image.jpg"], 2, "send: - is standard input, and cannot be mixed with files"),
        ([], 2, "send: name each FILE or folder, or give one of -, --watch DIR and --camera"),
        (["image.jpg", "--watch", "."], 2, "send: name each FILE or folder, or give one of"),
        (["image.jpg", "--resolution", "64x64"], 2, "send: --resolution is that of a camera"),
        (["--camera", "--resolution", "64"], 2, "'64' is not a size in pixels"),
        (["--watch", ".", "--count", "0"], 2, "'0' is not a number of at least 1"),
        (["-"], 1, "send: standard input: there is no picture in it"),
    ],
)
def test_what_cannot_be_a_source_is_one_line(arguments: list[str], status: int, text: str, tmp_path: Path) -> None:
    pytest.importorskip("av", reason="PyAV is not installed (extra camera)")
    (tmp_path / "here.txt").write_text("no film")
    ended = run("host.send", *arguments, "--port", "sim", cwd=tmp_path)
    assert ended.status == status
    assert text in ended.err
    assert len(ended.err.splitlines()) == 1, ended.err
    assert ended.out == ""


def test_a_watched_folder_sends_what_is_written_into_it(tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / "old.jpg").write_bytes(SAMPLE.read_bytes())
    command = ["--watch", folder, "--deadline", ample(), "--count", 2, *SIM]
    with started("host.send", *command, cwd=tmp_path) as process:
        line_with(process, "two virtual boards")
        stop = threading.Event()

        def write() -> None:
            for number in range(1000):
                (folder / f"{number:04}.jpg").write_bytes(SAMPLE.read_bytes())
                if stop.wait(0.3):
                    break

        writing = threading.Thread(target=write)
        writing.start()
        try:
            out, err = process.communicate(timeout=pace.seconds(LIMIT_S))
        finally:
            stop.set()
            writing.join()
    assert process.returncode == 0, err
    names = [Path(json.loads(line)["file"]).name for line in out.splitlines()]
    assert len(names) == 2
    assert "old.jpg" not in names
    assert all(json.loads(line)["top"][0][1] == "espresso" for line in out.splitlines())


def piped(data: bytes, *arguments: object, cwd: Path) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "host.send", "-", *map(str, arguments)],
        cwd=cwd,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        input=data,
        capture_output=True,
        timeout=pace.seconds(LIMIT_S),
        check=False,
    )


def test_standard_input_with_one_picture_is_reported_as_a_file_is(tmp_path: Path) -> None:
    done = piped(SAMPLE.read_bytes(), "--port", "sim", "--deadline", ample(), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(b"standard input, picture 1\n  delivered ")
    assert b"espresso" in done.stdout


def test_standard_input_with_no_picture_is_one_line_before_any_board_is_touched(tmp_path: Path) -> None:
    done = piped(b"no picture", "--port", "sim", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr == b"send: standard input, picture 1: not a picture that can be read (no known format)\n"


def test_standard_input_with_mjpeg_sends_the_newest(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "host.send", "-", "--deadline", ample(), "--count", "2", *SIM]
    with subprocess.Popen(
        command,
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        end_s = time.monotonic() + pace.seconds(LIMIT_S)
        while process.poll() is None and time.monotonic() < end_s:
            try:
                process.stdin.write(b"--frame\r\nContent-Type: image/jpeg\r\n\r\n" + SAMPLE.read_bytes())
                process.stdin.flush()
            except BrokenPipeError:
                break
            time.sleep(0.05)
        process.wait(pace.seconds(10))
        out = process.stdout.read() if process.stdout else b""
        err = process.stderr.read() if process.stderr else b""
    assert process.returncode == 0, err
    reports = [json.loads(line) for line in out.splitlines()]
    assert [report["top"][0][1] for report in reports] == ["espresso"] * 2
    assert b"skipped for a newer one" in err
