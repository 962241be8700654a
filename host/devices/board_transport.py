"""The port of a board that is known by what it is, not by what the system calls its port today."""

from __future__ import annotations

from dataclasses import replace

from ..transport.transport import TransportError
from .host_system import HostSystem
from .survey import port_that_answers
from .usb import UsbDevice


class BoardTransport:
    """The port behind which a board is, looked for anew at every ``open``: a board that was unplugged or reset may come
    back under another name, and of a development kit's ports the one that answers is taken. ``name`` is the port that
    was opened last."""

    def __init__(self, machine: HostSystem, board: UsbDevice) -> None:
        self._machine = machine
        self._board = board
        self._port = machine.open_port(board.port)
        self._number = 0  # of the port that answered last: asked first
        self.name = board.port

    async def open(self) -> None:
        """Find the board and open its port; TransportError if it is not attached, or as the port's own."""
        await self.close()
        ports = self._find().ports
        first = self._number % len(ports)
        asked = replace(self._board, ports=(ports[first], *ports[:first], *ports[first + 1 :]))
        self.name = await port_that_answers(self._machine, asked)
        self._number = ports.index(self.name)
        self._port = self._machine.open_port(self.name)
        await self._port.open()

    def write(self, data: bytes) -> None:
        """As the port's own."""
        self._port.write(data)

    async def read(self) -> bytes:
        """As the port's own."""
        return await self._port.read()

    async def close(self) -> None:
        """As the port's own."""
        await self._port.close()

    def _find(self) -> UsbDevice:
        for board in self._machine.boards():
            if board.kind is self._board.kind and _is_same(board, self._board):
                return board
        which = f"serial {self._board.serial}" if self._board.serial else f"at {self._board.port} before"
        raise TransportError(f"the board ({which}) is not attached")


def _is_same(one: UsbDevice, other: UsbDevice) -> bool:
    """By its serial number; of boards without, by the USB socket; where the system does not tell it, by the port."""
    if one.serial or other.serial:
        return one.serial == other.serial
    return one.location == other.location if one.location and other.location else one.port == other.port
