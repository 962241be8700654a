"""A camera board behind Bumble's Bluetooth stack; the edge is this computer's Bluetooth, also Bumble's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bumble.device import Device

from host.board.ble_edge import BleEdgeTransport
from host.transport.transport import Transport
from tests.ble.air import Air
from tests.ble.camera import BumbleCamera
from tests.ble.scene import adapter, adapter_forgets, adapter_off, scan_s
from tests.hil.host import Host
from tests.hil.rigs.rig import OnBoard, Rig

#: Share of packets that are lost and sent again.
_LOSS = 0.02
_SLOW_LOSS = 0.75


class BumbleRig(Rig):
    """One board; the edge's logic is in this process. The computer's speed limits the air."""

    name = "bumble"
    has = frozenset({"slow_air", "disconnect", "reset", "pairing"})

    async def start(self) -> None:
        air = Air(loss=_SLOW_LOSS if self.slow else _LOSS)
        self._camera = await BumbleCamera.make(air)
        self._bluetooth = await adapter(air)

    async def stop(self) -> None:
        await self._camera.close()
        await adapter_off()

    def camera_transport(self) -> Transport:
        return self._camera.transport

    def edge_transport(self) -> Transport:
        return BleEdgeTransport(
            "",
            on_notice=lambda _text: None,
            bluetooth=self._bluetooth,
            scan_s=scan_s(),
            back_off_s=(0.02, 0.1),
            pair=True,
        )

    async def cut(self, _edge: OnBoard) -> None:
        await self._camera.drop()

    @asynccontextmanager
    async def strangers(self, _camera: Host, _edge: Host) -> AsyncIterator[None]:
        self._camera.pairing_open = False
        await _forget(self._camera.device)
        await self._camera.drop()
        try:
            yield
        finally:
            self._camera.pairing_open = True
            await adapter_forgets(self._bluetooth)


async def _forget(device: Device) -> None:
    assert device.keystore is not None
    await device.keystore.delete_all()
