"""``make flash``: build if stale, choose the board, write it, and wait for the new firmware's hello."""

from __future__ import annotations

import asyncio
import contextlib
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path

from ..cli.command import USAGE, CommandError
from ..devices.client import BoardClient
from ..devices.errors import NoHelloError
from ..devices.host_system import HostSystem
from ..devices.usb import Kind, UsbDevice
from ..printing import show
from ..transport.transport import TransportError
from ..wire import Capability, Reset, ResetKind
from . import locked_chip, targets, zephyr
from .exit_status import ExitStatus
from .flash_options import RESET_BUTTON, FlashOptions, choose
from .reenumeration import Before, check, reenumerated_as, wait_for_device
from .targets import Target

PRESS_RESET = f"{RESET_BUTTON}, and run this again"


async def flash(host_system: HostSystem, options: FlashOptions, say: Callable[[str], None]) -> None:
    """Build, choose, write and check. Raises CommandError with the exit status of the step that failed."""
    if options.erase and options.target.by_bootloader:
        raise CommandError(
            "ERASE=1: a dongle's bootloader does not erase settings: `python -m host.boards forget` removes its bonds",
            USAGE,
        )
    base, release = targets.zephyr_of(host_system)
    targets.check_release(options.target, release, options.signing)
    writer = _writer(host_system, options.target, base)
    board = await choose(host_system, options)  # before the build, which takes minutes
    name = zephyr.zephyr_name(options.target.name, release)
    own_usb, signing = options.changes_port, options.signing
    folder = zephyr.build_folder(name, own_usb=own_usb, signing=signing)
    for command in zephyr.build_commands(host_system.root, name, base, own_usb=own_usb, signing=signing):
        _run(host_system, command, options, say, "the build failed")
    say(f"writing {board.kind.value} at {board.port}, serial {board.serial or 'unknown'}")
    if options.target.by_bootloader:
        board = await _start_bootloader(host_system, options, board, say)
    before = Before(board, frozenset(host_system.boards()), asyncio.get_running_loop().time())
    commands = _write_commands(options, writer, folder, board)

    def unlock(heard: list[str]) -> str:
        by_debugger = not options.target.by_bootloader
        return locked_chip.advice(host_system, base, options.target.name, commands[-1], heard) if by_debugger else ""

    for command in commands:
        _run(host_system, command, options, say, "writing the board failed", unlock)
    if not options.dry_run:
        await check(host_system, options, before, say)


def _writer(host_system: HostSystem, target: Target, base: Path) -> list[str]:
    """Return the tool that writes the board. It is looked for before the build, which takes minutes."""
    targets.need(host_system, "cmake", "`pip install 'cmake<4'`, or see docs/firmware.md")
    targets.cmake_of(host_system, base)
    targets.need(host_system, "ninja", "`sudo apt install ninja-build`, or see docs/firmware.md")
    if target.by_bootloader:
        return targets.dfu_tool(host_system)
    targets.need(host_system, "west", targets.GET_WEST)
    return ["west", "flash", zephyr.no_rebuild_option(base), "--runner", targets.runner(host_system, base, target.name)]


def _write_commands(options: FlashOptions, writer: Sequence[str], folder: Path, board: UsbDevice) -> list[list[str]]:
    if not options.target.by_bootloader:
        which = ["--dev-id", board.serial] if board.serial else []
        write = [*writer, "--build-dir", str(folder), *which]
        if not options.erase:
            return [write]
        return [_pyocd_erase(options.target, board), write] if writer[-1] == "pyocd" else [[*write, "--erase"]]
    package = str(folder / "dfu.zip")
    image = str(folder / "zephyr" / "zephyr.hex")
    make = ["pkg", "generate", "--hw-version", "52", "--sd-req", "0x00", "--application-version", "1"]
    return [
        [*writer, *make, "--application", image, package],
        [*writer, "dfu", "usb-serial", "--package", package, "--port", board.port],
    ]


def _pyocd_erase(target: Target, board: UsbDevice) -> list[str]:
    """Return the command that erases the chip by pyocd.

    West's runner for pyocd erases before each image, MCUboot's and then the firmware's: Zephyr's soc.yml limits
    ``--erase`` to the first image for other runners only.
    """
    chip = zephyr.BOARDS[target.name].partition("/")[0]
    which = ["--uid", board.serial] if board.serial else []
    return ["pyocd", "erase", "--chip", "--no-wait", "--target", chip, *which]


def _run(
    host_system: HostSystem,
    command: Sequence[str],
    options: FlashOptions,
    say: Callable[[str], None],
    failed: str,
    advice: Callable[[list[str]], str] | None = None,
) -> None:
    """Run a command, or with a dry run print it only. ``advice`` says what to do if it printed this and failed."""
    say(f"$ {shlex.join(command)}")
    if options.dry_run:
        return
    heard: list[str] = []

    def hear(line: str) -> None:
        show(line)
        heard.append(line)

    try:
        status = host_system.run(command) if advice is None else host_system.run_heard(command, hear)
    except OSError as error:
        text = f"{failed}: {command[0]} cannot be run ({error.strerror}): install it again"
        raise CommandError(text, ExitStatus.TOOL_MISSING) from error
    if status:
        what = "" if advice is None else advice(heard)
        text = f"{failed}: `{shlex.join(command)}` ended with status {status}{what}"
        raise CommandError(text, ExitStatus.FLASH_FAILED)


async def _start_bootloader(
    host_system: HostSystem, options: FlashOptions, board: UsbDevice, say: Callable[[str], None]
) -> UsbDevice:
    """Start the bootloader that writes a dongle. Our firmware can do so; otherwise the user presses its button."""
    if board.kind is Kind.BOOTLOADER:
        return board
    if options.dry_run:
        say("first the dongle starts its bootloader, which may have another port")
        return board
    others = frozenset(host_system.boards())
    try:
        async with BoardClient(host_system.open_port(board.port)) as client:
            hello = await client.greet()
            if not hello.capabilities & Capability.BOOTLOADER:
                raise CommandError(
                    f"{board.port}: its firmware cannot start the bootloader: {PRESS_RESET}", ExitStatus.NO_BOARD
                )
            client.send(Reset(kind=ResetKind.BOOTLOADER))
            with contextlib.suppress(TransportError):  # the port vanishes with the firmware
                await client.listen(0.1)
    except (TransportError, NoHelloError) as error:
        raise CommandError(f"{error}; {PRESS_RESET}", ExitStatus.NO_BOARD) from error
    say("waiting for its bootloader")
    found = await wait_for_device(host_system, options, reenumerated_as(Kind.BOOTLOADER, board, others))
    if found is None:
        raise CommandError(f"the bootloader did not start: {PRESS_RESET}", ExitStatus.NO_BOARD)
    return found
