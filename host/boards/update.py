"""``host.boards update``: write signed firmware over the serial port, which MCUboot receives.

The firmware leaves MCUboot a request that survives the reset. MCUboot then receives the image, and starts it if its
signature fits. If there is no firmware that it may start, it waits for an update by itself.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from ..cli.command import USAGE, CommandError
from ..devices.client import BoardClient, firmware_text
from ..devices.errors import NoHelloError
from ..devices.host_system import HostSystem
from ..devices.survey import BoardInfo
from ..devices.usb import Kind
from ..errors import PncError, Reason
from ..transport.transport import TransportError
from ..wire import Capability, Hello, Reset, ResetKind
from .exit_status import ExitStatus

#: Time for MCUboot to start, and for new firmware: MCUboot verifies its signature before.
_MCUBOOT_S, _FIRMWARE_S = 10.0, 15.0
_PAUSE_S = 0.2
_STEPS = 4  # of the progress that is shown


class UpdateError(PncError):
    """An update needs a package that is not installed."""


async def update(host_system: HostSystem, info: BoardInfo, file: str, say: Callable[[str], None]) -> None:
    """Write the firmware in a file to a board, and wait until it answers. Raises CommandError and UpdateError."""
    mcuboot = _mcuboot()
    try:
        image = mcuboot.read_image(Path(file))
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}", USAGE) from error
    except mcuboot.ImageError as error:
        raise CommandError(f"{file}: {error}: `make firmware MCUBOOT=KEY` builds zephyr.signed.bin", USAGE) from error
    if info.board.kind is not Kind.DEBUGGER:
        raise CommandError(
            f"{info.port}: a board at its own USB has another bootloader: `make flash` writes it", ExitStatus.NO_BOARD
        )
    if info.hello is not None:
        await _request_bootloader(host_system, info.port)
    try:
        await _write(mcuboot, info.port, image, say)
    except mcuboot.ERRORS as error:
        problem = f"{info.port}: the update failed ({error or type(error).__name__})"
        raise CommandError(f"{problem}; MCUboot waits for another: run this again", ExitStatus.FLASH_FAILED) from error
    say(f"{info.port}: waiting for its hello")
    await _check(host_system, mcuboot, info.port, image.version)
    say(f"{info.port}: firmware {'.'.join(map(str, image.version))} answers")


def _mcuboot() -> ModuleType:
    try:
        from . import mcuboot
    except ImportError as error:
        text = "an update needs the package smpclient"
        raise UpdateError(text, reason=Reason.MISSING_PACKAGE, subject="pnc-link[update]") from error
    return mcuboot


async def _request_bootloader(host_system: HostSystem, port: str) -> None:
    async with BoardClient(host_system.open_port(port)) as client:
        hello = await client.greet()
        if not hello.capabilities & Capability.BOOTLOADER:
            raise CommandError(
                f"{port}: its firmware was not written with MCUboot: `make flash MCUBOOT=KEY` writes both",
                ExitStatus.NO_BOARD,
            )
        client.send(Reset(kind=ResetKind.BOOTLOADER))
        with contextlib.suppress(TransportError):
            await client.listen(_PAUSE_S)


async def _write(mcuboot: ModuleType, port: str, image: object, say: Callable[[str], None]) -> None:
    say(f"{port}: waiting for MCUboot")
    async with mcuboot.connected(port) as client:
        if not await _answers(mcuboot, client):
            raise CommandError(
                f"{port}: no MCUboot answered: hold the board's button 1 while you press RESET, and run this again",
                ExitStatus.NO_BOARD,
            )
        shown = -1
        async for part in mcuboot.upload(client, image):
            if int(part * _STEPS) > shown:
                shown = int(part * _STEPS)
                say(f"{port}: {100 * shown // _STEPS} % written")
        await mcuboot.start_firmware(client)


async def _answers(mcuboot: ModuleType, client: object) -> bool:
    end_s = asyncio.get_running_loop().time() + _MCUBOOT_S
    while not await mcuboot.answers(client):
        if asyncio.get_running_loop().time() > end_s:
            return False
    return True


async def _check(host_system: HostSystem, mcuboot: ModuleType, port: str, version: tuple[int, int, int]) -> None:
    """Wait for the hello of the firmware with that version. Raises CommandError."""
    hello = await _hello(host_system, port)
    if hello is None:
        async with mcuboot.connected(port) as client:
            waits = await _answers(mcuboot, client)
        problem = (
            "MCUboot does not start this firmware, and waits for another: is it signed with the key of the board?"
            if waits
            else "written, but no board answered: unplug it, plug it in again"
        )
        raise CommandError(f"{port}: {problem}", ExitStatus.WRONG_FIRMWARE)
    if tuple(hello.firmware) != version:
        text = f"{port}: wrong firmware answered: {firmware_text(hello)}, and {'.'.join(map(str, version))} was written"
        raise CommandError(text, ExitStatus.WRONG_FIRMWARE)


async def _hello(host_system: HostSystem, port: str) -> Hello | None:
    end_s = asyncio.get_running_loop().time() + _FIRMWARE_S
    while asyncio.get_running_loop().time() < end_s:
        with contextlib.suppress(TransportError, NoHelloError):
            async with BoardClient(host_system.open_port(port)) as client:
                return await client.greet()
        await asyncio.sleep(_PAUSE_S)
    return None
