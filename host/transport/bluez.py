"""Pairing with a board through BlueZ, with an agent of this program.

BlueZ consults an agent before it pairs, even for "just works" pairing, and refuses if there is none, as on a computer
without a desktop (https://github.com/hbldh/bleak/issues/1434). It consults the agent of the program that requested the
pairing. So the request and the agent share one D-Bus connection, and agents of other programs stay as they are.
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
    """An error reported by BlueZ, with its text."""


class NotPairedError(BluezError):
    """The device is not paired, and is not to be."""


async def pair(device: str, *, allowed: bool = True) -> None:
    """Pair with the connected device of a D-Bus path unless it is paired; BluezError, or errors of D-Bus.

    NotPairedError if it is not paired and pairing is not ``allowed``.
    """
    async with system_bus() as bus:
        # A second request would make BlueZ try classic Bluetooth, without end.
        properties = "org.freedesktop.DBus.Properties"
        [paired] = await call(bus, device, properties, "Get", "ss", [_DEVICE_INTERFACE, "Paired"])
        if paired.value:
            return
        if not allowed:
            raise NotPairedError("not paired with this computer")
        bus.add_message_handler(lambda message: answer(message, device))
        await call(bus, "/org/bluez", "org.bluez.AgentManager1", "RegisterAgent", "os", [_AGENT, "NoInputNoOutput"])
        await call(bus, device, _DEVICE_INTERFACE, "Pair")


def answer(message: Message, device: str) -> Message | None:
    """Return the agent's answer: yes to pairing with ``device``, else no; None if the message is not for an agent."""
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
    """Connect to the system D-Bus; with the connection ends every registration made over it."""
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
    """Call a method of BlueZ and return its values; BluezError if it answers with an error."""
    from dbus_fast import Message, MessageType

    message = Message(
        destination=_BLUEZ, path=path, interface=interface, member=member, signature=signature, body=body or []
    )
    reply = await bus.call(message)
    if reply is None or reply.message_type == MessageType.ERROR:
        text = f"[{reply.error_name}] {' '.join(map(str, reply.body))}" if reply is not None else "no answer"
        raise BluezError(text.strip())
    return list(reply.body)
