"""Run a sender or a receiver on a transport in real time."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Protocol

from ..link.events import Event
from .transport import Transport


class ProtocolMachine(Protocol):
    """The methods that ``Sender`` and ``Receiver`` share. Times in us."""

    def start(self, now_us: int) -> None: ...
    def receive(self, now_us: int, data: bytes) -> list[Event]: ...
    def tick(self, now_us: int) -> list[Event]: ...
    def output(self) -> bytes: ...
    def wake_at(self) -> int | None: ...


def now_us() -> int:
    """Return the driver's clock: monotonic, us."""
    return time.monotonic_ns() // 1000


class Driver:
    """Runs one protocol machine on one transport.

    ``on_event`` is called from the event loop, in order; an exception from it ends ``run``. After changing the
    machine from outside (``submit``, ``answer``) call ``wake``. ``turned_us`` is when ``run`` last let the machine act.
    """

    def __init__(self, machine: ProtocolMachine, transport: Transport, on_event: Callable[[Event], None]) -> None:
        self._machine = machine
        self._transport = transport
        self._on_event = on_event
        self._woken = asyncio.Event()
        self.turned_us = now_us()

    def wake(self) -> None:
        """Let the machine act now."""
        self._woken.set()

    async def run(self) -> None:
        """Run on an open transport until cancelled; TransportError when the transport is lost."""
        self._machine.start(now_us())
        reading = asyncio.create_task(self._read())
        reading.add_done_callback(lambda _task: self.wake())
        try:
            while not reading.done():
                self.turned_us = now_us()
                self._report(self._machine.tick(self.turned_us))
                self._transport.write(self._machine.output())
                await self._wait(self._machine.wake_at())
            reading.result()
        finally:
            reading.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await reading

    async def _read(self) -> None:
        while True:
            data = await self._transport.read()
            self._report(self._machine.receive(now_us(), data))
            self._transport.write(self._machine.output())
            self.wake()  # the machine's next wake-up may have moved

    async def _wait(self, wake_us: int | None) -> None:
        """Wait for ``wake`` or for a time, whichever is first."""
        timeout_s = None if wake_us is None else max(0.0, (wake_us - now_us()) / 1e6)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._woken.wait()
        self._woken.clear()

    def _report(self, events: list[Event]) -> None:
        for event in events:
            self._on_event(event)
