"""What systemd is told, read from its socket: ready, alive while there is progress, stopping."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (extra edge)")
if not hasattr(socket, "AF_UNIX"):
    pytest.skip("there are no Unix sockets", allow_module_level=True)

from host.codec import load
from host.edge.answering import MEASURE_AFTER_US
from host.edge.classifier import Classifier
from host.edge.server import EdgeServer
from host.edge.service_manager import ServiceManager
from host.sim.virtual_boards import virtual_boards
from host.transport.driver import now_us
from host.transport.transport import Transport, TransportError
from tests import pace
from tests.edge.tiny_models import colour_classifier

ROOT = Path(__file__).parents[2]
LIMIT_S = 120


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(tmp_path / "notify"))
        receiver.setblocking(False)
        yield receiver


def environment(receiver: socket.socket, watchdog_s: float | None = None) -> dict[str, str]:
    found = {"NOTIFY_SOCKET": receiver.getsockname()}
    return found if watchdog_s is None else found | {"WATCHDOG_USEC": str(round(watchdog_s * 1e6))}


def said(receiver: socket.socket) -> list[str]:
    texts = []
    while True:
        try:
            texts.append(receiver.recv(4096).decode())
        except BlockingIOError:
            return texts


def test_without_a_manager_nothing_is_said_and_nothing_fails() -> None:
    quiet = ServiceManager({"WATCHDOG_USEC": "1000"})
    quiet.ready("serving")
    assert quiet.watchdog_s is None
    gone = ServiceManager({"NOTIFY_SOCKET": "/nowhere/notify"})
    gone.ready("serving")


@pytest.mark.parametrize(
    ("given", "watchdog_s"),
    [
        ({"WATCHDOG_USEC": "60000000"}, 60),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": str(os.getpid())}, 60),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({}, None),
    ],
)
def test_the_watchdogs_time_is_that_of_the_manager_for_this_process(given: dict[str, str], watchdog_s: Any) -> None:
    assert ServiceManager({"NOTIFY_SOCKET": "/x"} | given).watchdog_s == watchdog_s


def test_the_watchdog_is_fed_while_there_is_progress_and_only_then(manager: socket.socket) -> None:
    async def test() -> None:
        service = ServiceManager(environment(manager, 0.2))
        progress_us = [0]
        async with service.watching(lambda: progress_us[0]):
            await asyncio.sleep(0.3)
            progress_us[0] = time.monotonic_ns() // 1000
            await asyncio.sleep(0.3)
            assert said(manager) == []  # it does not serve yet
            service.ready("serving")
            await asyncio.sleep(0.3)
            assert said(manager)[0] == "READY=1\nSTATUS=serving"
            await asyncio.sleep(0.3)
            assert said(manager) == []  # nothing was done since
            progress_us[0] = time.monotonic_ns() // 1000
            await asyncio.sleep(0.3)
            assert said(manager) == ["WATCHDOG=1"]  # once: nothing was done since
            for _ in range(20):
                progress_us[0] = time.monotonic_ns() // 1000
                await asyncio.sleep(0.05)
            assert len(said(manager)) >= 5
        assert said(manager) == ["STOPPING=1"]

    asyncio.run(test())


class _Jammed:
    """A transport that is lost when ``cut`` is set, and whose next ``open`` never comes to its end.

    ``jammed_us`` is when that ``open`` began.
    """

    def __init__(self, transport: Transport) -> None:
        self.name = transport.name
        self.write = transport.write
        self.close = transport.close
        self.cut = False
        self.jammed_us: int | None = None
        self._transport = transport

    async def open(self) -> None:
        if self.cut:
            self.jammed_us = now_us()
            await asyncio.Event().wait()
        await self._transport.open()

    async def read(self) -> bytes:
        data = await self._transport.read()
        if self.cut:
            raise TransportError(f"{self.name}: lost")
        return data


def test_an_idle_server_makes_progress_and_one_whose_transport_is_stuck_makes_none(tmp_path: Path) -> None:
    async def until(true: Callable[[], bool]) -> None:
        while not true():
            await asyncio.sleep(0.1)

    async def test() -> None:
        async with virtual_boards() as boards:
            jammed = _Jammed(boards[-1])
            server = EdgeServer(jammed, load(), classifier, workers=1)
            assert server.progress_us == 0
            async with server:
                first_us = server.progress_us
                await until(lambda: server.progress_us - first_us > 3_000_000)
                jammed.cut = True
                await until(lambda: jammed.jammed_us is not None)
                # The workers are measured every few seconds: what they reached before the cut may still come to light.
                await asyncio.sleep(2 * MEASURE_AFTER_US / 1e6)
                assert jammed.jammed_us is not None
                assert first_us < server.progress_us <= jammed.jammed_us

    classifier = Classifier("colours", colour_classifier(tmp_path / "colours.onnx"))
    asyncio.run(asyncio.wait_for(test(), pace.seconds(LIMIT_S)))


def test_recv_reports_that_it_serves_and_that_it_stops_within_five_seconds(manager: socket.socket) -> None:
    running = subprocess.Popen(
        [sys.executable, "-m", "host.recv", "--port", "sim"],
        cwd=ROOT,
        env=os.environ | environment(manager, 0.4),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        manager.settimeout(pace.seconds(60))
        ready = manager.recv(4096).decode()
        assert ready.startswith("READY=1\nSTATUS=serving on ")
        assert manager.recv(4096) == b"WATCHDOG=1"
        start_s = time.monotonic()
        running.send_signal(signal.SIGINT)
        while manager.recv(4096) != b"STOPPING=1":
            pass
        assert running.wait(pace.seconds(5)) == 130
        assert time.monotonic() - start_s < pace.seconds(5)
    finally:
        running.kill()
        running.wait()
