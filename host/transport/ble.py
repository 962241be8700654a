"""Bluetooth LE of this computer: a GATT connection that carries whole packets to a camera board (bleak).

This is the central of ``protocol/SPEC.md``, "Over GATT": it finds camera boards by their service, connects, waits until
a full packet fits the MTU, and subscribes. It does not interpret packets.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import Reason
from ..wire import MAX_PACKET, SERVICE_UUID, TO_CAMERA_UUID, TO_EDGE_UUID
from . import bluez
from .transport import TransportError

if TYPE_CHECKING:
    from bleak import BleakClient
    from bleak.backends.characteristic import BleakGATTCharacteristic
    from bleak.backends.device import BLEDevice
    from bleak.backends.scanner import AdvertisementData

#: Bytes of the ATT header of a notification or a write.
ATT_HEADER = 3
#: ATT MTU for a full packet, bytes.
MTU_NEEDED = MAX_PACKET + ATT_HEADER
#: Boards advertise every 20 to 30 ms; in this time a scanner receives each of them even if it shares its radio.
SCAN_S = 3.0
#: Time limit for connection, pairing and service discovery together.
CONNECT_S = 20.0
#: Systems report the negotiated MTU some time after the connection.
MTU_WAIT_S = 3.0
#: Time limits for ending a subscription, and a connection or a scan: a board out of reach, or BlueZ, may not answer.
UNSUBSCRIBE_S, DISCONNECT_S = 0.5, 1.0
_MTU_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class Bluetooth:
    """Scanner and client classes of bleak (its back ends); None: those of this system."""

    scanner: Any = None
    client: Any = None


@dataclass(frozen=True, slots=True)
class Advertisement:
    """A camera board that advertises. On macOS ``address`` is a number that only this computer knows."""

    address: str
    name: str
    rssi_dbm: int
    device: BLEDevice

    def matches(self, selector: str) -> bool:
        """Return True if ``selector`` is this board's address or name."""
        return selector.casefold() in (self.address.casefold(), self.name.casefold())


async def scan(bluetooth: Bluetooth, selector: str = "", seconds: float = SCAN_S) -> list[Advertisement]:
    """Return the camera boards in reach, the nearest first.

    Listens for ``seconds``, or until a board with the *address* ``selector`` advertises (names may be ambiguous).
    TransportError says why this computer's Bluetooth cannot be used.
    """
    _require_bleak()
    from bleak import BleakScanner

    found: dict[str, Advertisement] = {}
    matched = asyncio.Event()

    def on_advertisement(device: BLEDevice, data: AdvertisementData) -> None:
        earlier = found.get(device.address)
        name = data.local_name or device.name or (earlier.name if earlier else "")
        found[device.address] = Advertisement(device.address, name, data.rssi, device)
        if selector and device.address.casefold() == selector.casefold():
            matched.set()

    options = {} if bluetooth.scanner is None else {"backend": bluetooth.scanner}
    try:
        scanner = BleakScanner(on_advertisement, [SERVICE_UUID], **options)
        await scanner.start()
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await matched.wait()
        finally:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(DISCONNECT_S):
                    await scanner.stop()
    except Exception as error:  # each back end has its own: D-Bus, Objective-C, WinRT
        cause, reason = _scan_failure(error)
        raise TransportError(f"Bluetooth: {cause}", reason=reason) from error
    return sorted(found.values(), key=lambda board: (-board.rssi_dbm, board.address))


def choose(found: list[Advertisement], selector: str = "") -> Advertisement | None:
    """Return the board that ``selector`` names, or the only one if it is empty; None if there is none.

    TransportError if several match.
    """
    matching = [board for board in found if board.matches(selector)] if selector else found
    if len(matching) > 1:
        listed = ", ".join(f"{board.address} {board.name} ({board.rssi_dbm} dBm)" for board in matching)
        raise TransportError(f"several camera boards are in reach: {listed}", reason=Reason.SEVERAL_CAMERAS)
    return matching[0] if matching else None


class BleLink:
    """A connection to one camera board. With ``may_pair`` false it is opened only if the two are paired already.

    ``on_packet`` is called with every received packet, ``on_lost`` once if the connection ends without ``close``. Both
    are called from the event loop.
    """

    def __init__(
        self,
        board: Advertisement,
        on_packet: Callable[[bytes], None],
        on_lost: Callable[[], None],
        bluetooth: Bluetooth | None = None,
        *,
        may_pair: bool = True,
    ) -> None:
        self.board = board
        self._may_pair = may_pair
        self._on_packet = on_packet
        self._on_lost = on_lost
        self._bluetooth = bluetooth or Bluetooth()
        self._client: BleakClient | None = None
        self._to_camera: BleakGATTCharacteristic | None = None
        self._subscribed: BleakGATTCharacteristic | None = None

    async def open(self, *, through_socket: bool = True) -> int:
        """Connect, pair if that is allowed, and subscribe; return the ATT MTU in bytes.

        On BlueZ, notifications arrive through a socket, or as D-Bus signals if ``through_socket`` is false or BlueZ has
        no such socket. Signals in quick succession get lost (https://github.com/hbldh/bleak/issues/1343).
        TransportError gives the cause of a failure.
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
            cause, reason = _connection_failure(error)
            if reason == Reason.PAIRING and not self._may_pair:
                cause, reason = "this computer is not paired with it", Reason.NOT_PAIRED
            name = f" {self.board.name}" if reason == Reason.NOT_PAIRED else ""
            subject = self.board.address if reason == Reason.NOT_PAIRED else ""
            raise TransportError(f"{self.board.address}{name}: {cause}", reason=reason, subject=subject) from error

    async def write(self, packet: bytes) -> None:
        """Send one packet and wait until this computer's stack has taken it; TransportError if it is lost."""
        if self._client is None or self._to_camera is None:
            raise TransportError(f"{self.board.address}: not connected")
        try:
            await self._client.write_gatt_char(self._to_camera, packet, response=False)
        except Exception as error:
            raise TransportError(f"{self.board.address}: cannot write ({_text(error)})") from error

    async def close(self) -> None:
        """End the connection, within ``UNSUBSCRIBE_S`` and ``DISCONNECT_S``; a second call does nothing."""
        client, self._client = self._client, None
        if client is None:
            return
        if self._subscribed is not None:
            # This comes first: bluetoothd (5.66, 5.82) may crash if the program's D-Bus connection ends before its
            # socket for notifications.
            with contextlib.suppress(Exception):
                async with asyncio.timeout(UNSUBSCRIBE_S):
                    await client.stop_notify(self._subscribed)
        with contextlib.suppress(Exception):
            async with asyncio.timeout(DISCONNECT_S):
                await client.disconnect()

    async def _open(self, through_socket: bool) -> int:
        from bleak import BleakClient

        options = {} if self._bluetooth.client is None else {"backend": self._bluetooth.client}
        pairs_itself = (
            sys.platform == "linux" and self._bluetooth.client is None
        )  # else bleak pairs, or the system (macOS)
        client = BleakClient(
            self.board.device,
            self._ended,
            [SERVICE_UUID],
            timeout=CONNECT_S,
            pair=self._may_pair and sys.platform != "darwin" and not pairs_itself,
            **options,
        )
        self._client = client
        await client.connect()
        if pairs_itself:
            await bluez.pair(self.board.device.details["path"], allowed=self._may_pair)
        to_edge = client.services.get_characteristic(TO_EDGE_UUID)
        self._to_camera = client.services.get_characteristic(TO_CAMERA_UUID)
        if to_edge is None or self._to_camera is None:
            raise TransportError(
                f"{self.board.address}: its service lacks a characteristic of this release", reason=Reason.OLD_SERVICE
            )
        mtu = await _negotiated_mtu(self._to_camera)
        if mtu < MTU_NEEDED:
            raise TransportError(
                f"{self.board.address}: ATT MTU {mtu}, and a picture packet needs {MTU_NEEDED}", reason=Reason.SMALL_MTU
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


def _require_bleak() -> None:
    try:
        import bleak  # noqa: F401
    except ImportError as error:
        raise TransportError(
            "Bluetooth of this computer needs the package bleak", reason=Reason.MISSING_PACKAGE, subject="pnc-link[ble]"
        ) from error


def _text(error: BaseException) -> str:
    reason = getattr(error, "reason", None)  # bleak's BleakBluetoothNotAvailableError has a tuple as its text
    if reason is not None and error.args:
        return f"{error.args[0]} {getattr(reason, 'name', '')}".strip()
    return next(iter(str(error).splitlines()), "") or type(error).__name__


def _scan_failure(error: Exception) -> tuple[str, Reason]:
    """Return the cause of a failed scan in words and as a reason."""
    text = _text(error)
    low = text.lower().replace("_", " ")
    if isinstance(error, FileNotFoundError | ConnectionRefusedError) or "serviceunknown" in low:
        return "no BlueZ on this system", Reason.NO_BLUEZ
    if ("adapter" in low and "not found" in low) or "no bluetooth" in low:
        return "this computer has no Bluetooth adapter, or it is switched off", Reason.NO_ADAPTER
    if "notready" in low or "powered off" in low or "turned off" in low:
        return "it is switched off", Reason.BLUETOOTH_OFF
    if "denied" in low or "not authorized" in low:
        return "this program may not use it", Reason.BLUETOOTH_DENIED
    if "inprogress" in low:
        return "another program scans", Reason.BLUETOOTH_BUSY
    return f"cannot look for boards ({text})", Reason.NO_BLUETOOTH


def _connection_failure(error: Exception) -> tuple[str, Reason]:
    """Return the cause of a failed connection in words and as a reason."""
    text = _text(error)
    low = text.lower()
    if "authentication" in low or "pair" in low or "encrypt" in low:
        return f"pairing failed ({text})", Reason.PAIRING
    if isinstance(error, TimeoutError) or "timeout" in low or "timed out" in low:
        return "it does not accept the connection", Reason.NO_CONNECTION
    return f"cannot connect ({text})", Reason.OTHER
