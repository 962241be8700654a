"""Which board is meant: by port, serial number, name or role, never by guess."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..transport.transport import PortError
from ..wire import VERSION, Hello, Link, Role
from .client import NoHelloError, Talk, firmware_text
from .errors import BoardError, Status
from .host_system import Machine
from .names import name_of, read_names
from .usb import Attached, Kind

#: How long a board that was greeted gets to report its connections.
_LINKS_S = 0.1

ROLES = {"none": Role.NONE, "camera": Role.CAMERA, "edge": Role.EDGE}
NOTHING = (
    "no board is attached: plug one in (a development kit at its debugger's USB socket), or see `python -m host.boards "
    "doctor`"
)


@dataclass(frozen=True, slots=True)
class Seen:
    """A board and what it said. ``hello`` is None if it kept silent; then ``trouble`` says why."""

    board: Attached
    port: str
    name: str
    hello: Hello | None
    links: tuple[Link, ...] = ()
    trouble: str = ""

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
        role = self.role.name.lower() if self.role is not None else self.trouble or self.board.kind.value
        return f"{self.port} (serial {self.board.serial or 'unknown'}, {self.name or role})"


async def survey(machine: Machine, names: Mapping[str, str] | None = None) -> list[Seen]:
    """Greet every attached board. ``names``: others than those of boards.toml."""
    names = read_names(machine.folder) if names is None else names
    boards = machine.boards()
    return list(await asyncio.gather(*(_greet(machine, board, name_of(names, board.serial)) for board in boards)))


async def port_that_answers(machine: Machine, board: Attached) -> str:
    """Of a development kit's ports the one behind which the board is; the first if none answers. A board's only port
    is not touched."""
    return board.port if len(board.ports) == 1 else (await _greet(machine, board, "", links_s=0.0)).port


async def _greet(machine: Machine, board: Attached, name: str, *, links_s: float = _LINKS_S) -> Seen:
    if board.kind is Kind.BOOTLOADER:
        return Seen(board, board.port, name, None, trouble="in its bootloader")
    trouble = ""
    for port in board.ports:
        try:
            async with Talk(machine.open_port(port)) as talk:
                hello = await talk.hello()
                await talk.listen(links_s)
                return Seen(board, port, name, hello, tuple(talk.links.values()))
        except NoHelloError:
            trouble = trouble or "no answer"
        except PortError as error:
            trouble = str(error).removeprefix(f"{port}: ")
    return Seen(board, board.port, name, None, trouble=trouble)


def choose(seen: Sequence[Seen], wanted: str) -> Seen:
    """The board that a person means by ``wanted`` (empty: the only one); BoardError if that is none or several."""
    meant = [one for one in seen if _is_called(one, wanted)] if wanted else list(seen)
    if not seen:
        raise BoardError(NOTHING, Status.NO_BOARD)
    if not meant:
        raise BoardError(f"{wanted}: no such board; attached: {_listed(seen)}", Status.NO_BOARD)
    if len(meant) > 1:
        raise BoardError(f"several boards are meant: {_listed(meant)}: choose one with --board", Status.SEVERAL_BOARDS)
    return meant[0]


def _is_called(one: Seen, wanted: str) -> bool:
    by_role = one.role is not None and one.role is not Role.NONE and ROLES.get(wanted) is one.role
    by_serial = bool(one.board.serial) and wanted.lstrip("0") == one.board.serial
    return wanted in (*one.board.ports, one.name) or by_serial or (by_role and not one.name)


def _listed(seen: Sequence[Seen]) -> str:
    return ", ".join(map(str, seen))
