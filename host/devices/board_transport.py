"""Transport to a board that is known by its USB device, not by the current name of its port."""

from __future__ import annotations

from dataclasses import replace

from ..errors import Reason
from ..transport.transport import TransportError
from .host_system import HostSystem
from .survey import port_that_answers
from .usb import UsbDevice


class BoardTransport:
    """The serial port of one board, found again at every ``open``.

    A board that was unplugged or reset may come back under another name. Of a development kit's ports the one that
    answers is opened. ``name`` is the port that was opened last.
    """

    def __init__(self, host_system: HostSystem, board: UsbDevice) -> None:
        self._host_system = host_system
        self._board = board
        self._port = host_system.open_port(board.port)
        self._number = 0  # of the port that answered last: asked first
        self.name = board.port

    async def open(self) -> None:
        """Find the board and open its port. Raises TransportError if it is not attached or cannot be opened."""
        await self.close()
        ports = self._find().ports
        first = self._number % len(ports)
        ordered = replace(self._board, ports=(ports[first], *ports[:first], *ports[first + 1 :]))
        self.name = await port_that_answers(self._host_system, ordered)
        self._number = ports.index(self.name)
        self._port = self._host_system.open_port(self.name)
        await self._port.open()

    def write(self, data: bytes) -> None:
        """Send bytes; see Transport."""
        self._port.write(data)

    async def read(self) -> bytes:
        """Wait for bytes; see Transport."""
        return await self._port.read()

    async def close(self) -> None:
        """Close the port; see Transport."""
        await self._port.close()

    def _find(self) -> UsbDevice:
        for board in self._host_system.boards():
            if board.kind is self._board.kind and _is_same(board, self._board):
                return board
        which = f"serial {self._board.serial}" if self._board.serial else f"at {self._board.port} before"
        raise TransportError(f"the board ({which}) is not attached", reason=Reason.UNKNOWN_BOARD)


def _is_same(one: UsbDevice, other: UsbDevice) -> bool:
    """Compare serial numbers; without them USB locations; where the OS reports none, ports."""
    if one.serial or other.serial:
        return one.serial == other.serial
    return one.location == other.location if one.location and other.location else one.port == other.port
