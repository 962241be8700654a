"""A server whose parts all hang still ends within 5 s of Ctrl-C."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from host import recv
from host.board.ble_edge import BleEdgeTransport
from host.camera.camera import Camera
from host.codec import load
from host.transport.ble import Bluetooth
from host.transport.driver import now_us
from tests import pace
from tests.ble.air import Air
from tests.ble.scene import adapter, camera_on, live

#: What docs/gateway.md promises, and what a service manager waits.
STOP_S = 5.0


def limit_s(reference_s: float) -> float:
    """Return a limit for waits that are not longer on a slow machine, and for the computing beside them, which is."""
    return reference_s + (pace.factor() - 1) / 2


def hanging(bluetooth: Bluetooth) -> Bluetooth:
    """Return back ends whose client answers no request to end anything, as BlueZ when it hangs."""

    class Hanging(bluetooth.client):  # type: ignore[misc, name-defined]
        async def disconnect(self) -> None:
            await asyncio.Event().wait()

        async def stop_notify(self, *_arguments: Any) -> None:
            await asyncio.Event().wait()

    return Bluetooth(bluetooth.scanner, Hanging)


class Classifier:
    """Hangs with every picture that is not grey."""

    def __init__(self) -> None:
        self.release = threading.Event()
        self.hangs = threading.Event()
        self.quick = 1

    def top(self, picture: np.ndarray, _k: int = 5) -> list[tuple[int, str, float]]:
        if picture.std() > 20:
            self.quick -= 1
            if self.quick < 0:
                self.hangs.set()
                self.release.wait(60)
        return [(1, "cat", 0.5)]


def test_sinks_workers_and_bluetooth_that_hang_end_within_one_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    classifier = Classifier()
    monkeypatch.setattr(recv, "load_classifier", lambda _name: classifier)
    started = tmp_path / "started"
    sinks = [f"sh -c 'echo >> {started}; sleep 60'"] * 3
    options = ["--ble", "--pair", "--workers", "2", "--save", str(tmp_path / "out")]
    arguments = recv.parser().parse_args([*options, *(word for sink in sinks for word in ("--exec", sink))])
    noise = np.random.default_rng(1).integers(0, 256, (28, 28, 3), np.uint8).repeat(8, 0).repeat(8, 1)
    packets = load().encode(noise)

    async def test() -> float:
        air = Air()
        async with camera_on(air) as board:
            serving = asyncio.create_task(recv.recv(arguments, hanging(await adapter(air))))
            async with Camera(board.transport) as camera:
                await camera.connect(pace.seconds(20))
                await camera.send(packets, now_us() + pace.deadline_us(3_000_000))
                while not started.is_file() or started.read_text().count("\n") < 3:
                    assert not serving.done(), f"recv ended: {serving}"
                    await asyncio.sleep(0.05)
                sending = asyncio.create_task(camera.send(packets, now_us() + pace.deadline_us(3_000_000)))
                while not classifier.hangs.is_set():
                    await asyncio.sleep(0.01)
                start_s = time.monotonic()
                serving.cancel()
                await asyncio.wait({serving})
                took_s = time.monotonic() - start_s
                sending.cancel()
                await asyncio.gather(sending, return_exceptions=True)
            return took_s

    try:
        assert live(test()) < limit_s(STOP_S)
    finally:
        classifier.release.set()


def test_a_connection_that_nobody_ends_is_given_up() -> None:
    async def test() -> float:
        air = Air()
        async with camera_on(air):
            notices: list[object] = []
            transport = BleEdgeTransport(
                "", on_notice=notices.append, bluetooth=hanging(await adapter(air)), scan_s=0.3, pair=True
            )
            await transport.open()
            while not any("connected to" in str(notice) for notice in notices):
                await asyncio.sleep(0.02)
            start_s = time.monotonic()
            await transport.close()
            return time.monotonic() - start_s

    assert live(test()) < limit_s(2.5)
