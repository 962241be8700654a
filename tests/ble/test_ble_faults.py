"""What can be wrong with a computer's Bluetooth, said in one line with what to do. Back ends of bleak that fail."""

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

from host.transport.ble import Advertisement, BleLink, Bluetooth, scan
from host.transport.transport import TransportError
from tests.ble.air import Air
from tests.ble.scene import CAMERA_ADDRESS, ON_BLUEZ, SCAN_S, adapter, camera_on, live


def failing_scanner(error: Exception) -> Bluetooth:
    """A system whose scanner fails like that."""

    class Scanner:
        def __init__(self, *_arguments: Any, **_options: Any) -> None:
            self.seen_devices: dict[str, Any] = {}

        async def start(self) -> None:
            raise error

        async def stop(self) -> None:
            pass

    return Bluetooth(scanner=Scanner)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (FileNotFoundError(2, "No such file or directory"), "no BlueZ on this system: sudo apt install bluez"),
        (ConnectionRefusedError(), "no BlueZ on this system"),
        (BleakDBusError("org.freedesktop.DBus.Error.ServiceUnknown", ["no org.bluez"]), "systemctl start bluetooth"),
        (BleakError("No Bluetooth adapters found."), "has no Bluetooth adapter, or it is switched off"),
        (BleakError("adapter 'hci0' not found"), "has no Bluetooth adapter"),
        (BleakDBusError("org.bluez.Error.NotReady", ["Resource Not Ready"]), "switched off: bluetoothctl power on"),
        (BleakError("Bluetooth device is turned off"), "rfkill unblock bluetooth"),
        (BleakDBusError("org.freedesktop.DBus.Error.AccessDenied", ["no"]), "join the group bluetooth"),
        (BleakError("BLE is not authorized - check macOS privacy settings"), "macOS: allow it in the Privacy"),
        (BleakDBusError("org.bluez.Error.InProgress", ["busy"]), "another program scans"),
        (
            BleakBluetoothNotAvailableError("not usable", BleakBluetoothNotAvailableReason.POWERED_OFF),
            "it is switched off",
        ),
        (
            BleakBluetoothNotAvailableError("not usable", BleakBluetoothNotAvailableReason.DENIED_BY_USER),
            "this program may not use it",
        ),
        (RuntimeError("something new\nwith details"), "Bluetooth: cannot look for boards (something new)"),
    ],
)
def test_a_scan_that_fails_says_why_in_one_line(error: Exception, said: str) -> None:
    with pytest.raises(TransportError) as raised:
        asyncio.run(scan(failing_scanner(error), seconds=0.1))
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (BleakError("device gone"), "cannot connect (device gone)"),
        (TimeoutError(), "its button opens pairing for 60 s"),
        (BleakDBusError("org.bluez.Error.AuthenticationFailed", ["Authentication Failed"]), "pairing failed"),
        (EOFError(), "cannot connect (EOFError)"),
    ],
)
def test_a_connection_that_fails_says_why_in_one_line(error: Exception, said: str) -> None:
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
        assert str(raised.value).startswith("AA:BB: ")
        assert said in str(raised.value)
        assert "\n" not in str(raised.value)

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
            [found] = await scan(bluetooth, seconds=SCAN_S)
            link = BleLink(found, lambda _packet: None, lambda: None, Bluetooth(bluetooth.scanner, Client))
            if len(refused) == 2:
                with pytest.raises(TransportError, match=f"{CAMERA_ADDRESS}: cannot connect"):
                    await link.open()
            else:
                await link.open()
                while not board.port.is_connected:
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
            [found] = await scan(bluetooth, seconds=SCAN_S)
            link = BleLink(found, lambda _packet: None, lost.set, bluetooth)
            await link.open()
            await board.drop()
            await lost.wait()
            with pytest.raises(TransportError, match="not connected"):
                await link.write(b"x")
            await link.close()
            await link.close()

    live(test())
