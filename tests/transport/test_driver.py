"""The driver: wakes, ends with its transport, and leaves no task behind."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from host.link.events import Event, Notice
from host.transport.driver import Driver, now_us
from host.transport.transport import TransportError


class Machine:
    """A protocol machine that counts its calls and reports each received line."""

    def __init__(self, wake_after_us: int | None = None) -> None:
        self.ticks = 0
        self._wake_after_us = wake_after_us

    def start(self, _now_us: int) -> None:
        pass

    def receive(self, _now_us: int, data: bytes) -> list[Event]:
        return [Notice(3, data.decode())]

    def tick(self, _now_us: int) -> list[Event]:
        self.ticks += 1
        return []

    def output(self) -> bytes:
        return b""

    def wake_at(self) -> int | None:
        return None if self._wake_after_us is None else now_us() + self._wake_after_us


class Pipe:
    """A transport whose received bytes the test provides."""

    name = "pipe"

    def __init__(self) -> None:
        self.received: asyncio.Queue[bytes | TransportError] = asyncio.Queue()

    async def open(self) -> None:
        pass

    def write(self, _data: bytes) -> None:
        pass

    async def read(self) -> bytes:
        item = await self.received.get()
        if isinstance(item, TransportError):
            raise item
        return item

    async def close(self) -> None:
        pass


def run(test: Coroutine[Any, Any, None]) -> None:
    """Run a test; a hang fails it."""
    asyncio.run(asyncio.wait_for(test, 30))


@pytest.mark.parametrize("wake_after_us", [None, 1_000, 60_000_000])
def test_a_cancelled_driver_leaves_no_task_behind(wake_after_us: int | None) -> None:
    async def test() -> None:
        before = asyncio.all_tasks()
        for _ in range(20):
            running = asyncio.create_task(Driver(Machine(wake_after_us), Pipe(), lambda _event: None).run())
            await asyncio.sleep(0.005)
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
        assert asyncio.all_tasks() == before

    run(test())


def test_a_lost_transport_ends_the_driver_and_leaves_no_task_behind() -> None:
    async def test() -> None:
        before, pipe = asyncio.all_tasks(), Pipe()
        pipe.received.put_nowait(TransportError("pipe: gone"))
        with pytest.raises(TransportError, match="gone"):
            await Driver(Machine(), pipe, lambda _event: None).run()
        assert asyncio.all_tasks() == before

    run(test())


def test_an_error_in_on_event_ends_the_driver() -> None:
    def refuse(_event: Event) -> None:
        raise ValueError("no")

    async def test() -> None:
        pipe = Pipe()
        pipe.received.put_nowait(b"line")
        with pytest.raises(ValueError, match="no"):
            await Driver(Machine(), pipe, refuse).run()

    run(test())


def test_the_machine_acts_when_it_is_due_when_bytes_arrive_and_when_woken() -> None:
    async def test() -> None:
        machine, pipe, events = Machine(), Pipe(), list[Event]()
        driver = Driver(machine, pipe, events.append)
        running = asyncio.create_task(driver.run())
        await asyncio.sleep(0.01)
        assert machine.ticks == 1
        driver.wake()
        await asyncio.sleep(0.01)
        assert machine.ticks == 2
        pipe.received.put_nowait(b"line")
        await asyncio.sleep(0.01)
        assert (events, machine.ticks) == ([Notice(3, "line")], 3)
        running.cancel()

        timed = Machine(wake_after_us=1_000)
        running = asyncio.create_task(Driver(timed, Pipe(), events.append).run())
        while timed.ticks < 5:
            await asyncio.sleep(0.001)
        running.cancel()

    run(test())
