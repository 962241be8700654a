"""Pairing with a board through BlueZ, with an agent of our own.

BlueZ asks an agent before it pairs, also where there is nothing to compare ("just works"), and refuses where there is
none, as on a computer without a desktop (https://github.com/hbldh/bleak/issues/1434). For what a program asks for BlueZ
asks that program's agent, so pairing and agent go over one connection to D-Bus, and nobody else's agent changes.
BlueZ's interface: https://github.com/bluez/bluez/tree/master/doc, org.bluez.Agent and org.bluez.Device.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from ..errors import PncError

if TYPE_CHECKING:
    from dbus_fast import Message
    from dbus_fast.aio import MessageBus

_BLUEZ = "org.bluez"
_AGENT = "/pnc_link/agent"
_AGENT_INTERFACE = "org.bluez.Agent1"
_REJECTED = "org.bluez.Error.Rejected"
_DEVICE_INTERFACE = "org.bluez.Device1"


class BluezError(PncError):
    """BlueZ refused something; the text is BlueZ's."""


async def pair(device: str) -> None:
    """Pair with a connected device, by its D-Bus path, unless it is paired. BluezError, or D-Bus's own errors."""
    async with system_bus() as bus:
        # Asked for again, BlueZ would try the other kind of Bluetooth, and never end.
        properties = "org.freedesktop.DBus.Properties"
        [paired] = await call(bus, device, properties, "Get", "ss", [_DEVICE_INTERFACE, "Paired"])
        if paired.value:
            return
        bus.add_message_handler(lambda message: answer(message, device))
        await call(bus, "/org/bluez", "org.bluez.AgentManager1", "RegisterAgent", "os", [_AGENT, "NoInputNoOutput"])
        await call(bus, device, _DEVICE_INTERFACE, "Pair")


def answer(message: Message, device: str) -> Message | None:
    """The agent's answer to BlueZ: yes to pairing with that device, no to everything else; None: not for the agent."""
    from dbus_fast import Message, MessageType

    if message.message_type != MessageType.METHOD_CALL or message.interface != _AGENT_INTERFACE:
        return None
    if message.member in ("Release", "Cancel"):
        return Message.new_method_return(message)
    if message.member == "RequestAuthorization" and message.body == [device]:
        return Message.new_method_return(message)
    return Message.new_error(message, _REJECTED, "this agent pairs with one board and answers nothing else")


@asynccontextmanager
async def system_bus() -> AsyncIterator[MessageBus]:
    """A connection to D-Bus; BlueZ forgets with it what was registered over it."""
    from dbus_fast import BusType
    from dbus_fast.aio import MessageBus

    bus = await MessageBus(bus_type=BusType.SYSTEM).connect()
    try:
        yield bus
    finally:
        bus.disconnect()


async def call(
    bus: MessageBus, path: str, interface: str, member: str, signature: str = "", body: list[Any] | None = None
) -> list[Any]:
    """Call a method of BlueZ; its values. BluezError if it answers with an error."""
    from dbus_fast import Message, MessageType

    message = Message(
        destination=_BLUEZ, path=path, interface=interface, member=member, signature=signature, body=body or []
    )
    reply = await bus.call(message)
    if reply is None or reply.message_type == MessageType.ERROR:
        text = f"[{reply.error_name}] {' '.join(map(str, reply.body))}" if reply is not None else "no answer"
        raise BluezError(text.strip())
    return list(reply.body)
