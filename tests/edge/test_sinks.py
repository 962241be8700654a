"""Sinks: what an application gets of a picture, and that one that hangs or fails costs nothing but its own pictures."""

from __future__ import annotations

import asyncio
import email
import email.policy
import io
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from host.edge.answered import AnsweredPicture
from host.edge.exec_sink import ExecSink
from host.edge.post_sink import PostSink
from host.edge.sink import MOST_WAITING, Sink, SinkError, SinkRunner
from tests import pace

posix_only = pytest.mark.skipif(os.name != "posix", reason="runs shell commands")


def answered(image: int = 17, *, decoded: bool = True, picture: str | None = None) -> AnsweredPicture:
    return AnsweredPicture(
        time="2026-11-29T08:00:00+0000",
        source=1,
        image=image,
        whole=True,
        packets=3,
        bytes=700,
        used_bytes=700,
        channels=3.0,
        interpolated=0.1,
        margin_ms=12.0,
        service_ms=30.0,
        top=((967, 'a "label" $(touch broken); \x1b[31m', 0.75),),
        issues=(),
        picture=picture,
        pixels=np.full((224, 224, 3), (200, 100, 50), np.uint8) if decoded else None,
    )


# A program for each picture


@posix_only
def test_a_program_gets_the_picture_and_the_line_as_files(tmp_path: Path) -> None:
    keep = tmp_path / "keep.sh"
    keep.write_text('#!/bin/sh\ncp "$1" "$3/got.webp" && cp "$2" "$3/got.json"; echo "$1" > "$3/name"\n')
    keep.chmod(0o755)
    ExecSink(f"{keep} {{picture}} {{json}} '{tmp_path}'").deliver(answered())
    with Image.open(tmp_path / "got.webp") as image:
        assert image.format == "WEBP"
        assert image.size == (224, 224)
        assert np.abs(np.asarray(image.convert("RGB")).astype(int) - (200, 100, 50)).max() < 12
    assert json.loads((tmp_path / "got.json").read_text()) == json.loads(json.dumps(answered().as_json()))
    assert not Path((tmp_path / "name").read_text().strip()).exists(), "the files are temporary"
    assert not (tmp_path / "broken").exists()


@posix_only
def test_a_saved_picture_is_named_and_kept_and_one_that_decoded_to_nothing_has_no_name(tmp_path: Path) -> None:
    saved = tmp_path / "saved.png"
    saved.write_bytes(b"")
    sink = ExecSink(f"sh -c 'echo \"<$1>\" >> {tmp_path}/names' - x{{picture}}x")
    sink.deliver(answered(picture=str(saved)))
    sink.deliver(answered(decoded=False))
    assert (tmp_path / "names").read_text() == f"<x{saved}x>\n<xx>\n"
    assert saved.exists()


@posix_only
@pytest.mark.parametrize(
    ("command", "text"),
    [
        ("sh -c 'echo one >&2; echo no space >&2; exit 3'", "--exec sh: it ended with status 3 (no space)"),
        ("false", "--exec false: it ended with status 1"),
        ("sh -c 'kill -9 $$'", "--exec sh: it was ended by signal 9"),
        ("sh -c 'sleep 60 & sleep 60'", "--exec sh: it did not end within 0.3 s and was killed"),
        ("sh -c 'yes >&2'", "--exec sh: it did not end within 0.3 s and was killed"),
    ],
)
def test_a_program_that_fails_or_hangs_is_one_line(command: str, text: str) -> None:
    start_s = time.monotonic()
    with pytest.raises(SinkError) as error:
        ExecSink(command, limit_s=0.3).deliver(answered())
    assert str(error.value) == text
    assert time.monotonic() - start_s < pace.seconds(5)


@pytest.mark.parametrize(
    ("command", "text"),
    [
        ("", "a command is missing"),
        ("no-such-program {picture}", "no-such-program: no such program"),
        ("echo 'open", "No closing quotation"),
    ],
)
def test_a_command_that_cannot_be_run_is_refused_at_the_start(command: str, text: str) -> None:
    with pytest.raises(SinkError, match=text):
        ExecSink(command)


# A web server


class Web:
    """An HTTP server that keeps what it gets and answers as it is told."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []
        self.hang = threading.Event()
        self.hang.set()
        web = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                web.got.append((dict(self.headers), body))
                web.hang.wait(30)
                status = web.answers.pop(0) if web.answers else 204
                if status == -1:
                    self.close_connection = True
                    return
                self.send_response(status)
                self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/pictures?key=secret"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.hang.set()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def web() -> Iterator[Web]:
    server = Web()
    yield server
    server.close()


def parts(headers: dict[str, str], body: bytes) -> dict[str, tuple[str, bytes]]:
    """Return the parts of a form by their names: type and content."""
    head = f"Content-Type: {headers['Content-Type']}\r\n\r\n".encode()
    message = email.message_from_bytes(head + body, policy=email.policy.HTTP)
    found = {}
    for part in message.iter_parts():  # type: ignore[attr-defined]
        name = part.get_param("name", header="content-disposition")
        found[name] = (part.get_content_type(), part.get_payload(decode=True))
    return found


def test_a_web_server_gets_a_form_with_the_line_and_the_picture(web: Web) -> None:
    PostSink(web.url).deliver(answered())
    [(headers, body)] = web.got
    form = parts(headers, body)
    assert set(form) == {"json", "picture"}
    assert form["json"][0] == "application/json"
    assert json.loads(form["json"][1])["top"][0][0] == 967
    assert form["picture"][0] == "image/webp"
    with Image.open(io.BytesIO(form["picture"][1])) as image:
        assert image.size == (224, 224)
    PostSink(web.url).deliver(answered(decoded=False))
    assert set(parts(*web.got[1])) == {"json"}


def test_name_and_password_are_sent_and_not_printed(web: Web) -> None:
    sink = PostSink(web.url.replace("http://", "http://me:p%40ss@"))
    sink.deliver(answered())
    assert web.got[0][0]["Authorization"] == "Basic bWU6cEBzcw=="
    assert "p@ss" not in sink.name
    assert "p%40ss" not in sink.name
    assert "secret" not in sink.name


@pytest.mark.parametrize("first", [500, 503, 429, -1])
def test_what_may_pass_is_tried_again(first: int, web: Web) -> None:
    web.answers = [first, first]
    PostSink(web.url, pauses_s=(0.01, 0.01)).deliver(answered())
    assert len(web.got) == 3
    assert web.got[0][1].count(b"967") == web.got[2][1].count(b"967") == 1


@pytest.mark.parametrize("status", [301, 303, 400, 401, 404, 413])
def test_what_does_not_pass_is_one_line_at_once(status: int, web: Web) -> None:
    web.answers = [status]
    with pytest.raises(SinkError, match=rf"/pictures: the server answers {status}$"):
        PostSink(web.url).deliver(answered())
    assert len(web.got) == 1


def test_a_server_that_hangs_or_is_not_there_is_one_line(web: Web) -> None:
    web.hang.clear()
    with pytest.raises(SinkError, match=r"no answer within 0\.2 s, 2 times: a picture is left out"):
        PostSink(web.url, timeout_s=0.2, pauses_s=(0.01,)).deliver(answered())
    web.close()
    with pytest.raises(SinkError, match=r"Connection refused, 2 times: a picture is left out"):
        PostSink(web.url, timeout_s=0.2, pauses_s=(0.01,)).deliver(answered())


@pytest.mark.parametrize("url", ["", "example.org", "file:///etc/passwd", "http://", "http://host:x/", "http://a\nb/"])
def test_what_is_no_address_is_refused_at_the_start(url: str) -> None:
    with pytest.raises(SinkError, match=r"--post: (not an address|an address begins)"):
        PostSink(url)


# The runner


class Slow:
    """A sink that does what it is told with each picture."""

    name = "slow"

    def __init__(self, act: Callable[[AnsweredPicture], None]) -> None:
        self.act = act
        self.taken: list[int] = []
        self.stopped = threading.Event()

    def deliver(self, answered: AnsweredPicture) -> None:
        self.act(answered)
        self.taken.append(answered.image)

    def abort(self) -> None:
        self.stopped.set()


def run_with(sink: Sink, count: int, wait_s: float = 0.0) -> tuple[list[str], float]:
    """Give so many pictures at once; return the notices, and the longest time that one ``put`` took."""
    notices: list[str] = []

    async def test() -> float:
        longest_s = 0.0
        async with SinkRunner(sink, notices.append) as runner:
            for number in range(count):
                start_s = time.monotonic()
                runner.put(answered(number))
                longest_s = max(longest_s, time.monotonic() - start_s)
            await asyncio.sleep(wait_s)
        return longest_s

    return notices, asyncio.run(test())


def test_pictures_are_delivered_in_their_order_and_before_the_end() -> None:
    sink = Slow(lambda _: time.sleep(0.02))
    notices, longest_s = run_with(sink, MOST_WAITING)
    assert sink.taken == list(range(MOST_WAITING))
    assert notices == []
    assert longest_s < pace.seconds(0.05)


def test_a_sink_that_fails_loses_its_picture_only() -> None:
    def act(picture: AnsweredPicture) -> None:
        if picture.image == 1:
            raise SinkError("slow: no space")
        if picture.image == 2:
            raise RuntimeError("a bug\n")

    sink = Slow(act)
    notices, _ = run_with(sink, 4)
    assert sink.taken == [0, 3]
    assert notices == ["slow: no space", r"slow: RuntimeError: a bug\n"]


def test_a_sink_that_hangs_keeps_the_newest_and_does_not_hold_up_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("host.edge.sink.FINISH_S", 0.3)
    sink = Slow(lambda _: None)
    sink.act = lambda _: sink.stopped.wait(60) and None
    start_s = time.monotonic()
    notices, longest_s = run_with(sink, MOST_WAITING + 5, 0.2)
    assert time.monotonic() - start_s < pace.seconds(3)
    assert longest_s < pace.seconds(0.05)
    assert set(notices[:-1]) == {"slow: too slow for these pictures: some are left out"}
    assert notices[-1] == f"slow: stopped before it had taken {MOST_WAITING + 1} of the pictures"
    assert sink.stopped.is_set()
