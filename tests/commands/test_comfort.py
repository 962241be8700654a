"""What makes the commands pleasant: amounts of output, settings, a measured deadline, colours, completion."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests import pace
from tests.commands.conftest import LIMIT_S, ROOT, SAMPLE, run

SIM = ("--port", "sim")


def ample() -> str:
    return f"{pace.seconds(3):.1f}s"


def test_quiet_prints_results_and_errors_only(folder: Path, tmp_path: Path) -> None:
    ended = run("host.send", folder, *SIM, "-q", "--deadline", ample(), cwd=tmp_path)
    assert (ended.status, ended.err) == (0, "")
    assert len(ended.out.splitlines()) == 3
    failed = run("host.send", tmp_path / "nothing.jpg", *SIM, "--quiet", cwd=tmp_path)
    assert failed.status == 2
    assert failed.err == f"send: {tmp_path}/nothing.jpg: no such file or folder\n"


def test_verbose_prints_what_happens_on_the_link(tmp_path: Path) -> None:
    ended = run("host.send", SAMPLE, *SIM, "-v", "--json", "--deadline", ample(), cwd=tmp_path)
    assert ended.status == 0, ended.err
    assert json.loads(ended.out)["status"] == "ok"
    for text in (
        r"send: board [0-9a-f]+, firmware [0-9.]+",
        r"send: radio link 0 is up: PHY \w+, 247 bytes a packet",
        r"send: the edge server answers: [0-9.]+ ms there and back",
        r"send: image [0-9]+: answer: espresso [0-9]+%, from [0-9]+ packets",
    ):
        assert re.search(text, ended.err), text
    both = run("host.send", SAMPLE, "-v", "-q", cwd=tmp_path)
    assert both.status == 2
    assert "not allowed with argument" in both.err


def test_a_measured_deadline_is_reported_and_held(tmp_path: Path) -> None:
    ended = run("host.send", SAMPLE, *SIM, "--deadline", "auto", "--json", cwd=tmp_path)
    said = re.search(r"the slowest answer took ([0-9]+) ms, so the deadline is ([0-9]+) ms", ended.err)
    assert said is not None, ended.err
    slowest_ms, deadline_ms = float(said[1]), float(said[2])
    assert deadline_ms == pytest.approx(max(300, 50 * -(-1.5 * slowest_ms // 50)), abs=50)
    report = json.loads(ended.out)
    assert report["deadline_ms"] == deadline_ms
    assert report["answer_ms"] is not None


def test_a_settings_file_is_used_and_an_unknown_key_of_it_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "pnc.toml").write_text(f'port = "sim"\nsave = "pictures"\ndeadline = "{ample()}"\ncolour = "red"\n')
    ended = run("host.send", SAMPLE, "--json", cwd=tmp_path)
    assert ended.status == 0, ended.err
    assert json.loads(ended.out)["picture"].startswith("pictures/")
    unknown, used, *_ = ended.err.splitlines()
    assert unknown.startswith("send: pnc.toml: colour: no such setting, it is left out")
    assert used == "send: pnc.toml gives deadline, port, save"
    (tmp_path / "pnc.toml").write_text("port =\n")
    broken = run("host.send", SAMPLE, cwd=tmp_path)
    assert broken.status == 2
    assert len(broken.err.splitlines()) == 1


def on_terminal(*arguments: object, cwd: Path, **environment: str) -> str:
    """Return what a command writes to a terminal."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", **environment},
        stdin=subprocess.DEVNULL,
        stdout=slave,
        stderr=slave,
    )
    os.close(slave)
    output = b""
    try:
        while part := os.read(master, 4096):
            output += part
    except OSError:  # Linux: the other end was closed
        pass
    process.wait(pace.seconds(LIMIT_S))
    os.close(master)
    return output.decode()


def test_errors_and_missed_pictures_are_coloured_on_a_terminal_only(folder: Path, tmp_path: Path) -> None:
    assert "\x1b[31msend: nothing.jpg: no such file" in on_terminal("host.send", "nothing.jpg", cwd=tmp_path)
    plain = on_terminal("host.send", "nothing.jpg", cwd=tmp_path, NO_COLOR="1")
    assert "\x1b" not in plain
    assert "\x1b" not in on_terminal("host.send", "nothing.jpg", cwd=tmp_path, TERM="dumb")
    missed = ("host.send", folder, *SIM, "--deadline", "1ms")
    assert re.search(r"\x1b\[31m\S+: unsent: .*\x1b\[0m", on_terminal(*missed, cwd=tmp_path))
    assert "\x1b" not in "".join([(ended := run(*missed, cwd=tmp_path)).out, ended.err])


def completed(line: str, folder: Path) -> list[str]:
    """Return what a shell gets that wants to complete a command line."""
    pytest.importorskip("argcomplete", reason="argcomplete is not installed (extra completion)")
    answer = folder / "answer"
    done = subprocess.run(
        [sys.executable, "-m", "host.send"],
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "_ARGCOMPLETE": "1",
            "_ARGCOMPLETE_IFS": "\n",
            "_ARGCOMPLETE_STDOUT_FILENAME": str(answer),
            "COMP_LINE": line,
            "COMP_POINT": str(len(line)),
        },
        capture_output=True,
        timeout=pace.seconds(LIMIT_S),
        check=False,
    )
    assert done.stdout == b"", done.stderr
    return [word.strip() for word in answer.read_text().split("\n")]


def test_a_shell_completes_options_and_their_values(tmp_path: Path) -> None:
    (tmp_path / "picture.jpg").touch()
    assert completed("pnc-send --dead", tmp_path) == ["--deadline"]
    assert set(completed("pnc-send --crop ", tmp_path)) == {"whole", "centre", "center"}
    assert completed("pnc-send pict", tmp_path) == ["picture.jpg"]
