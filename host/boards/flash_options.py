"""Which board ``make flash`` writes: by serial number or role, never by guess."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..devices.errors import BoardError, ExitStatus
from ..devices.host_system import HostSystem
from ..devices.names import read_names
from ..devices.survey import ROLES, BoardInfo, survey
from ..devices.usb import Kind, UsbDevice
from ..wire import Role
from .targets import Target


@dataclass(frozen=True, slots=True)
class FlashOptions:
    """What to write where. ``serial`` or ``role`` choose among several boards; empty: there is only one."""

    target: Target
    serial: str = ""
    role: str = ""
    #: The firmware's port is the chip's own USB, on a board whose default is another one.
    own_usb: bool = False
    dry_run: bool = False
    #: For the bootloader, or the new firmware, to show up after a reset.
    wait_s: float = 15.0

    @property
    def changes_port(self) -> bool:
        """The new firmware answers elsewhere than where the board is written."""
        return self.own_usb and not self.target.by_bootloader


async def choose(machine: HostSystem, wanted: FlashOptions) -> UsbDevice:
    """The one board that is meant. Boards are greeted only if a role must decide."""
    boards = [board for board in machine.boards() if board.kind in wanted.target.kinds]
    if not boards:
        raise BoardError(f"no {wanted.target.name} is attached{_hint(machine, wanted.target)}", ExitStatus.NO_BOARD)
    listed = ", ".join(f"{board.port} (serial {board.serial or 'unknown'})" for board in boards)
    if wanted.serial:
        meant = [board for board in boards if board.serial == wanted.serial.lstrip("0")]
        if not meant:
            raise BoardError(f"SNR={wanted.serial}: no such board; attached: {listed}", ExitStatus.NO_BOARD)
    elif wanted.role:
        meant = await _of_role(machine, wanted.role, boards)
    else:
        meant = boards
    if len(meant) != 1:
        hint = "choose one with SNR=… or ROLE=camera|edge (boards.toml gives names, docs/boards.md)"
        raise BoardError(f"several boards are attached: {listed}: {hint}", ExitStatus.SEVERAL_BOARDS)
    return meant[0]


async def _of_role(machine: HostSystem, role: str, boards: Sequence[UsbDevice]) -> list[UsbDevice]:
    """The boards that boards.toml gives this name, else those that say that they have the role."""
    named = read_names(machine.folder).get(role)
    if named is not None:
        found = [board for board in boards if board.serial == named]
        if not found and [board.kind for board in boards] == [Kind.BOOTLOADER]:
            return list(boards)  # it has another serial number than the firmware
        if not found:
            raise BoardError(f"boards.toml: {role} is {named}, and that board is not attached", ExitStatus.NO_BOARD)
        return found
    seen: list[BoardInfo] = await survey(machine)
    roles = {one.board: one.role for one in seen}
    meant = [board for board in boards if roles.get(board) is ROLES[role]]
    other = roles.get(boards[0])
    if not meant and len(boards) == 1 and other is not None and other is not Role.NONE:
        raise BoardError(
            f"ROLE={role}: the only board attached, at {boards[0].port}, has the role {other.name.lower()}: leave ROLE "
            "out, or plug the other one in",
            ExitStatus.NO_BOARD,
        )
    return meant or list(boards)


def _hint(machine: HostSystem, target: Target) -> str:
    others = [board for board in machine.boards() if board.kind not in target.kinds]
    if others:
        listed = ", ".join(f"{board.kind.value} at {board.port}" for board in others)
        return f" (but {listed}: another BOARD=?)"
    where = "plug it in" if target.by_bootloader else "plug it in at its debugger's USB socket and switch it on"
    return f": {where}"
