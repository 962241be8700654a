"""Choose one of the attached boards, by name, serial number, port or role. A board is never guessed.

This is the only place that makes this decision. Each function raises BoardError if no board fits or if
several do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from ..errors import Reason
from ..wire import Role
from .errors import BoardError
from .host_system import HostSystem
from .names import FILE, read_names
from .survey import BoardInfo, port_that_answers, survey
from .usb import Kind, UsbDevice

AUTO = "auto"
ROLES = {"none": Role.NONE, "camera": Role.CAMERA, "edge": Role.EDGE}

_Board = TypeVar("_Board", UsbDevice, BoardInfo)


def choose(boards: Sequence[BoardInfo], requested: str) -> BoardInfo:
    """Return the board with that port, serial number, name or role; the only board if ``requested`` is empty.

    A role finds boards without a name in ``boards.toml`` only.
    """
    fitting = [board for board in boards if _is_called(board, requested)] if requested else list(boards)
    if boards and not fitting:
        raise _unknown(requested, boards)
    return _only(fitting)


def choose_pair(boards: Sequence[BoardInfo]) -> tuple[BoardInfo, BoardInfo]:
    """Return the only camera board and the only edge board."""
    cameras, edges = ([board for board in boards if board.role is role] for role in (Role.CAMERA, Role.EDGE))
    if len(cameras) == len(edges) == 1:
        return cameras[0], edges[0]
    missing = len(cameras) + len(edges) < 2
    raise BoardError(
        "one camera and one edge board are needed; attached are "
        f"{len(cameras)} of role camera, {len(edges)} of role edge",
        reason=Reason.UNKNOWN_BOARD if missing else Reason.SEVERAL_BOARDS,
    )


def choose_for_role(host_system: HostSystem, requested: str, role: str) -> UsbDevice | None:
    """Return the board that a program with this role uses.

    Args:
        host_system: this computer.
        requested: ``auto``, a name in ``boards.toml``, or another word, such as a port.
        role: the name in ``boards.toml`` that ``auto`` stands for. If no board has it, ``auto`` is the only board
            with firmware.

    Returns:
        None for another word, and for ``auto`` if no board with firmware is attached.
    """
    names = read_names(host_system.folder)
    if requested in names:
        return _named(host_system.boards(), requested, names[requested])
    boards = host_system.boards() if requested == AUTO else []
    if role in names and boards:
        return _named(boards, role, names[role])
    ready = [board for board in boards if board.kind is not Kind.BOOTLOADER]
    return _only(ready) if ready else None


async def port_named(host_system: HostSystem, text: str) -> str:
    """Return the port of the board that ``boards.toml`` calls ``text``; ``text`` itself if it is no such name."""
    names = read_names(host_system.folder)
    if text not in names:
        return text
    return await port_that_answers(host_system, _named(host_system.boards(), text, names[text]))


async def choose_for_writing(
    host_system: HostSystem, boards: Sequence[UsbDevice], *, serial: str = "", role: str = ""
) -> UsbDevice:
    """Return the board to write firmware to.

    Args:
        host_system: this computer.
        boards: those that the firmware is for; at least one.
        serial: a USB serial number. If it is given, nothing else counts.
        role: ``camera`` or ``edge``: the board with this name in ``boards.toml``, else the one that has this role.
            Boards are greeted only if the role must decide.
    """
    if serial:
        fitting = [board for board in boards if board.serial == serial.lstrip("0")]
        if not fitting:
            raise _unknown(f"serial {serial}", boards)
    else:
        fitting = await _of_role(host_system, boards, role) if role else list(boards)
    return _only(fitting)


async def _of_role(host_system: HostSystem, boards: Sequence[UsbDevice], role: str) -> list[UsbDevice]:
    serial = read_names(host_system.folder).get(role)
    if serial is not None:
        if [board.kind for board in boards] == [Kind.BOOTLOADER]:
            return list(boards)  # a bootloader has another serial number than the firmware
        return [_named(boards, role, serial)]
    roles = {info.board: info.role for info in await survey(host_system)}
    fitting = [board for board in boards if roles.get(board) is ROLES[role]]
    other = roles.get(boards[0])
    if not fitting and len(boards) == 1 and other not in (None, Role.NONE):
        raise BoardError(
            f"the only board attached, at {boards[0].port}, has the role {Role(other).name.lower()}",
            reason=Reason.WRONG_ROLE,
        )
    return fitting or list(boards)


def _only(boards: Sequence[_Board]) -> _Board:
    if not boards:
        raise BoardError("no board is attached", reason=Reason.NOT_ATTACHED)
    if len(boards) > 1:
        raise BoardError(f"several boards are attached: {_listed(boards)}", reason=Reason.SEVERAL_BOARDS)
    return boards[0]


def _named(boards: Sequence[UsbDevice], name: str, serial: str) -> UsbDevice:
    fitting = [board for board in boards if board.serial == serial]
    if not fitting:
        text = f"{FILE}: {name} is {serial}, and that board is not attached; attached: {_listed(boards) or 'none'}"
        raise BoardError(text, reason=Reason.UNKNOWN_BOARD)
    return fitting[0]


def _is_called(info: BoardInfo, requested: str) -> bool:
    by_role = info.role is not None and info.role is not Role.NONE and ROLES.get(requested) is info.role
    by_serial = bool(info.board.serial) and requested.lstrip("0") == info.board.serial
    return requested in (*info.board.ports, info.name) or by_serial or (by_role and not info.name)


def _unknown(requested: str, boards: Sequence[_Board]) -> BoardError:
    return BoardError(f"{requested}: no such board; attached: {_listed(boards)}", reason=Reason.UNKNOWN_BOARD)


def _listed(boards: Sequence[_Board]) -> str:
    return ", ".join(map(str, boards))
