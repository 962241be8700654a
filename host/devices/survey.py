"""Which board is meant: by port, serial number, name or role, never by guess."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..transport.transport import TransportError
from ..wire import VERSION, Hello, Link, Role
from .client import BoardClient, NoHelloError, firmware_text
from .errors import BoardError, ExitStatus
from .host_system import HostSystem
from .names import name_of, read_names
from .usb import Kind, UsbDevice

#: How long a board that was greeted gets to report its connections.
_LINKS_S = 0.1

ROLES = {"none": Role.NONE, "camera": Role.CAMERA, "edge": Role.EDGE}
NOTHING = (
    "no board is attached: plug one in (a development kit at its debugger's USB socket), or see `python -m host.boards "
    "doctor`"
)


@dataclass(frozen=True, slots=True)
class BoardInfo:
    """A board and what it said. ``hello`` is None if it kept silent; then ``last_error`` says why."""

    board: UsbDevice
    port: str
    name: str
    hello: Hello | None
    links: tuple[Link, ...] = ()
    last_error: str = ""

    @property
    def role(self) -> Role | None:
        """Its role, None if it is not known."""
        known = self.hello is not None and self.hello.version == VERSION and self.hello.role in list(Role)
        return Role(self.hello.role) if known and self.hello is not None else None

    @property
    def firmware(self) -> str:
        """Its firmware version, empty if it is not known."""
        return "" if self.hello is None else firmware_text(self.hello)

    def __str__(self) -> str:
        role = self.role.name.lower() if self.role is not None else self.last_error or self.board.kind.value
        return f"{self.port} (serial {self.board.serial or 'unknown'}, {self.name or role})"


async def survey(machine: HostSystem, names: Mapping[str, str] | None = None) -> list[BoardInfo]:
    """Greet every attached board. ``names``: others than those of boards.toml."""
    names = read_names(machine.folder) if names is None else names
    boards = machine.boards()
    return list(await asyncio.gather(*(_greet(machine, board, name_of(names, board.serial)) for board in boards)))


async def port_that_answers(machine: HostSystem, board: UsbDevice) -> str:
    """Of a development kit's ports the one behind which the board is; the first if none answers. A board's only port
    is not touched."""
    return board.port if len(board.ports) == 1 else (await _greet(machine, board, "", links_s=0.0)).port


async def _greet(machine: HostSystem, board: UsbDevice, name: str, *, links_s: float = _LINKS_S) -> BoardInfo:
    if board.kind is Kind.BOOTLOADER:
        return BoardInfo(board, board.port, name, None, last_error="in its bootloader")
    last_error = ""
    for port in board.ports:
        try:
            async with BoardClient(machine.open_port(port)) as client:
                hello = await client.hello()
                await client.listen(links_s)
                return BoardInfo(board, port, name, hello, tuple(client.links.values()))
        except NoHelloError:
            last_error = last_error or "no answer"
        except TransportError as error:
            last_error = str(error).removeprefix(f"{port}: ")
    return BoardInfo(board, board.port, name, None, last_error=last_error)


def choose(seen: Sequence[BoardInfo], wanted: str) -> BoardInfo:
    """The board that a person means by ``wanted`` (empty: the only one); BoardError if that is none or several."""
    meant = [one for one in seen if _is_called(one, wanted)] if wanted else list(seen)
    if not seen:
        raise BoardError(NOTHING, ExitStatus.NO_BOARD)
    if not meant:
        raise BoardError(f"{wanted}: no such board; attached: {_listed(seen)}", ExitStatus.NO_BOARD)
    if len(meant) > 1:
        raise BoardError(
            f"several boards are meant: {_listed(meant)}: choose one with --board", ExitStatus.SEVERAL_BOARDS
        )
    return meant[0]


def _is_called(one: BoardInfo, wanted: str) -> bool:
    by_role = one.role is not None and one.role is not Role.NONE and ROLES.get(wanted) is one.role
    by_serial = bool(one.board.serial) and wanted.lstrip("0") == one.board.serial
    return wanted in (*one.board.ports, one.name) or by_serial or (by_role and not one.name)


def _listed(seen: Sequence[BoardInfo]) -> str:
    return ", ".join(map(str, seen))
