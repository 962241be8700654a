"""A camera board on Bumble: the firmware's core behind a GATT service, its serial port in this process."""

from __future__ import annotations

import asyncio
from typing import Any

from bumble import att, core, gatt
from bumble.device import AdvertisingType, Connection, Device

from host.board.in_process import InProcessBoard
from host.transport.transport import TransportError
from host.wire import SERVICE_UUID, TO_CAMERA_UUID, TO_EDGE_UUID, Role
from tests.ble.air import Air, new_device

_ENCRYPTED_WRITE = att.Attribute.WRITEABLE | att.Attribute.WRITE_REQUIRES_ENCRYPTION
_REMOTE_USER = 0x13
_ADVERTISE_MS = 25.0


class BumbleCamera:
    """A virtual camera board that advertises. ``transport`` is its serial port, for ``host.camera`` or a test.

    ``pairing_open``: unknown computers may pair. ``mute``: it sends nothing despite a subscription. ``writes``: packets
    from the central.
    """

    def __init__(self, device: Device, *, name: str, mtu: int = 247) -> None:
        self.name = name
        self.device = device
        self.transport = InProcessBoard(name, Role.CAMERA, self._carry, on_reset=self._reset)
        self._dropping: asyncio.Task[None] | None = None
        self.pairing_open = True
        self.mute = False
        self.writes: list[bytes] = []
        self.connections = 0
        self._connection: Connection | None = None
        device.gatt_server.max_mtu = mtu
        self._to_edge = gatt.Characteristic[bytes](
            TO_EDGE_UUID, gatt.Characteristic.Properties.NOTIFY, att.Attribute.READABLE
        )
        self._to_edge.descriptors = (
            gatt.Descriptor(
                gatt.GATT_CLIENT_CHARACTERISTIC_CONFIGURATION_DESCRIPTOR,
                att.Attribute.READABLE | _ENCRYPTED_WRITE,
                device.gatt_server.make_descriptor_value(self._to_edge),
            ),
        )
        self._to_edge.on("subscription", self._subscribed)
        to_camera = gatt.Characteristic[bytes](
            TO_CAMERA_UUID,
            gatt.Characteristic.Properties.WRITE_WITHOUT_RESPONSE,
            _ENCRYPTED_WRITE,
            att.AttributeValue(write=self._written),
        )
        device.add_service(gatt.Service(SERVICE_UUID, [self._to_edge, to_camera]))
        device.on("connection", self._on_connection)
        pairing = device.pairing_config_factory

        def allow(connection: Connection) -> Any:
            config = pairing(connection)
            config.delegate.accept = self._accept
            return config

        device.pairing_config_factory = allow

    @classmethod
    async def make(
        cls, air: Air, *, name: str = "camera", address: str = "C0:00:00:00:00:01", mtu: int = 247
    ) -> BumbleCamera:
        """Make a powered board that advertises."""
        camera = cls(await new_device(air, name, address), name=name, mtu=mtu)
        await camera.transport.open()
        await camera.advertise()
        return camera

    async def advertise(self) -> None:
        """Advertise, now and after every connection."""
        data = core.AdvertisingData(
            [
                (core.AdvertisingData.FLAGS, b"\x06"),
                (core.AdvertisingData.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS, bytes(core.UUID(SERVICE_UUID))),
                (core.AdvertisingData.SHORTENED_LOCAL_NAME, self.name[:6].encode()),
            ]
        )
        await self.device.start_advertising(
            AdvertisingType.UNDIRECTED_CONNECTABLE_SCANNABLE,
            auto_restart=True,
            advertising_data=bytes(data),
            advertising_interval_min=_ADVERTISE_MS,
            advertising_interval_max=_ADVERTISE_MS,
        )

    async def notify(self, packet: bytes) -> None:
        """Send any bytes, bypassing the core."""
        assert self._connection is not None
        await self.device.gatt_server.notify_subscriber(self._connection, self._to_edge, packet)

    async def drop(self) -> None:
        """End the connection from the board's side."""
        if self._connection is not None:
            await self._connection.disconnect(_REMOTE_USER)

    def _reset(self) -> None:
        self._dropping = asyncio.create_task(self.drop())

    async def close(self) -> None:
        await self.drop()
        await self.device.stop_advertising()
        await self.transport.close()

    async def _accept(self) -> bool:
        return self.pairing_open

    def _on_connection(self, connection: Connection) -> None:
        self.connections += 1
        self._connection = connection
        connection.on("disconnection", self._disconnected)

    def _disconnected(self, reason: int) -> None:
        self._connection = None
        self.transport.disconnected(reason)

    def _subscribed(self, bearer: Connection, notify: bool, _indicate: bool) -> None:
        if notify and not self.mute:
            asyncio.get_running_loop().call_soon(self.transport.connected, bearer.att_mtu)  # after the write's response

    def _written(self, _connection: Connection, value: bytes) -> None:
        self.writes.append(value)
        self.transport.arrived(value)

    async def _carry(self, _peer: int, packet: bytes) -> None:
        connection = self._connection
        if connection is None:
            raise TransportError("not connected")
        queue = self.device.host.le_acl_packet_queue
        assert queue is not None
        await self.device.gatt_server.notify_subscriber(connection, self._to_edge, packet)
        try:
            await queue.drain(connection.handle)
        except ValueError as error:
            raise TransportError("disconnected") from error
        if self._connection is not connection:
            raise TransportError("disconnected")
