"""``make flash``: build if stale, choose the board, write it, and hear from the new firmware."""

from __future__ import annotations

import asyncio
import contextlib
import shlex
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from host.board_tools import targets, zephyr
from host.board_tools.machine import Machine
from host.board_tools.outcome import BoardError, Status
from host.board_tools.talk import NoHelloError, Talk, firmware_text
from host.board_tools.targets import Target
from host.board_tools.wanted import Wanted, choose
from host.link.discover import Attached, Kind
from host.link.port import PortError
from protocol.wire import VERSION, Capability, Hello, Reset, ResetKind

PRESS_RESET = "press RESET on the dongle (the small button at its side; the red LED then fades), and run this again"


async def flash(machine: Machine, wanted: Wanted, say: Callable[[str], None]) -> None:
    """Do all of it; BoardError has the exit status of what went wrong."""
    base, release = targets.zephyr_of(machine)
    writer = _writer(machine, wanted.target, base)
    name = zephyr.zephyr_name(wanted.target.name, release)
    folder = zephyr.build_folder(name)
    for command in zephyr.build_commands(machine.root, name, base):
        _run(machine, command, wanted, say, "the build failed")
    board = await choose(machine, wanted)
    say(f"writing {board.kind.value} at {board.port}, serial {board.serial or 'unknown'}")
    if wanted.target.by_bootloader:
        board = await _start_bootloader(machine, wanted, board, say)
    others = frozenset(machine.boards())
    for command in _write_commands(wanted.target, writer, folder, board):
        _run(machine, command, wanted, say, "writing the board failed")
    if not wanted.dry_run:
        await _check(machine, wanted, board, others, say)


def _writer(machine: Machine, target: Target, base: Path) -> list[str]:
    """The tool, looked for before the long build."""
    targets.need(machine, "cmake", "`sudo apt install cmake`, or see docs/firmware.md")
    targets.need(machine, "ninja", "`sudo apt install ninja-build`, or see docs/firmware.md")
    if target.by_bootloader:
        return targets.dfu_tool(machine)
    targets.need(machine, "west", "`pip install west`")
    return ["west", "flash", "--skip-rebuild", "--runner", targets.runner(machine, base)]


def _write_commands(target: Target, writer: Sequence[str], folder: Path, board: Attached) -> list[list[str]]:
    if not target.by_bootloader:
        which = ["--dev-id", board.serial] if board.serial else []
        return [[*writer, "--build-dir", str(folder), *which]]
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
    try:
        status = machine.run(command)
    except OSError as error:
        text = f"{failed}: {command[0]} cannot be run ({error.strerror}): install it anew"
        raise BoardError(text, Status.TOOL_MISSING) from error
    if status:
        raise BoardError(f"{failed}: `{shlex.join(command)}` ended with status {status}", Status.FLASH_FAILED)


async def _start_bootloader(machine: Machine, wanted: Wanted, board: Attached, say: Callable[[str], None]) -> Attached:
    """A dongle is written by its bootloader: our firmware can start it; else its button does."""
    if board.kind is Kind.BOOTLOADER:
        return board
    if wanted.dry_run:
        say("first it is told to start its bootloader, whose port may be another one")
        return board
    others = frozenset(machine.boards())
    try:
        async with Talk(machine.open_port(board.port)) as talk:
            hello = await talk.hello()
            if not hello.capabilities & Capability.BOOTLOADER:
                raise BoardError(
                    f"{board.port}: its firmware cannot start the bootloader: {PRESS_RESET}", Status.NO_BOARD
                )
            talk.tell(Reset(kind=ResetKind.BOOTLOADER))
            with contextlib.suppress(PortError):  # the port vanishes with the firmware
                await talk.listen(0.1)
    except (PortError, NoHelloError) as error:
        raise BoardError(f"{error}; {PRESS_RESET}", Status.NO_BOARD) from error
    say("waiting for its bootloader")
    is_it = _turned_into(Kind.BOOTLOADER, board, others)
    found = await _appears(machine, wanted, is_it)
    if found is None:
        raise BoardError(f"the bootloader did not start: {PRESS_RESET}", Status.NO_BOARD)
    return found


def _turned_into(kind: Kind, board: Attached, others: Collection[Attached]) -> Callable[[Attached], bool]:
    """Is this the board, now another USB device? It is at the same socket; where the system does not tell that, it was
    not there before."""

    def is_it(one: Attached) -> bool:
        here = one.location == board.location if board.location and one.location else one not in others
        return one.kind is kind and here

    return is_it


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


async def _check(
    machine: Machine, wanted: Wanted, board: Attached, others: Collection[Attached], say: Callable[[str], None]
) -> None:
    """The new firmware's hello: this protocol, this version. ``others``: what was attached before it was written."""

    def is_same(one: Attached) -> bool:
        return one.kind is board.kind and one.serial == board.serial

    say("waiting for its hello")
    is_it = _turned_into(Kind.USB, board, others) if wanted.target.by_bootloader else is_same
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
