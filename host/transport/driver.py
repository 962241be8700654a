"""Runs a sender or a receiver on a port in real time."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Protocol

from ..link.events import Event
from .transport import Transport


class ProtocolMachine(Protocol):
    """What Sender and Receiver have in common. Times in us."""

    def start(self, now_us: int) -> None: ...
    def receive(self, now_us: int, data: bytes) -> list[Event]: ...
    def tick(self, now_us: int) -> list[Event]: ...
    def output(self) -> bytes: ...
    def wake_at(self) -> int | None: ...


def now_us() -> int:
    """The clock of the runner: monotonic, us."""
    return time.monotonic_ns() // 1000


class Driver:
    """One logic on one port. ``on_event`` is called from the event loop, in order; what it raises ends ``run``.

    After changing the logic from outside (``submit``, ``answer``) call ``wake``.
    """

    def __init__(self, logic: ProtocolMachine, port: Transport, on_event: Callable[[Event], None]) -> None:
        self._logic = logic
        self._port = port
        self._on_event = on_event
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Let the logic act now."""
        self._woken.set()

    async def run(self) -> None:
        """Run on an open port until cancelled; TransportError when the port is lost."""
        self._logic.start(now_us())
        reading = asyncio.create_task(self._read())
        try:
            while not reading.done():
                self._report(self._logic.tick(now_us()))
                self._port.write(self._logic.output())
                wake_us = self._logic.wake_at()
                timeout_s = None if wake_us is None else max(0.0, (wake_us - now_us()) / 1e6)
                await self._wait(timeout_s, reading)
            reading.result()
        finally:
            reading.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await reading

    async def _read(self) -> None:
        while True:
            data = await self._port.read()
            self._report(self._logic.receive(now_us(), data))
            self._port.write(self._logic.output())
            self._woken.set()  # the next wake-up may have moved

    async def _wait(self, timeout_s: float | None, reading: asyncio.Task[None]) -> None:
        woken = asyncio.create_task(self._woken.wait())
        await asyncio.wait({woken, reading}, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        woken.cancel()
        self._woken.clear()

    def _report(self, events: list[Event]) -> None:
        for event in events:
            self._on_event(event)
