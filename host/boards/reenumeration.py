"""Wait for a board that was written or reset: it re-enumerates, maybe as another USB device, and answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import TypeVar

from ..cli.command import CommandError
from ..devices.client import BoardClient, firmware_text
from ..devices.errors import BoardError, NoHelloError
from ..devices.host_system import HostSystem
from ..devices.usb import Kind, UsbDevice
from ..transport.transport import TransportError
from ..wire import VERSION, Hello, Statistics, StatisticsRequest
from . import targets
from .exit_status import ExitStatus
from .flash_options import FlashOptions

_PAUSE_S = 0.1
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Before:
    """The board to write, the boards that were attached, and the event loop's time when writing began."""

    board: UsbDevice
    attached: Collection[UsbDevice]
    at_s: float


def reenumerated_as(kind: Kind, board: UsbDevice, others: Collection[UsbDevice]) -> Callable[[UsbDevice], bool]:
    """Return a predicate that recognises ``board`` after it has re-enumerated as ``kind``.

    It has the same USB location; where the OS does not report locations, it is none of ``others``, the devices that
    were attached before.
    """

    def is_board(device: UsbDevice) -> bool:
        known = device.location == board.location if board.location and device.location else device not in others
        return device.kind is kind and known

    return is_board


async def wait_for_device(
    host_system: HostSystem, options: FlashOptions, is_board: Callable[[UsbDevice], bool]
) -> UsbDevice | None:
    """Wait for the one device that is the board and return it; None if none appears in time, or several do."""

    async def attempt() -> UsbDevice | None:
        found = [device for device in host_system.boards() if is_board(device)]
        return found[0] if len(found) == 1 else None

    return await _poll(attempt, options.wait_s)


async def check(host_system: HostSystem, options: FlashOptions, before: Before, say: Callable[[str], None]) -> None:
    """Wait for the new firmware's hello. Raises CommandError if another firmware answers, or none."""
    say("waiting for its hello")
    if options.changes_port:
        port, hello = await _started_on_usb(host_system, options, before)
    else:
        port, hello = await _hello_of(host_system, options, await _device_after(host_system, options, before))
    version = targets.built_version(host_system)
    text = ".".join(map(str, version))
    if hello.version != VERSION or tuple(hello.firmware) != version:
        others = len(host_system.boards()) > 1
        what = "was it another board? unplug the others and run this again" if others else "unplug it, plug it in again"
        raise CommandError(
            f"{port}: wrong firmware answered: {firmware_text(hello)} with protocol {hello.version}, and {text} with "
            f"protocol {VERSION} was written: {what}",
            ExitStatus.WRONG_FIRMWARE,
        )
    say(f"{port}: firmware {text}, protocol {VERSION}, answers")


async def _device_after(host_system: HostSystem, options: FlashOptions, before: Before) -> UsbDevice:
    def is_same(device: UsbDevice) -> bool:
        return device.kind is before.board.kind and device.serial == before.board.serial

    by_bootloader = options.target.by_bootloader
    is_board = reenumerated_as(Kind.USB, before.board, before.attached) if by_bootloader else is_same
    found = await wait_for_device(host_system, options, is_board)
    if found is None:
        raise CommandError(
            "written, but the board did not come back: unplug it, plug it in again", ExitStatus.WRONG_FIRMWARE
        )
    return found


async def _hello_of(host_system: HostSystem, options: FlashOptions, board: UsbDevice) -> tuple[str, Hello]:
    """Greet the board at each of its ports until one answers; return that port and the hello."""
    last_error = ""

    async def attempt() -> tuple[str, Hello] | None:
        nonlocal last_error
        for port in board.ports:
            try:
                async with BoardClient(host_system.open_port(port)) as client:
                    return port, await client.greet()
            except (TransportError, NoHelloError) as error:
                last_error = str(error)
        return None

    answer = await _poll(attempt, options.wait_s)
    if answer is None:
        raise CommandError(f"written, but {last_error}: unplug it, plug it in again", ExitStatus.WRONG_FIRMWARE)
    return answer


async def _started_on_usb(host_system: HostSystem, options: FlashOptions, before: Before) -> tuple[str, Hello]:
    """Return port and hello of the board that has started on its own USB since the writing began.

    A development kit has a second socket for its own USB. Only the uptime shows which of the boards at such sockets
    was written.
    """

    async def attempt() -> tuple[str, Hello] | None:
        for port in [port for board in host_system.boards() if board.kind is Kind.USB for port in board.ports]:
            try:
                async with BoardClient(host_system.open_port(port)) as client:
                    hello = await client.greet()
                    uptime_s = (await client.request(StatisticsRequest(), Statistics)).uptime_ms / 1000
            except (TransportError, BoardError):
                continue  # in use, or another firmware: not the board that was written
            if uptime_s < asyncio.get_running_loop().time() - before.at_s:
                return port, hello
        return None

    answer = await _poll(attempt, options.wait_s)
    if answer is None:
        raise CommandError(
            "written, but no board started on its own USB: is the kit's other socket (nRF USB) plugged in, too?",
            ExitStatus.WRONG_FIRMWARE,
        )
    return answer


async def _poll(attempt: Callable[[], Awaitable[_T | None]], limit_s: float) -> _T | None:
    """Repeat an attempt until it gives something, and return that; None after the time limit."""
    loop = asyncio.get_running_loop()
    end_s = loop.time() + limit_s
    while (result := await attempt()) is None and loop.time() < end_s:
        await asyncio.sleep(_PAUSE_S)
    return result
