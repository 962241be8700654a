"""``recv --exec`` and ``--post``: the application gets every picture, and one that hangs or fails costs no answer."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from tests import pace
from tests.commands.conftest import SAMPLE, Boards, line_with, run, started
from tests.edge.test_sinks import Web, parts


def send(boards: Boards, folder: Path, count: int = 2) -> None:
    """Send pictures, which are answered in time."""
    ended = run("host.send", *[SAMPLE] * count, "--port", boards.camera, "--deadline", "5s", cwd=folder)
    assert ended.status == 0, ended.err
    assert "espresso" in ended.out


def wait_for(condition: object, within_s: float = 20) -> None:
    end_s = time.monotonic() + pace.seconds(within_s)
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end_s
        time.sleep(0.05)


def test_a_program_and_a_web_server_get_the_pictures(boards: Boards, tmp_path: Path) -> None:
    web = Web()
    command = f'sh -c \'cat "$1" >> {tmp_path}/lines; cp "$0" {tmp_path}/last.webp\' {{picture}} {{json}}'
    with started("host.recv", "--port", boards.edge, "--exec", command, "--post", web.url, cwd=tmp_path) as server:
        line_with(server, "serving on")
        send(boards, tmp_path)
        wait_for(lambda: len(web.got) == 2 and (tmp_path / "lines").is_file())
        wait_for(lambda: len((tmp_path / "lines").read_text().splitlines()) == 2)
    lines = [json.loads(line) for line in (tmp_path / "lines").read_text().splitlines()]
    assert [line["top"][0][1] for line in lines] == ["espresso"] * 2
    assert (tmp_path / "last.webp").read_bytes()[8:12] == b"WEBP"
    assert [json.loads(parts(*got)["json"][1])["image"] for got in web.got] == [line["image"] for line in lines]
    web.close()


def test_sinks_that_hang_or_fail_cost_no_answer(boards: Boards, tmp_path: Path) -> None:
    options = ["--exec", "sleep 60", "--exec", "false", "--post", "http://127.0.0.1:9/"]
    with started("host.recv", "--port", boards.edge, *options, cwd=tmp_path) as server:
        line_with(server, "serving on")
        send(boards, tmp_path, 4)
        assert "recv: --exec false: it ended with status 1" in line_with(server, "--exec false")
        assert "Connection refused, 3 times: a picture is left out" in line_with(server, "--post")
        send(boards, tmp_path, 4)
        start_s = time.monotonic()
        server.send_signal(2)
        assert server.wait(pace.seconds(20)) == 130
        assert time.monotonic() - start_s < pace.seconds(10)
        said = server.stderr.read() if server.stderr else ""
    assert "recv: --exec sleep: stopped before it had taken" in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("option", "text"),
    [
        (["--exec", "no-such-program {json}"], "recv: --exec: no-such-program: no such program"),
        (["--post", "example.org"], "recv: --post: an address begins with http:// or https://"),
    ],
)
def test_a_sink_that_cannot_be_is_refused_at_the_start(option: list[str], text: str, tmp_path: Path) -> None:
    ended = run("host.recv", "--port", "sim", *option, cwd=tmp_path)
    assert ended.status == 2
    assert ended.err.splitlines() == [text]
