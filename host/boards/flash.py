"""``make flash``: build if stale, choose the board, write it, and hear from the new firmware."""

from __future__ import annotations

import asyncio
import contextlib
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path

from ..devices.client import BoardClient, NoHelloError
from ..devices.errors import BoardError, ExitStatus
from ..devices.host_system import HostSystem
from ..devices.usb import Kind, UsbDevice
from ..transport.transport import TransportError
from ..wire import Capability, Reset, ResetKind
from . import targets, zephyr
from .flash_options import FlashOptions, choose
from .reenumeration import Before, check, reenumerated_as, wait_for_device
from .targets import Target

PRESS_RESET = "press RESET on the dongle (the small button at its side; the red LED then fades), and run this again"


async def flash(machine: HostSystem, wanted: FlashOptions, say: Callable[[str], None]) -> None:
    """Do all of it; BoardError has the exit status of what went wrong."""
    base, release = targets.zephyr_of(machine)
    writer = _writer(machine, wanted.target, base)
    name = zephyr.zephyr_name(wanted.target.name, release)
    folder = zephyr.build_folder(name, own_usb=wanted.changes_port)
    for command in zephyr.build_commands(machine.root, name, base, own_usb=wanted.changes_port):
        _run(machine, command, wanted, say, "the build failed")
    board = await choose(machine, wanted)
    say(f"writing {board.kind.value} at {board.port}, serial {board.serial or 'unknown'}")
    if wanted.target.by_bootloader:
        board = await _start_bootloader(machine, wanted, board, say)
    before = Before(board, frozenset(machine.boards()), asyncio.get_running_loop().time())
    for command in _write_commands(wanted.target, writer, folder, board):
        _run(machine, command, wanted, say, "writing the board failed")
    if not wanted.dry_run:
        await check(machine, wanted, before, say)


def _writer(machine: HostSystem, target: Target, base: Path) -> list[str]:
    """The tool, looked for before the long build."""
    targets.need(machine, "cmake", "`sudo apt install cmake`, or see docs/firmware.md")
    targets.need(machine, "ninja", "`sudo apt install ninja-build`, or see docs/firmware.md")
    if target.by_bootloader:
        return targets.dfu_tool(machine)
    targets.need(machine, "west", "`pip install west`")
    return ["west", "flash", "--skip-rebuild", "--runner", targets.runner(machine, base)]


def _write_commands(target: Target, writer: Sequence[str], folder: Path, board: UsbDevice) -> list[list[str]]:
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


def _run(
    machine: HostSystem, command: Sequence[str], wanted: FlashOptions, say: Callable[[str], None], failed: str
) -> None:
    say(f"$ {shlex.join(command)}")
    if wanted.dry_run:
        return
    try:
        status = machine.run(command)
    except OSError as error:
        text = f"{failed}: {command[0]} cannot be run ({error.strerror}): install it anew"
        raise BoardError(text, ExitStatus.TOOL_MISSING) from error
    if status:
        raise BoardError(f"{failed}: `{shlex.join(command)}` ended with status {status}", ExitStatus.FLASH_FAILED)


async def _start_bootloader(
    machine: HostSystem, wanted: FlashOptions, board: UsbDevice, say: Callable[[str], None]
) -> UsbDevice:
    """A dongle is written by its bootloader: our firmware can start it; else its button does."""
    if board.kind is Kind.BOOTLOADER:
        return board
    if wanted.dry_run:
        say("first it is told to start its bootloader, whose port may be another one")
        return board
    others = frozenset(machine.boards())
    try:
        async with BoardClient(machine.open_port(board.port)) as client:
            hello = await client.hello()
            if not hello.capabilities & Capability.BOOTLOADER:
                raise BoardError(
                    f"{board.port}: its firmware cannot start the bootloader: {PRESS_RESET}", ExitStatus.NO_BOARD
                )
            client.send(Reset(kind=ResetKind.BOOTLOADER))
            with contextlib.suppress(TransportError):  # the port vanishes with the firmware
                await client.listen(0.1)
    except (TransportError, NoHelloError) as error:
        raise BoardError(f"{error}; {PRESS_RESET}", ExitStatus.NO_BOARD) from error
    say("waiting for its bootloader")
    found = await wait_for_device(machine, wanted, reenumerated_as(Kind.BOOTLOADER, board, others))
    if found is None:
        raise BoardError(f"the bootloader did not start: {PRESS_RESET}", ExitStatus.NO_BOARD)
    return found
