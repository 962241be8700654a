"""Faults of a computer's Bluetooth, each one line with a reason. The back ends of bleak fail here."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakBluetoothNotAvailableReason,
    BleakDBusError,
    BleakError,
)

from host.errors import Reason
from host.transport.ble import Advertisement, BleLink, Bluetooth, scan
from host.transport.transport import TransportError
from tests.ble.air import Air
from tests.ble.scene import CAMERA_ADDRESS, ON_BLUEZ, adapter, camera_on, live, scan_s


def failing_scanner(error: Exception) -> Bluetooth:
    """Return a system whose scanner fails with an error."""

    class Scanner:
        def __init__(self, *_arguments: Any, **_options: Any) -> None:
            self.seen_devices: dict[str, Any] = {}

        async def start(self) -> None:
            raise error

        async def stop(self) -> None:
            pass

    return Bluetooth(scanner=Scanner)


@pytest.mark.parametrize(
    ("error", "text", "reason"),
    [
        (FileNotFoundError(2, "No such file or directory"), "no BlueZ on this system", Reason.NO_BLUEZ),
        (ConnectionRefusedError(), "no BlueZ on this system", Reason.NO_BLUEZ),
        (
            BleakDBusError("org.freedesktop.DBus.Error.ServiceUnknown", ["no org.bluez"]),
            "no BlueZ on this system",
            Reason.NO_BLUEZ,
        ),
        (
            BleakError("No Bluetooth adapters found."),
            "this computer has no Bluetooth adapter, or it is switched off",
            Reason.NO_ADAPTER,
        ),
        (
            BleakError("adapter 'hci0' not found"),
            "this computer has no Bluetooth adapter, or it is switched off",
            Reason.NO_ADAPTER,
        ),
        (
            BleakDBusError("org.bluez.Error.NotReady", ["Resource Not Ready"]),
            "it is switched off",
            Reason.BLUETOOTH_OFF,
        ),
        (BleakError("Bluetooth device is turned off"), "it is switched off", Reason.BLUETOOTH_OFF),
        (
            BleakDBusError("org.freedesktop.DBus.Error.AccessDenied", ["no"]),
            "this program may not use it",
            Reason.BLUETOOTH_DENIED,
        ),
        (
            BleakError("BLE is not authorized - check macOS privacy settings"),
            "this program may not use it",
            Reason.BLUETOOTH_DENIED,
        ),
        (BleakDBusError("org.bluez.Error.InProgress", ["busy"]), "another program scans", Reason.BLUETOOTH_BUSY),
        (
            BleakBluetoothNotAvailableError("not usable", BleakBluetoothNotAvailableReason.POWERED_OFF),
            "it is switched off",
            Reason.BLUETOOTH_OFF,
        ),
        (
            BleakBluetoothNotAvailableError("not usable", BleakBluetoothNotAvailableReason.DENIED_BY_USER),
            "this program may not use it",
            Reason.BLUETOOTH_DENIED,
        ),
        (
            RuntimeError("something new\nwith details"),
            "cannot look for boards (something new)",
            Reason.NO_BLUETOOTH,
        ),
    ],
)
def test_a_scan_that_fails_gives_the_cause_in_one_line(error: Exception, text: str, reason: Reason) -> None:
    with pytest.raises(TransportError) as raised:
        asyncio.run(scan(failing_scanner(error), seconds=0.1))
    assert str(raised.value) == f"Bluetooth: {text}"
    assert raised.value.reason is reason


@pytest.mark.parametrize(
    ("error", "text", "reason"),
    [
        (BleakError("device gone"), "cannot connect (device gone)", Reason.OTHER),
        (TimeoutError(), "it does not accept the connection", Reason.NO_CONNECTION),
        (
            BleakDBusError("org.bluez.Error.AuthenticationFailed", ["Authentication Failed"]),
            "pairing failed ([org.bluez.Error.AuthenticationFailed] Authentication Failed)",
            Reason.PAIRING,
        ),
        (EOFError(), "cannot connect (EOFError)", Reason.OTHER),
    ],
)
def test_a_connection_that_fails_gives_the_cause_in_one_line(error: Exception, text: str, reason: Reason) -> None:
    class Client:
        is_connected = False

        def __init__(self, *_arguments: Any, **_options: Any) -> None:
            pass

        async def connect(self, _pair: bool) -> None:
            raise error

        async def disconnect(self) -> None:
            pass

    async def test() -> None:
        found = Advertisement("AA:BB", "camera", -40, None)  # type: ignore[arg-type]
        with pytest.raises(TransportError) as raised:
            await BleLink(found, lambda _packet: None, lambda: None, Bluetooth(client=Client)).open()
        assert str(raised.value) == f"AA:BB: {text}"
        assert raised.value.reason is reason

    asyncio.run(test())


@pytest.mark.skipif(ON_BLUEZ, reason="BlueZ refuses neither way")
@pytest.mark.parametrize(
    ("refused", "asked"), [((), [False]), ((False,), [False, True]), ((False, True), [False, True])]
)
def test_notifications_come_through_a_socket_or_else_as_signals(refused: tuple[bool, ...], asked: list[bool]) -> None:
    async def test() -> None:
        air = Air()
        ways: list[bool] = []
        bluetooth = await adapter(air)

        class Client(bluetooth.client):  # type: ignore[misc]
            async def start_notify(self, characteristic: Any, callback: Any, **options: Any) -> None:
                ways.append(options["bluez"]["use_start_notify"])
                if ways[-1] in refused:
                    raise BleakDBusError("org.bluez.Error.NotSupported", ["Operation is not supported"])
                await super().start_notify(characteristic, callback, **options)

        async with camera_on(air) as board:
            [found] = await scan(bluetooth, seconds=scan_s())
            link = BleLink(found, lambda _packet: None, lambda: None, Bluetooth(bluetooth.scanner, Client))
            if len(refused) == 2:
                with pytest.raises(TransportError, match=f"{CAMERA_ADDRESS}: cannot connect"):
                    await link.open()
            else:
                await link.open()
                while not board.transport.is_connected:
                    await asyncio.sleep(0.005)
            assert ways == asked
            await link.close()

    live(test())


def test_a_write_after_the_end_is_an_error_and_a_second_close_is_none() -> None:
    async def test() -> None:
        air = Air()
        lost = asyncio.Event()
        async with camera_on(air) as board:
            bluetooth = await adapter(air)
            [found] = await scan(bluetooth, seconds=scan_s())
            link = BleLink(found, lambda _packet: None, lost.set, bluetooth)
            await link.open()
            await board.drop()
            await lost.wait()
            with pytest.raises(TransportError, match="not connected"):
                await link.write(b"x")
            await link.close()
            await link.close()

    live(test())
