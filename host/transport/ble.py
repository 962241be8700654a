"""Bluetooth LE from this computer: a GATT connection to a camera board, one whole packet at a time (bleak).

The central of ``protocol/SPEC.md``, "Over GATT": it finds camera boards by their service, connects, waits until a full
packet fits, subscribes. What the packets mean is not its business.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..wire import MAX_PACKET, SERVICE_UUID, TO_CAMERA_UUID, TO_EDGE_UUID
from . import bluez
from .transport import TransportError

if TYPE_CHECKING:
    from bleak import BleakClient
    from bleak.backends.characteristic import BleakGATTCharacteristic
    from bleak.backends.device import BLEDevice
    from bleak.backends.scanner import AdvertisementData

#: ATT header of a notification or a write, bytes.
ATT_HEADER = 3
#: The ATT MTU that a full packet needs, bytes.
MTU_NEEDED = MAX_PACKET + ATT_HEADER
#: Boards advertise every 20 to 30 ms; a scanner that shares its radio still hears each of them in this time.
SCAN_S = 3.0
#: Connecting, pairing and looking for services together.
CONNECT_S = 20.0
#: Systems report the negotiated MTU some time after they report the connection.
MTU_WAIT_S = 3.0
#: A board that is out of reach does not answer the end of the subscription.
UNSUBSCRIBE_S = 1.0
_MTU_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class Bluetooth:
    """bleak's back ends (its classes for a scanner and a client); None: those of this system."""

    scanner: Any = None
    client: Any = None


@dataclass(frozen=True, slots=True)
class Advertisement:
    """A camera board that advertises. ``address`` is, on macOS, a number that only this computer knows."""

    address: str
    name: str
    rssi_dbm: int
    device: BLEDevice

    def is_called(self, wanted: str) -> bool:
        """True if a person who writes ``wanted`` means this board."""
        return wanted.casefold() in (self.address.casefold(), self.name.casefold())


async def scan(bluetooth: Bluetooth, wanted: str = "", seconds: float = SCAN_S) -> list[Advertisement]:
    """Camera boards in reach, the nearest first.

    Listens for ``seconds``; ends early when a board with the *address* ``wanted`` is heard (two may have one name).
    TransportError says what is wrong with this computer's Bluetooth.
    """
    _need_bleak()
    from bleak import BleakScanner

    found: dict[str, Advertisement] = {}
    heard = asyncio.Event()

    def on_advertisement(device: BLEDevice, data: AdvertisementData) -> None:
        known = found.get(device.address)
        name = data.local_name or device.name or (known.name if known else "")
        found[device.address] = Advertisement(device.address, name, data.rssi, device)
        if wanted and device.address.casefold() == wanted.casefold():
            heard.set()

    options = {} if bluetooth.scanner is None else {"backend": bluetooth.scanner}
    try:
        async with BleakScanner(on_advertisement, [SERVICE_UUID], **options):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(heard.wait(), seconds)
    except Exception as error:  # every back end has its own: D-Bus, Objective-C, WinRT
        raise TransportError(f"Bluetooth: {_why_no_scan(error)}") from error
    return sorted(found.values(), key=lambda board: (-board.rssi_dbm, board.address))


def choose(found: list[Advertisement], wanted: str = "") -> Advertisement | None:
    """The board that is meant, None if it is not there; TransportError if there are several to choose from."""
    meant = [board for board in found if board.is_called(wanted)] if wanted else found
    if len(meant) > 1:
        listed = ", ".join(f"{board.address} {board.name} ({board.rssi_dbm} dBm)" for board in meant)
        raise TransportError(f"several camera boards are in reach: {listed}: choose one with --ble ADDRESS")
    return meant[0] if meant else None


class BleLink:
    """A connection to one camera board.

    ``on_packet`` is called with every packet that comes, ``on_lost`` once when the connection ends by itself. Both
    come from the event loop.
    """

    def __init__(
        self,
        board: Advertisement,
        on_packet: Callable[[bytes], None],
        on_lost: Callable[[], None],
        bluetooth: Bluetooth | None = None,
    ) -> None:
        self.board = board
        self._on_packet = on_packet
        self._on_lost = on_lost
        self._bluetooth = bluetooth or Bluetooth()
        self._client: BleakClient | None = None
        self._to_camera: BleakGATTCharacteristic | None = None
        self._subscribed: BleakGATTCharacteristic | None = None

    async def open(self, *, through_socket: bool = True) -> int:
        """Connect, pair, and subscribe; returns the ATT MTU, bytes.

        On BlueZ notifications come through a socket of their own, or, without ``through_socket`` or where BlueZ has
        none, as D-Bus signals, which get lost when they come fast
        (https://github.com/hbldh/bleak/issues/1343). TransportError says what went wrong.
        """
        try:
            async with asyncio.timeout(CONNECT_S):
                return await self._open(through_socket)
        except TransportError:
            await self.close()
            raise
        except BaseException as error:
            await self.close()
            if not isinstance(error, Exception):
                raise
            raise TransportError(f"{self.board.address}: {_why_no_connection(error)}") from error

    async def write(self, packet: bytes) -> None:
        """Send one packet without response; returns when this computer's stack took it. TransportError if it is lost."""
        if self._client is None or self._to_camera is None:
            raise TransportError(f"{self.board.address}: not connected")
        try:
            await self._client.write_gatt_char(self._to_camera, packet, response=False)
        except Exception as error:
            raise TransportError(f"{self.board.address}: cannot write ({_text(error)})") from error

    async def close(self) -> None:
        """End the connection; a second time does nothing."""
        client, self._client = self._client, None
        if client is None:
            return
        if self._subscribed is not None:
            # First of all: bluetoothd (seen: 5.66, 5.82) may crash if the program's D-Bus connection ends before its
            # socket for notifications does.
            with contextlib.suppress(Exception):
                await asyncio.wait_for(client.stop_notify(self._subscribed), UNSUBSCRIBE_S)
        with contextlib.suppress(Exception):
            await asyncio.wait_for(client.disconnect(), CONNECT_S)

    async def _open(self, through_socket: bool) -> int:
        from bleak import BleakClient

        options = {} if self._bluetooth.client is None else {"backend": self._bluetooth.client}
        by_us = sys.platform == "linux" and self._bluetooth.client is None  # else by bleak, or, on macOS, the system
        client = BleakClient(
            self.board.device,
            self._ended,
            [SERVICE_UUID],
            timeout=CONNECT_S,
            pair=sys.platform != "darwin" and not by_us,
            **options,
        )
        self._client = client
        await client.connect()
        if by_us:
            await bluez.pair(self.board.device.details["path"])
        to_edge = client.services.get_characteristic(TO_EDGE_UUID)
        self._to_camera = client.services.get_characteristic(TO_CAMERA_UUID)
        if to_edge is None or self._to_camera is None:
            raise TransportError(
                f"{self.board.address}: its service has not the two characteristics of this release: flash it with "
                "`make flash`; docs/troubleshooting.md tells how to make this computer forget the old ones"
            )
        mtu = await _negotiated_mtu(self._to_camera)
        if mtu < MTU_NEEDED:
            raise TransportError(
                f"{self.board.address}: ATT MTU {mtu}, and a picture packet needs {MTU_NEEDED}: this Bluetooth "
                "adapter or system cannot be used (BlueZ must be 5.62 or later); use a second board as the edge"
            )
        await self._subscribe(client, to_edge, through_socket)
        self._subscribed = to_edge
        return mtu

    async def _subscribe(self, client: BleakClient, to_edge: BleakGATTCharacteristic, through_socket: bool) -> None:
        def on_notification(_sender: BleakGATTCharacteristic, data: bytearray) -> None:
            self._on_packet(bytes(data))

        if through_socket:
            try:
                await client.start_notify(to_edge, on_notification, bluez={"use_start_notify": False})
            except Exception:
                if not client.is_connected:
                    raise
            else:
                return
        await client.start_notify(to_edge, on_notification, bluez={"use_start_notify": True})

    def _ended(self, client: BleakClient) -> None:
        if client is self._client:
            self._client = None
            self._on_lost()


async def _negotiated_mtu(to_camera: BleakGATTCharacteristic) -> int:
    end_s = time.monotonic() + MTU_WAIT_S
    while True:
        mtu = to_camera.max_write_without_response_size + ATT_HEADER
        if mtu >= MTU_NEEDED or time.monotonic() >= end_s:
            return mtu
        await asyncio.sleep(_MTU_POLL_S)


def _need_bleak() -> None:
    try:
        import bleak  # noqa: F401
    except ImportError as error:
        raise TransportError(
            "Bluetooth of this computer needs the package bleak: pip install 'pnc-link[ble]'"
        ) from error


def _text(error: BaseException) -> str:
    reason = getattr(error, "reason", None)  # of bleak's BleakBluetoothNotAvailableError, whose text is a tuple
    if reason is not None and error.args:
        return f"{error.args[0]} {getattr(reason, 'name', '')}".strip()
    return next(iter(str(error).splitlines()), "") or type(error).__name__


def _why_no_scan(error: Exception) -> str:
    """The cause in words, and what to do."""
    text = _text(error)
    low = text.lower().replace("_", " ")
    if isinstance(error, FileNotFoundError | ConnectionRefusedError) or "serviceunknown" in low:
        return "no BlueZ on this system: sudo apt install bluez, sudo systemctl start bluetooth"
    if ("adapter" in low and "not found" in low) or "no bluetooth" in low:
        return "this computer has no Bluetooth adapter, or it is switched off: bluetoothctl power on"
    if "notready" in low or "powered off" in low or "turned off" in low:
        return "it is switched off: bluetoothctl power on (if it is blocked: rfkill unblock bluetooth)"
    if "denied" in low or "not authorized" in low:
        return "this program may not use it: Linux: join the group bluetooth; macOS: allow it in the Privacy settings"
    if "inprogress" in low:
        return "another program scans: close it, or sudo systemctl restart bluetooth"
    return f"cannot look for boards ({text})"


def _why_no_connection(error: Exception) -> str:
    """The cause in words, and what to do."""
    text = _text(error)
    low = text.lower()
    if "authentication" in low or "pair" in low or "encrypt" in low:
        return (
            f"pairing failed ({text}): open the board's pairing window with its button and try again; if they were "
            "paired before, make both forget it (docs/troubleshooting.md)"
        )
    if isinstance(error, TimeoutError) or "timeout" in low or "timed out" in low:
        return "it does not take the connection: is it paired with somebody else? its button opens pairing for 60 s"
    return f"cannot connect ({text})"
