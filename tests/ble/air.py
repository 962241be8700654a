"""Bumble's Bluetooth controllers on a link with air time and loss."""

from __future__ import annotations

import asyncio
import random
from typing import Any

from bumble import hci
from bumble.controller import Controller
from bumble.device import Device
from bumble.host import Host
from bumble.keys import MemoryKeyStore
from bumble.link import LocalLink
from bumble.pairing import PairingConfig
from bumble.transport.common import AsyncPipeSink

from host.sim.air import cycle_us
from host.wire import Phy

#: A packet that is lost is sent again in the next connection event.
INTERVAL_S = 0.0075


class Air(LocalLink):
    """Every link-layer packet takes its time, and is repeated in the next connection event when it is lost.

    ``loss`` is the chance of that. As on a real link nothing is missing afterwards, and the order is kept.
    """

    def __init__(self, *, loss: float = 0.0, phy: Phy = Phy.LE_2M, seed: int = 1) -> None:
        super().__init__()
        self.loss = loss
        self.repeated = 0
        self._phy = phy
        self._random = random.Random(seed)
        self._free_s: dict[Any, float] = {}  # of each controller: when its last packet has arrived

    def free_at(self, sender: Any) -> float:
        """Return when the last packet of a controller arrives, on the loop's clock."""
        return self._free_s.get(sender, 0.0)

    def send_acl_data(self, sender_controller: Any, destination_address: Any, transport: Any, data: bytes) -> None:
        loop = asyncio.get_running_loop()
        arrives_s = max(loop.time(), self.free_at(sender_controller)) + cycle_us(self._phy, len(data), 0) / 1e6
        while self._random.random() < self.loss:
            self.repeated += 1
            arrives_s += INTERVAL_S
        self._free_s[sender_controller] = arrives_s
        loop.call_at(arrives_s, self._arrive, sender_controller, destination_address, transport, data)

    def _arrive(self, sender: Any, destination: Any, transport: Any, data: bytes) -> None:
        """Deliver as LocalLink does, but from the connection's address, public or random."""
        connection = sender.le_connections.get(destination)
        receiver = self.find_le_controller(destination)
        if connection is not None and receiver is not None:
            receiver.on_link_acl_data(connection.self_address, transport, data)


class Radio(Controller):
    """A controller with data length 251 that reports a packet as completed when it was acknowledged."""

    le_acl_data_packet_length = 251
    total_num_le_acl_data_packets = 8

    def send_hci_packet(self, packet: hci.HCI_Packet) -> None:
        if isinstance(packet, hci.HCI_Number_Of_Completed_Packets_Event) and isinstance(self.link, Air):
            loop = asyncio.get_running_loop()
            loop.call_at(max(loop.time(), self.link.free_at(self)), super().send_hci_packet, packet)
        else:
            super().send_hci_packet(packet)


async def new_device(air: Air, name: str, address: str) -> Device:
    """Return a powered host with its controller; it pairs without confirmation and keeps bonds in memory."""
    controller = Radio(name, link=air)
    device = Device(name, hci.Address(address), host=Host(controller, AsyncPipeSink(controller)))
    device.keystore = MemoryKeyStore()
    device.pairing_config_factory = lambda _connection: PairingConfig(sc=True, mitm=False, bonding=True)
    await device.power_on()
    return device
