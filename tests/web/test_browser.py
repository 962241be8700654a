"""The live page in a real browser: Debian's Chromium, without a screen."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (extra test)")
pytest.importorskip("uvicorn", reason="uvicorn is not installed (extra web)")
pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (extra edge)")

from tests import pace
from tests.commands.conftest import SAMPLE, Boards, boards, line_with, run, started

CHROMIUM = os.environ.get("PNC_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: sudo apt install chromium")
CONTRAST = (Path(__file__).parent / "contrast.js").read_text(encoding="utf-8")
#: What the page's process needs to get ready, ms.
PATIENCE_MS = 30_000
__all__ = ["boards"]


@dataclass
class Watched:
    """A browser's page, and everything that it complained about."""

    page: Any
    complaints: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)

    def watch(self) -> None:
        """Collect errors, failed requests and addresses."""
        self.page.on("console", lambda message: self._note(message.type in ("error", "warning"), message.text))
        self.page.on("pageerror", lambda error: self._note(True, str(error)))
        self.page.on("requestfailed", lambda request: self._note(True, f"{request.url}: {request.failure}"))
        self.page.on("response", lambda answer: self._note(answer.status >= 400, f"{answer.url}: {answer.status}"))
        self.page.on("request", lambda request: self.hosts.add(request.url.split("/")[2]))

    def _note(self, is_bad: bool, text: str) -> None:
        if is_bad:
            self.complaints.append(text)

    def wait(self, script: str, timeout_ms: float = PATIENCE_MS) -> None:
        """Wait until an expression is true in the page. Its policy forbids Playwright's own way to do so."""
        end_s = time.monotonic() + pace.seconds(timeout_ms) / 1000
        while not self.page.evaluate(script):
            assert time.monotonic() < end_s, f"{script} is not true; complaints: {self.complaints}"
            self.page.wait_for_timeout(20)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        # Debian's sandbox needs rights that a container does not have.
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@contextmanager
def watched(browser: Any, **options: Any) -> Iterator[Watched]:
    context = browser.new_context(**options)
    page = Watched(context.new_page())
    page.watch()
    try:
        yield page
    finally:
        context.close()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@contextmanager
def serving(boards: Boards, port: int, cwd: Path) -> Iterator[subprocess.Popen[str]]:
    """Run an edge server with its page."""
    with started("host.recv", "--port", boards.edge, "--web", f"127.0.0.1:{port}", cwd=cwd) as server:
        line_with(server, "page: http")
        yield server


def send(boards: Boards, cwd: Path) -> None:
    ended = run("host.send", SAMPLE, "--port", boards.camera, "--deadline", f"{pace.seconds(2):.1f}s", cwd=cwd)
    assert ended.status == 0, ended.err


def test_a_picture_appears_with_its_class(boards: Boards, browser: Any, tmp_path: Path) -> None:
    port = free_port()
    with serving(boards, port, tmp_path), watched(browser) as view:
        view.page.goto(f"http://127.0.0.1:{port}/")
        view.wait("document.querySelector('.link-text')?.textContent.startsWith('connected')")
        send(boards, tmp_path)
        view.wait("document.querySelector('.classes .label')?.textContent === 'espresso'")
        view.wait("document.querySelector('.picture').naturalWidth === 224")
        view.wait("document.querySelector('.picture').alt.includes('espresso')")
        there, count = view.page.evaluate(
            "[document.querySelectorAll('.ranks .there').length, document.querySelectorAll('.ranks rect').length]"
        )
        assert there == count > 10
        assert view.page.locator(".way .deadline").count() == 1
        view.wait("document.querySelector('.history img')?.naturalWidth === 224")
        assert "dBm" in view.page.locator(".signal").inner_text() or view.page.wait_for_selector("text=dBm")

        # The keyboard alone opens the time line, goes through its packets and closes it.
        for _ in range(20):
            view.page.keyboard.press("Tab")
            if view.page.evaluate("document.activeElement.matches('.history button')"):
                break
        view.page.keyboard.press("Enter")
        view.wait("document.getElementById('detail').open")
        view.wait("document.getElementById('detail-picture').naturalWidth === 224")
        view.page.locator("#detail-revision").focus()
        view.page.keyboard.press("Home")
        label = view.page.locator("#detail-label").inner_text()
        assert label.startswith(f"1 of {count} packets")
        view.wait("document.getElementById('detail-picture').src.endsWith('/rev/1.webp')")
        view.page.keyboard.press("Escape")
        view.wait("!document.getElementById('detail').open")
        assert view.page.evaluate("document.activeElement.matches('.history button')"), "the focus is back"
        assert view.complaints == []
        assert view.hosts == {f"127.0.0.1:{port}"}, "no outside address"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1200])
def test_text_is_legible_everything_is_labelled_and_nothing_is_wider_than_the_screen(
    boards: Boards, browser: Any, tmp_path: Path, scheme: str, width: int
) -> None:
    port = free_port()
    viewport = {"width": width, "height": 900}
    with serving(boards, port, tmp_path), watched(browser, color_scheme=scheme, viewport=viewport) as view:
        view.page.goto(f"http://127.0.0.1:{port}/")
        send(boards, tmp_path)
        view.wait("document.querySelector('.history button') !== null")
        _check_looks(view, least_texts=20)
        view.page.locator(".history button").first.click()
        view.wait("document.getElementById('detail').open")
        _check_looks(view, least_texts=25)
        view.page.locator("#detail-close").click()
        boards.do(lambda world: world.world.connections[0].drop(8))
        view.wait("document.querySelector('.link-text').textContent === 'no connection'")
        _check_looks(view, least_texts=20)
        assert view.complaints == []


def _check_looks(view: Watched, least_texts: int) -> None:
    found = view.page.evaluate(CONTRAST)
    assert found["poor"] == []
    assert found["seen"] >= least_texts
    assert view.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    without_name = view.page.evaluate(
        """[...document.querySelectorAll('button, input, a, img, svg:not([aria-hidden])')]
        .filter((each) => each.checkVisibility() && !(each.getAttribute('aria-label') || each.textContent.trim()
            || each.getAttribute('alt') !== null || each.labels?.length)).map((each) => each.outerHTML)"""
    )
    assert without_name == []
    assert view.page.evaluate("new Set([...document.querySelectorAll('[id]')].map(each => each.id)).size") == (
        view.page.locator("[id]").count()
    )


def test_a_lost_link_shows_within_2_s(boards: Boards, browser: Any, tmp_path: Path) -> None:
    port = free_port()
    with serving(boards, port, tmp_path), watched(browser) as view:
        view.page.goto(f"http://127.0.0.1:{port}/")
        view.wait("document.querySelector('.link-text')?.textContent.startsWith('connected')")
        boards.do(lambda world: world.world.connections[0].drop(8))
        view.wait("document.querySelector('.link-text').textContent === 'no connection'", 2_000)
        boards.do(lambda world: world.world.connections[0].search())
        view.wait("document.querySelector('.link-text').textContent.startsWith('connected')")
        assert view.complaints == []


def test_the_servers_restart_is_survived(boards: Boards, browser: Any, tmp_path: Path) -> None:
    port = free_port()
    with watched(browser) as view:
        with serving(boards, port, tmp_path) as server:
            view.page.goto(f"http://127.0.0.1:{port}/")
            send(boards, tmp_path)
            view.wait("document.querySelectorAll('.camera').length === 1")
            server.send_signal(signal.SIGINT)
            assert server.wait(pace.seconds(20)) == 130
        view.wait("document.getElementById('status').textContent.startsWith('No connection')", 2_000)
        with serving(boards, port, tmp_path):
            view.wait("document.getElementById('status').textContent.startsWith('Serving')")
            view.wait("document.querySelector('.classes').children.length === 0")
            send(boards, tmp_path)
            view.wait("document.querySelector('.classes .label')?.textContent === 'espresso'")


def test_with_a_token_the_address_that_is_printed_is_enough(boards: Boards, browser: Any, tmp_path: Path) -> None:
    with started("host.recv", "--port", boards.edge, "--web", "0.0.0.0:0", cwd=tmp_path) as server:
        address = line_with(server, "page: http").split()[2]
        with watched(browser) as view:
            view.page.goto(address)
            view.wait("document.getElementById('status').textContent.startsWith('Serving')")
            assert "token" not in view.page.url
            assert view.complaints == []
        with watched(browser) as view:
            answer = view.page.goto(address.partition("?")[0])
            assert answer.status == 401
