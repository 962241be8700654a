"""The page over HTTP: what it shows, whom it refuses, and that it never harms the program that has started it."""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
import socket
from collections.abc import Coroutine
from typing import Any

import pytest

pytest.importorskip("starlette", reason="starlette is not installed (extra web)")
pytest.importorskip("uvicorn", reason="uvicorn is not installed (extra web)")
pytest.importorskip("prometheus_client", reason="prometheus-client is not installed (extra web)")
pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (extra edge)")

import numpy as np
from PIL import Image

from host.codec import load_picture
from host.errors import Reason
from host.log.entry import Entry
from host.transport.driver import now_us
from host.web import page as page_module
from host.web.address import Address, parse_address
from host.web.page import Page, PageError
from host.web.stream import MOST_VIEWERS
from tests import pace
from tests.commands.conftest import SAMPLE
from tests.web.conftest import Served, picture_entries, served


def live(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(test, pace.seconds(120)))


async def until(page: Served, path: str, text: bytes) -> bytes:
    """Ask for a path until its answer has the text."""
    while text not in (body := (await page.get(path))[2]):
        await asyncio.sleep(0.05)
    return body


def test_a_picture_is_shown_as_json_by_revision_and_in_the_metrics() -> None:
    async def test() -> None:
        async with served() as page:
            page.feed(*picture_entries())
            [picture] = json.loads(await until(page, "/api/pictures", b'"final":true'))
            assert picture["best"] == ["espresso", 0.6]
            assert picture["revision"] == picture["ranks"] > 10
            status, headers, body = await page.get(f"/cam/0/{picture['id']}/rev/{picture['revision']}.webp")
            assert status == 200
            assert "immutable" in headers["cache-control"]
            with Image.open(io.BytesIO(body)) as image:
                shown = np.asarray(image.convert("RGB")).astype(int)
            early = (await page.get(f"/cam/0/{picture['id']}/rev/2.webp"))[2]
            with Image.open(io.BytesIO(early)) as image:
                blurred = np.asarray(image.convert("RGB")).astype(int)
            original = load_picture(SAMPLE).astype(int)
            assert abs(shown - original).mean() < abs(blurred - original).mean() < 60, "it gets sharper"
            for wrong in ("0/99/rev/1", "1/1/rev/1", "0/1/rev/999", "0/1/rev/0"):
                assert (await page.get(f"/cam/{wrong}.webp"))[0] == 404
            metrics = (await page.get("/metrics"))[2].decode()
            assert 'pnc_pictures_total{camera="0",outcome="ok"} 1.0' in metrics
            assert 'pnc_answer_seconds_count{camera="0"} 1.0' in metrics
            assert 'pnc_link_up{camera="0"} 1.0' in metrics

    live(test())


def test_everything_comes_from_the_page_itself() -> None:
    async def test() -> None:
        async with served() as page:
            for path in ("/", "/static/page.css", "/static/page.js", "/static/camera.js", "/static/icon.svg"):
                status, headers, body = await page.get(path)
                assert status == 200
                assert "default-src 'none'" in headers["content-security-policy"]
                assert headers["x-content-type-options"] == "nosniff"
                foreign = body.replace(b"http://www.w3.org/2000/svg", b"")
                assert b"http:" not in foreign
                assert b"https:" not in foreign
            for outside in ("/static/../page.py", "/static/%2e%2e/page.py", "/static/..%2fpage.py", "/docs"):
                assert (await page.get(outside))[0] == 404

    live(test())


def test_other_sites_other_names_and_other_methods_are_refused() -> None:
    async def test() -> None:
        async with served() as page:
            own = f"127.0.0.1:{page.port}"
            refused = [
                ({"Origin": "http://evil.example"}, 403),
                ({"Origin": "null"}, 403),
                ({"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "no-cors"}, 403),
                ({"Host": "evil.example"}, 403),
                ({"Host": ""}, 403),
            ]
            for headers, status in refused:
                assert (await page.get("/api/pictures", **headers))[0] == status, headers
            assert (await page.get("/", method="POST"))[0] == 405
            assert (await page.get("/api/pictures", Origin=f"http://{own}", Host=own))[0] == 200

    live(test())


def test_elsewhere_than_on_loopback_a_token_is_needed() -> None:
    async def test() -> None:
        async with served("0.0.0.0:0") as page:
            token = page.page.token
            assert len(token) > 20
            assert f"?token={token}" in page.page.url
            for path in ("/", "/events", "/metrics", "/api/pictures", "/static/page.js"):
                assert (await page.get(path))[0] == 401
                assert (await page.get(path, Cookie="pnc_token=wrong"))[0] == 401
            status, _, body = await page.get("/?token=wrong")
            assert status == 401
            assert body == b"the token is wrong: open the address that recv printed at its start\n"
            status, headers, _ = await page.get(f"/?token={token}")
            assert status == 303
            assert headers["location"] == "/"
            cookie = headers["set-cookie"]
            assert "HttpOnly" in cookie
            assert "samesite=strict" in cookie.lower()
            assert (await page.get("/", Cookie=cookie.partition(";")[0]))[0] == 200
            assert (await page.get("/metrics", Authorization=f"Bearer {token}"))[0] == 200
            assert (await page.get("/metrics", Authorization="Bearer \xe9"))[0] == 401
            await asyncio.sleep(0.2)
            assert any("wrong token, from 127.0.0.1" in line for line in page.notices)
            assert not any(token in line for line in page.notices if "wrong" in line)

    live(test())


def test_whoever_asks_learns_whether_it_serves_and_no_more() -> None:
    async def test() -> None:
        async with served("0.0.0.0:0") as page:
            assert (await page.get("/health", Host="gateway.example"))[0::2] == (503, b"not serving\n")
            page.feed(*picture_entries())
            while (answer := await page.get("/health"))[0] != 200:
                await asyncio.sleep(0.05)
            assert answer[2] == b"serving\n"
            page.feed(Entry(now_us(), "edge", "port lost", {"text": "/dev/ttyACM7 went away"}))
            while (answer := await page.get("/health"))[0] != 503:
                await asyncio.sleep(0.05)
            assert answer[2] == b"not serving\n"
            assert (await page.get("/health", method="POST"))[0] == 405
            for path in ("/health/", "/healthy", "/health/../metrics", "//health/metrics"):
                assert (await page.get(path))[0] == 401

    live(test())


def test_a_port_in_use_is_one_line() -> None:
    async def test() -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            async with served(f"127.0.0.1:{port}") as page:
                [line] = page.notices
                assert line.startswith(f"no page: 127.0.0.1:{port}: the port is in use")
                assert line.endswith("pictures are answered as before")
                page.feed(*picture_entries())  # goes nowhere, and harms nothing

    live(test())


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a..b", f"{'a' * 64}.invalid"])
def test_a_host_that_does_not_exist_is_an_error_at_the_start(host: str) -> None:
    async def test() -> None:
        notices: list[str] = []
        with pytest.raises(PageError, match="this computer knows no such host") as raised:
            async with Page(parse_address(f"{host}:0"), notices.append):
                pass
        assert f"{host}:0" in str(raised.value)
        assert not notices

    live(test())


def test_a_missing_package_is_said_with_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_module, "NEEDED", ("starlette", "no_such_package"))
    with pytest.raises(PageError, match="needs no_such_package") as raised:
        Page(Address("127.0.0.1", 0), lambda _: None)
    assert raised.value.reason is Reason.MISSING_PACKAGE


def test_a_page_that_dies_is_one_line_and_the_rest_goes_on() -> None:
    async def test() -> None:
        async with served() as page:
            assert page.page._process is not None
            os.kill(page.page._process.pid, signal.SIGKILL)
            while len(page.notices) < 2:
                await asyncio.sleep(0.05)
            assert page.notices[1] == "no page: its process has ended; pictures are answered as before"
            for _ in range(100):
                page.feed(*picture_entries()[:5])

    live(test())


def test_the_page_ends_with_its_program_and_ignores_ctrl_c() -> None:
    async def test() -> None:
        async with served() as page:
            process = page.page._process
            assert process is not None
            os.kill(process.pid, signal.SIGINT)
            await asyncio.sleep(0.3)
            assert (await page.get("/"))[0] == 200
        assert process.returncode == 0

    live(test())


async def _open_stream(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET /events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
    return reader, writer


async def _message(reader: asyncio.StreamReader) -> dict[str, Any]:
    while not (line := await reader.readline()).startswith(b"data: "):
        assert line
    message: dict[str, Any] = json.loads(line[6:])
    return message


def test_viewers_get_what_is_new_and_too_many_are_refused() -> None:
    async def test() -> None:
        async with served() as page:
            streams = [await _open_stream(page.port) for _ in range(MOST_VIEWERS)]
            for reader, _ in streams:
                assert (await reader.readline()).startswith(b"HTTP/1.1 200")
            status, _, body = await page.get("/events")
            assert status == 503
            assert body == f"{MOST_VIEWERS} browsers already follow this page\n".encode()
            page.feed(*picture_entries())
            reader = streams[0][0]
            while not (message := await _message(reader))["cameras"]:
                pass
            assert message["cameras"][0]["picture"]["best"] == ["espresso", 0.6]
            for _, writer in streams[1:]:  # vanish without a word
                writer.transport.abort()
            while (await _message(reader))["viewers"] > 1:
                pass

    live(test())


def test_a_browser_that_reads_nothing_keeps_nobody_waiting() -> None:
    async def test() -> None:
        async with served() as page:
            slow = [await _open_stream(page.port) for _ in range(5)]
            for _, writer in slow:
                writer.transport.pause_reading()  # type: ignore[attr-defined]
            reader, _ = await _open_stream(page.port)
            for image in range(40):
                page.feed(*picture_entries(image))
                await asyncio.sleep(0.02)
            while not (cameras := (await _message(reader))["cameras"]) or cameras[0]["picture"]["image"] != 39:
                pass

    live(test())
