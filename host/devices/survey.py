"""Ask all attached boards who they are."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from ..transport.transport import TransportError
from ..wire import VERSION, Error, Hello, Link, Role
from .client import BoardClient, firmware_text
from .errors import NoHelloError
from .host_system import HostSystem
from .names import name_of, read_names
from .usb import Kind, UsbDevice

NO_ANSWER = "no answer"
#: Time for a board to report its connections after its hello.
_LINKS_S = 0.1


@dataclass(frozen=True, slots=True)
class BoardInfo:
    """A board and its answer. ``hello`` is None if it did not answer; then ``last_error`` says why."""

    board: UsbDevice
    port: str
    name: str
    hello: Hello | None
    links: tuple[Link, ...] = ()
    faults: tuple[Error, ...] = ()
    last_error: str = ""

    @property
    def role(self) -> Role | None:
        """The board's role, None if it is unknown."""
        known = self.hello is not None and self.hello.version == VERSION and self.hello.role in list(Role)
        return Role(self.hello.role) if known and self.hello is not None else None

    @property
    def firmware(self) -> str:
        """The firmware's version, empty if it is unknown."""
        return "" if self.hello is None else firmware_text(self.hello)

    def __str__(self) -> str:
        role = self.role.name.lower() if self.role is not None else self.last_error or self.board.kind.value
        return f"{self.port} (serial {self.board.serial or 'unknown'}, {self.name or role})"


async def survey(host_system: HostSystem, names: Mapping[str, str] | None = None) -> list[BoardInfo]:
    """Greet every attached board. ``names`` replaces those of ``boards.toml``."""
    names = read_names(host_system.folder) if names is None else names
    boards = host_system.boards()
    answers = (_greet(host_system, board, name_of(names, board.serial)) for board in boards)
    return list(await asyncio.gather(*answers))


async def port_that_answers(host_system: HostSystem, board: UsbDevice) -> str:
    """Return the port of a development kit behind which a board answers, its first port if none does.

    The port of a board that has only one is not opened.
    """
    return board.port if len(board.ports) == 1 else (await _greet(host_system, board, "", links_s=0.0)).port


async def _greet(host_system: HostSystem, board: UsbDevice, name: str, *, links_s: float = _LINKS_S) -> BoardInfo:
    if board.kind is Kind.BOOTLOADER:
        return BoardInfo(board, board.port, name, None, last_error="in its bootloader")
    last_error = ""
    for port in board.ports:
        try:
            async with BoardClient(host_system.open_port(port)) as client:
                hello = await client.greet()
                await client.listen(links_s)
                return BoardInfo(board, port, name, hello, tuple(client.links.values()), tuple(client.faults.values()))
        except NoHelloError:
            last_error = last_error or NO_ANSWER
        except TransportError as error:
            last_error = str(error).removeprefix(f"{port}: ")
    return BoardInfo(board, board.port, name, None, last_error=last_error)
