"""BlueZ in the place of Bumble's host: a virtual adapter of this computer, whose controller is on the modelled air.

For root on a Linux with /dev/vhci (``modprobe hci_vhci``), D-Bus, bluetoothd, and no other adapter.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from bumble.transport import open_transport
from bumble.transport.common import Transport
from dbus_fast import Variant
from dbus_fast.aio import MessageBus
from dbus_fast.errors import InvalidObjectPathError

from host.transport.bluez import BluezError, call, system_bus
from tests.ble.air import Air, Radio

_ADDRESS = "F0:F1:F2:F3:F4:F5"
_ADAPTER, _DEVICE = "org.bluez.Adapter1", "org.bluez.Device1"
_APPEARS_S = 10.0
_open: list[Transport] = []


async def bluez_on(air: Air) -> None:
    """Give this computer an adapter on that air, powered, that knows nobody."""
    transport = await open_transport("vhci")
    _open.append(transport)
    Radio("laptop", host_source=transport.source, host_sink=transport.sink, link=air, public_address=_ADDRESS)
    await _until_there(True)
    await forget_all()
    await _power(True)


async def forget_all() -> None:
    """Let BlueZ forget every board, and its key."""
    async with system_bus() as bus:
        objects = await _objects(bus)
        path = _adapter(objects)
        for device in [name for name, interfaces in objects.items() if _DEVICE in interfaces]:
            await call(bus, path, _ADAPTER, "RemoveDevice", "o", [device])


async def bluez_off() -> None:
    """Take the adapter away, at rest: bluetoothd 5.66 does not survive one that goes in the middle of something."""
    while _open:
        transport = _open.pop()
        with contextlib.suppress(BluezError, InvalidObjectPathError):  # it is gone, or bluetoothd is
            await forget_all()
            await _power(False)
        await transport.close()
        await _until_there(False)


async def _power(on: bool) -> None:
    async with system_bus() as bus:
        path = _adapter(await _objects(bus))
        powered = [_ADAPTER, "Powered", Variant("b", on)]
        await call(bus, path, "org.freedesktop.DBus.Properties", "Set", "ssv", powered)


async def _until_there(there: bool) -> None:
    async with asyncio.timeout(_APPEARS_S), system_bus() as bus:
        while bool(_adapter(await _objects(bus))) is not there:
            await asyncio.sleep(0.05)


def _adapter(objects: dict[str, Any]) -> str:
    """The adapter's path; empty: there is none."""
    return next((path for path, interfaces in objects.items() if _ADAPTER in interfaces), "")


async def _objects(bus: MessageBus) -> dict[str, Any]:
    [objects] = await call(bus, "/", "org.freedesktop.DBus.ObjectManager", "GetManagedObjects")
    return dict(objects)
