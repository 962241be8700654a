"""``make flash``: build if stale, choose the board, write it, and hear from the new firmware."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from host.board_tools import targets
from host.board_tools.find import ROLES, Seen, survey
from host.board_tools.machine import Machine
from host.board_tools.names import read_names
from host.board_tools.outcome import BoardError, Status
from host.board_tools.talk import NoHelloError, Talk, firmware_text
from host.board_tools.targets import Target
from host.link.discover import Attached, Kind
from host.link.port import PortError
from protocol.wire import VERSION, Capability, Hello, Reset, ResetKind

PRESS_RESET = "press RESET on the dongle (the small button at its side; the red LED then fades), and run this again"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to write where. ``serial`` or ``role`` choose among several boards; empty: there is only one."""

    target: Target
    serial: str = ""
    role: str = ""
    dry_run: bool = False
    #: For the bootloader, or the new firmware, to show up after a reset.
    wait_s: float = 15.0


async def flash(machine: Machine, wanted: Wanted, say: Callable[[str], None]) -> None:
    """Do all of it; BoardError has the exit status of what went wrong."""
    zephyr, release = targets.zephyr_of(machine)
    writer = _writer(machine, wanted.target, zephyr)
    folder = Path("build") / "firmware" / wanted.target.zephyr_name((0, 0))
    for command in _build_commands(machine, wanted.target, release, folder):
        _run(machine, command, wanted, say, "the build failed")
    board = await _choose(machine, wanted)
    say(f"writing {board.kind.value} at {board.port}, serial {board.serial or 'unknown'}")
    if wanted.target.by_bootloader:
        board = await _start_bootloader(machine, wanted, board, say)
    for command in _write_commands(wanted.target, writer, folder, board):
        _run(machine, command, wanted, say, "writing the board failed")
    if not wanted.dry_run:
        await _check(machine, wanted, board, say)


def _writer(machine: Machine, target: Target, zephyr: Path) -> list[str]:
    """The tool, looked for before the long build."""
    targets.need(machine, "cmake", "`sudo apt install cmake`, or see docs/firmware.md")
    targets.need(machine, "ninja", "`sudo apt install ninja-build`, or see docs/firmware.md")
    if target.by_bootloader:
        return targets.dfu_tool(machine)
    targets.need(machine, "west", "`pip install west`")
    return ["west", "flash", "--skip-rebuild", "--runner", targets.runner(machine, zephyr)]


def _build_commands(machine: Machine, target: Target, release: tuple[int, int], folder: Path) -> list[list[str]]:
    """cmake once; ninja always: it knows what is stale."""
    configure = ["cmake", "-GNinja", "-S", "firmware", "-B", str(folder), f"-DBOARD={target.zephyr_name(release)}"]
    configured = (machine.root / folder / "build.ninja").is_file()
    return [*([] if configured else [configure]), ["ninja", "-C", str(folder)]]


def _write_commands(target: Target, writer: Sequence[str], folder: Path, board: Attached) -> list[list[str]]:
    if not target.by_bootloader:
        return [[*writer, "--build-dir", str(folder), "--dev-id", board.serial]]
    package = str(folder / "dfu.zip")
    image = str(folder / "zephyr" / "zephyr.hex")
    make = ["pkg", "generate", "--hw-version", "52", "--sd-req", "0x00", "--application-version", "1"]
    return [
        [*writer, *make, "--application", image, package],
        [*writer, "dfu", "usb-serial", "--package", package, "--port", board.port],
    ]


def _run(machine: Machine, command: Sequence[str], wanted: Wanted, say: Callable[[str], None], failed: str) -> None:
    say(f"$ {shlex.join(command)}")
    if wanted.dry_run:
        return
    status = machine.run(command)
    if status:
        raise BoardError(f"{failed}: `{shlex.join(command)}` ended with status {status}", Status.FLASH_FAILED)


async def _choose(machine: Machine, wanted: Wanted) -> Attached:
    """The one board that is meant. Boards are greeted only if a role must decide."""
    boards = [board for board in machine.boards() if board.kind in wanted.target.kinds]
    if not boards:
        raise BoardError(f"no {wanted.target.name} is attached{_hint(machine, wanted.target)}", Status.NO_BOARD)
    listed = ", ".join(f"{board.port} (serial {board.serial or 'unknown'})" for board in boards)
    if wanted.serial:
        meant = [board for board in boards if board.serial == wanted.serial.lstrip("0")]
        if not meant:
            raise BoardError(f"SNR={wanted.serial}: no such board; attached: {listed}", Status.NO_BOARD)
    elif wanted.role and len(boards) > 1:
        meant = await _of_role(machine, wanted.role, boards)
    else:
        meant = boards
    if len(meant) != 1:
        hint = "choose one with SNR=… or ROLE=camera|edge (boards.toml gives names, docs/boards.md)"
        raise BoardError(f"several boards are attached: {listed}: {hint}", Status.SEVERAL_BOARDS)
    return meant[0]


async def _of_role(machine: Machine, role: str, boards: Sequence[Attached]) -> list[Attached]:
    """The boards that boards.toml gives this name, else those that say that they have the role."""
    named = read_names(machine.folder).get(role)
    if named is not None:
        found = [board for board in boards if board.serial == named]
        if not found:
            raise BoardError(f"boards.toml: {role} is {named}, and that board is not attached", Status.NO_BOARD)
        return found
    seen: list[Seen] = await survey(machine)
    meant = {one.board for one in seen if one.role is ROLES[role]}
    return [board for board in boards if board in meant] or list(boards)


def _hint(machine: Machine, target: Target) -> str:
    others = [board for board in machine.boards() if board.kind not in target.kinds]
    if others:
        listed = ", ".join(f"{board.kind.value} at {board.port}" for board in others)
        return f" (but {listed}: another BOARD=?)"
    where = "plug it in" if target.by_bootloader else "plug it in at its debugger's USB socket and switch it on"
    return f": {where}"


async def _start_bootloader(machine: Machine, wanted: Wanted, board: Attached, say: Callable[[str], None]) -> Attached:
    """A dongle is written by its bootloader: our firmware can start it; else its button does."""
    if board.kind is Kind.BOOTLOADER or wanted.dry_run:
        return board
    try:
        async with Talk(machine.open_port(board.port)) as talk:
            hello = await talk.hello()
            if not hello.capabilities & Capability.BOOTLOADER:
                raise BoardError(
                    f"{board.port}: its firmware cannot start the bootloader: {PRESS_RESET}", Status.NO_BOARD
                )
            talk.tell(Reset(kind=ResetKind.BOOTLOADER))
            await talk.listen(0.1)
    except (PortError, NoHelloError) as error:
        raise BoardError(f"{error}; {PRESS_RESET}", Status.NO_BOARD) from error
    say("waiting for its bootloader")
    found = await _appears(machine, wanted, lambda one: one.kind is Kind.BOOTLOADER)
    if found is None:
        raise BoardError(f"the bootloader did not start: {PRESS_RESET}", Status.NO_BOARD)
    return found


async def _appears(machine: Machine, wanted: Wanted, is_it: Callable[[Attached], bool]) -> Attached | None:
    loop = asyncio.get_running_loop()
    end_s = loop.time() + wanted.wait_s
    while True:
        found = [board for board in machine.boards() if is_it(board)]
        if len(found) == 1:
            return found[0]
        if loop.time() >= end_s:
            return None
        await asyncio.sleep(0.1)


async def _check(machine: Machine, wanted: Wanted, board: Attached, say: Callable[[str], None]) -> None:
    """The new firmware's hello: this protocol, this version."""
    known = {one.port for one in machine.boards() if one.kind is Kind.USB}

    def is_it(one: Attached) -> bool:
        if wanted.target.by_bootloader:  # another USB device than its bootloader was
            return one.kind is Kind.USB and (one.serial == board.serial or one.port not in known or len(known) == 1)
        return one.kind is board.kind and one.serial == board.serial

    say("waiting for its hello")
    found = await _appears(machine, wanted, is_it)
    if found is None:
        raise BoardError("written, but the board did not come back: unplug it, plug it in again", Status.WRONG_FIRMWARE)
    port, hello = await _hear(machine, wanted, found)
    version = targets.built_version(machine)
    text = ".".join(map(str, version))
    if hello.version != VERSION or tuple(hello.firmware) != version:
        raise BoardError(
            f"{port}: wrong firmware answered: {firmware_text(hello)} with protocol {hello.version}, and {text} with "
            f"protocol {VERSION} was written: was it another board? unplug the others and run this again",
            Status.WRONG_FIRMWARE,
        )
    say(f"{port}: firmware {text}, protocol {VERSION}, answers")


async def _hear(machine: Machine, wanted: Wanted, board: Attached) -> tuple[str, Hello]:
    loop = asyncio.get_running_loop()
    end_s = loop.time() + wanted.wait_s
    why = ""
    while True:
        for port in board.ports:
            try:
                async with Talk(machine.open_port(port)) as talk:
                    return port, await talk.hello()
            except (PortError, NoHelloError) as error:
                why = str(error)
        if loop.time() >= end_s:
            raise BoardError(f"written, but {why}", Status.WRONG_FIRMWARE)
        await asyncio.sleep(0.2)
