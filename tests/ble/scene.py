"""A camera board, this computer's adapter and programs at both ends, on one modelled air."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, TypeVar

from host.board.ble_edge import BleEdgeTransport
from host.errors import PncError
from host.link.events import Event, ImageCollected
from host.link.receiver import Receiver
from host.transport.ble import Bluetooth
from host.transport.driver import Driver, now_us
from tests import pace
from tests.ble.air import Air, new_device
from tests.ble.camera import BumbleCamera
from tests.ble.central import bluetooth_on

T = TypeVar("T")
#: True if the environment selects BlueZ instead of Bumble's host (docs/hil.md).
ON_BLUEZ = bool(os.environ.get("PNC_BLUEZ"))
#: Time limit of a test on the reference machine; a test that takes longer hangs.
HANG_S = 40
CAMERA_ADDRESS = "C0:00:00:00:00:01"
OTHER_ADDRESS = "C0:00:00:00:00:02"
_LAPTOP_ADDRESS = "C0:00:00:00:00:FF"


def scan_s() -> float:
    """Return the duration of a scan. Boards advertise every 25 ms without other traffic; BlueZ starts slowly."""
    return pace.seconds(3.0 if ON_BLUEZ else 0.3)


def live(test: Coroutine[Any, Any, T]) -> T:
    """Run a test in real time; a hang fails it."""

    async def limited() -> T:
        try:
            async with asyncio.timeout(pace.seconds(HANG_S)):
                return await test
        finally:
            await adapter_off()

    return asyncio.run(limited())


@asynccontextmanager
async def camera_on(air: Air, **options: Any) -> AsyncIterator[BumbleCamera]:
    """Run a camera board that advertises."""
    camera = await BumbleCamera.make(air, **options)
    try:
        yield camera
    finally:
        await camera.close()


async def adapter(air: Air) -> Bluetooth:
    """Return this computer's Bluetooth, until ``adapter_off``."""
    if ON_BLUEZ:
        from tests.ble.bluez import bluez_on

        await bluez_on(air)
        return Bluetooth()
    return bluetooth_on(await new_device(air, "laptop", _LAPTOP_ADDRESS))


async def adapter_off() -> None:
    """Remove the adapter if it is one of the computer."""
    if ON_BLUEZ:
        from tests.ble.bluez import bluez_off

        await bluez_off()


async def adapter_forgets(bluetooth: Bluetooth) -> None:
    """Delete the bonds of this computer."""
    if ON_BLUEZ:
        from tests.ble.bluez import forget_all

        await forget_all()
    else:
        await bluetooth.client.bumble.keystore.delete_all()


class Edge:
    """An edge server that answers every picture at once. It keeps the images of final answers, notices and events."""

    def __init__(self, bluetooth: Bluetooth, *selectors: str, pair: bool = True) -> None:
        self.collected: list[ImageCollected] = []
        self.notices: list[str | PncError] = []
        self.events: list[Event] = []
        self.transport = BleEdgeTransport(
            *selectors,
            on_notice=self.notices.append,
            bluetooth=bluetooth,
            scan_s=scan_s(),
            back_off_s=(0.02, 0.05),
            pair=pair,
        )
        self._receiver = Receiver(nonce=7, service_us=1000)
        self._driver = Driver(self._receiver, self.transport, self._on_event)

    async def run(self) -> None:
        """Run on an open transport until cancelled."""
        await self._driver.run()

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait until a condition is true."""
        while not true():
            await asyncio.sleep(0.005)

    async def noticed(self, text: str) -> str | PncError:
        """Wait for a notice with a text in it."""
        await self.until(lambda: any(text in str(notice) for notice in self.notices))
        return next(notice for notice in self.notices if text in str(notice))

    def _on_event(self, event: Event) -> None:
        self.events.append(event)
        if isinstance(event, ImageCollected):
            if event.final:
                self.collected.append(event)
            used = [packet.rank for packet in event.packets]
            self._receiver.answer(now_us(), event, [(1, "one", 0.5)], service_us=10, used=used)
            self._driver.wake()


@asynccontextmanager
async def edge_on(air: Air, *selectors: str) -> AsyncIterator[Edge]:
    """Run an edge server on this computer's Bluetooth; without ``selectors`` for the only board in reach."""
    edge = Edge(await adapter(air), *(selectors or ("",)))
    async with AsyncExitStack() as stack:
        stack.push_async_callback(edge.transport.close)
        await edge.transport.open()
        running = asyncio.create_task(edge.run())
        stack.push_async_callback(_ended, running)
        yield edge


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
