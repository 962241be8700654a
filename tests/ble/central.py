"""bleak on Bumble: a scanner and a client back end around one Bumble device, in the place of an operating system's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from bleak.backends.characteristic import BleakGATTCharacteristic, GattCharacteristicsFlags
from bleak.backends.client import BaseBleakClient, NotifyCallback
from bleak.backends.descriptor import BleakGATTDescriptor
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData, BaseBleakScanner
from bleak.backends.service import BleakGATTService, BleakGATTServiceCollection
from bleak.exc import BleakError
from bumble import att, core
from bumble.device import Advertisement, Connection, Device, Peer
from bumble.gatt_client import CharacteristicProxy

from host.transport.ble import Bluetooth

if TYPE_CHECKING:
    from bleak.args import SizedBuffer

_ASKED_MTU = 247


def bluetooth_on(device: Device) -> Bluetooth:
    """What ``host.transport.ble`` needs to use this device."""
    return Bluetooth(
        type("BumbleScanner", (_Scanner,), {"bumble": device}), type("BumbleClient", (_Client,), {"bumble": device})
    )


class _Scanner(BaseBleakScanner):
    bumble: Device

    def __init__(self, detection_callback: Any, service_uuids: Any, *_arguments: Any, **_options: Any) -> None:
        super().__init__(detection_callback, service_uuids)

    async def start(self) -> None:
        self.seen_devices = {}
        self.bumble.on("advertisement", self._heard)
        await self.bumble.start_scanning(filter_duplicates=False)

    async def stop(self) -> None:
        self.bumble.remove_listener("advertisement", self._heard)
        await self.bumble.stop_scanning()

    def _heard(self, advertisement: Advertisement) -> None:
        kind = core.AdvertisingData
        uuids = advertisement.data.get(kind.Type.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS) or []
        name = advertisement.data.get(kind.Type.SHORTENED_LOCAL_NAME)
        services = [str(core.UUID.from_bytes(bytes(uuid))).lower() for uuid in uuids]
        if not self.is_allowed_uuid(services):
            return
        address = advertisement.address.to_string(with_type_qualifier=False)
        data = AdvertisementData(name, {}, {}, services, None, advertisement.rssi, ())
        self.call_detection_callbacks(
            self.create_or_update_device(address, address, name, advertisement.address, data), data
        )


class _Client(BaseBleakClient):
    bumble: Device

    def __init__(self, address_or_ble_device: Any, *, services: set[str] | None = None, **kwargs: Any) -> None:
        super().__init__(address_or_ble_device, **kwargs)
        self._device: BLEDevice = address_or_ble_device
        self._connection: Connection | None = None
        self._peer: Peer | None = None
        self._wanted = services
        self._callbacks: dict[int, Callable[[bytes], None]] = {}

    @property
    def name(self) -> str:
        return self._device.name or self.address

    @property
    def mtu_size(self) -> int:
        return int(self._connection.att_mtu) if self._connection is not None else 23

    @property
    def is_connected(self) -> bool:
        return self._connection is not None

    async def connect(self, pair: bool, **_kwargs: Any) -> None:
        try:
            connection = await self.bumble.connect(self._device.details, timeout=self._timeout)
        except (core.BaseBumbleError, TimeoutError) as error:
            raise BleakError(f"connection failed: {error!r}") from error
        self._connection = connection
        connection.on("disconnection", self._ended)
        self._peer = Peer(connection)
        assert self.bumble.keystore is not None
        # As operating systems do: they encrypt with a device that is paired, whether or not a program asks for it.
        if pair or await self.bumble.keystore.get(str(connection.peer_address)):
            await self.pair()
        await self._peer.request_mtu(_ASKED_MTU)
        self.services = await self._discover(self._peer)

    async def pair(self, *_args: Any, **_kwargs: Any) -> None:
        """Encrypt with the key of an earlier pairing, or pair."""
        connection = self._connected()
        assert self.bumble.keystore is not None
        try:
            if await self.bumble.keystore.get(str(connection.peer_address)):
                await connection.encrypt()
            else:
                await connection.pair()
        except (core.BaseBumbleError, asyncio.CancelledError) as error:
            raise BleakError(f"pairing failed: {error}") from error

    async def unpair(self) -> None:
        assert self.bumble.keystore is not None
        await self.bumble.keystore.delete(str(self._device.details))

    async def disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.disconnect()

    async def read_gatt_char(self, characteristic: BleakGATTCharacteristic, **_options: Any) -> bytearray:
        assert self._peer is not None
        return bytearray(await self._peer.read_value(characteristic.handle))

    async def read_gatt_descriptor(self, descriptor: BleakGATTDescriptor, **_options: Any) -> bytearray:
        assert self._peer is not None
        return bytearray(await self._peer.read_value(descriptor.handle))

    async def write_gatt_char(self, characteristic: BleakGATTCharacteristic, data: SizedBuffer, response: bool) -> None:
        connection = self._connected()
        assert self._peer is not None
        await self._peer.write_value(characteristic.handle, bytes(data), with_response=response)
        queue = self.bumble.host.le_acl_packet_queue
        assert queue is not None
        await queue.drain(connection.handle)

    async def write_gatt_descriptor(self, descriptor: BleakGATTDescriptor, data: SizedBuffer) -> None:
        assert self._peer is not None
        await self._peer.write_value(descriptor.handle, bytes(data), with_response=True)

    async def start_notify(
        self, characteristic: BleakGATTCharacteristic, callback: NotifyCallback, **_kwargs: Any
    ) -> None:
        self._connected()

        def on_value(value: bytes) -> None:
            callback(bytearray(value))

        proxy: CharacteristicProxy[bytes] = characteristic.obj
        self._callbacks[characteristic.handle] = on_value
        try:
            await proxy.subscribe(on_value)
        except att.ATT_Error as error:
            raise BleakError(f"cannot subscribe: {error}") from error

    async def stop_notify(self, characteristic: BleakGATTCharacteristic) -> None:
        await characteristic.obj.unsubscribe(self._callbacks.pop(characteristic.handle))

    def _connected(self) -> Connection:
        if self._connection is None:
            raise BleakError("not connected")
        return self._connection

    def _ended(self, _reason: int) -> None:
        unasked, self._connection = self._connection is not None, None
        if unasked and self._disconnected_callback is not None:
            self._disconnected_callback()

    async def _discover(self, peer: Peer) -> BleakGATTServiceCollection:
        found = BleakGATTServiceCollection()
        for service in await peer.discover_services():
            uuid = str(service.uuid).lower()
            if self._wanted is not None and uuid not in self._wanted:
                continue
            found.add_service(BleakGATTService(service, service.handle, uuid))
            for proxy in await service.discover_characteristics():
                await proxy.discover_descriptors()
                characteristic = BleakGATTCharacteristic(
                    proxy,
                    proxy.handle,
                    str(proxy.uuid).lower(),
                    [flag.name.replace("_", "-") for flag in GattCharacteristicsFlags if flag.value & proxy.properties],  # type: ignore[misc]
                    lambda: self.mtu_size - 3,
                    found.services[service.handle],
                )
                found.add_characteristic(characteristic)
        return found
