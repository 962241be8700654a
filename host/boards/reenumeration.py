"""A board that was written or reset: it shows up again, maybe as another USB device, and answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass

from ..devices.client import BoardClient, NoHelloError, firmware_text
from ..devices.errors import BoardError, ExitStatus
from ..devices.host_system import HostSystem
from ..devices.usb import Kind, UsbDevice
from ..transport.transport import TransportError
from ..wire import VERSION, Hello, Statistics, StatisticsRequest
from . import targets
from .flash_options import FlashOptions


@dataclass(frozen=True, slots=True)
class Before:
    """The board that is written, what else was attached, and when that began, in the event loop's seconds."""

    board: UsbDevice
    attached: Collection[UsbDevice]
    at_s: float


def reenumerated_as(kind: Kind, board: UsbDevice, others: Collection[UsbDevice]) -> Callable[[UsbDevice], bool]:
    """Is this the board, now another USB device? It is at the same socket; where the system does not tell that, it was
    not there before."""

    def is_it(one: UsbDevice) -> bool:
        here = one.location == board.location if board.location and one.location else one not in others
        return one.kind is kind and here

    return is_it


async def wait_for_device(
    machine: HostSystem, wanted: FlashOptions, is_it: Callable[[UsbDevice], bool]
) -> UsbDevice | None:
    """The one board that is it, waited for; None if there is none, or several."""
    loop = asyncio.get_running_loop()
    end_s = loop.time() + wanted.wait_s
    while True:
        found = [board for board in machine.boards() if is_it(board)]
        if len(found) == 1:
            return found[0]
        if loop.time() >= end_s:
            return None
        await asyncio.sleep(0.1)


async def check(machine: HostSystem, wanted: FlashOptions, before: Before, say: Callable[[str], None]) -> None:
    """The new firmware's hello: this protocol, this version; BoardError if another one answers, or none."""
    say("waiting for its hello")
    if wanted.changes_port:
        port, hello = await _started_on_usb(machine, wanted, before)
    else:
        port, hello = await _hear(machine, wanted, await _back(machine, wanted, before))
    version = targets.built_version(machine)
    text = ".".join(map(str, version))
    if hello.version != VERSION or tuple(hello.firmware) != version:
        raise BoardError(
            f"{port}: wrong firmware answered: {firmware_text(hello)} with protocol {hello.version}, and {text} with "
            f"protocol {VERSION} was written: was it another board? unplug the others and run this again",
            ExitStatus.WRONG_FIRMWARE,
        )
    say(f"{port}: firmware {text}, protocol {VERSION}, answers")


async def _back(machine: HostSystem, wanted: FlashOptions, before: Before) -> UsbDevice:
    def is_same(one: UsbDevice) -> bool:
        return one.kind is before.board.kind and one.serial == before.board.serial

    by_bootloader = wanted.target.by_bootloader
    is_it = reenumerated_as(Kind.USB, before.board, before.attached) if by_bootloader else is_same
    found = await wait_for_device(machine, wanted, is_it)
    if found is None:
        raise BoardError(
            "written, but the board did not come back: unplug it, plug it in again", ExitStatus.WRONG_FIRMWARE
        )
    return found


async def _hear(machine: HostSystem, wanted: FlashOptions, board: UsbDevice) -> tuple[str, Hello]:
    loop = asyncio.get_running_loop()
    end_s = loop.time() + wanted.wait_s
    why = ""
    while True:
        for port in board.ports:
            try:
                async with BoardClient(machine.open_port(port)) as client:
                    return port, await client.hello()
            except (TransportError, NoHelloError) as error:
                why = str(error)
        if loop.time() >= end_s:
            raise BoardError(f"written, but {why}", ExitStatus.WRONG_FIRMWARE)
        await asyncio.sleep(0.2)


async def _started_on_usb(machine: HostSystem, wanted: FlashOptions, before: Before) -> tuple[str, Hello]:
    """The board that has started on its own USB since then. A kit has a socket for that beside its debugger's, and
    nothing else says which of the boards there is the kit that was written."""
    loop = asyncio.get_running_loop()
    end_s = loop.time() + wanted.wait_s
    while True:
        for port in [port for board in machine.boards() if board.kind is Kind.USB for port in board.ports]:
            try:
                async with BoardClient(machine.open_port(port)) as client:
                    hello = await client.hello()
                    uptime_s = (await client.request(StatisticsRequest(), Statistics)).uptime_ms / 1000
            except (TransportError, BoardError):
                continue  # in use, or another firmware: not the one that was written
            if uptime_s < loop.time() - before.at_s:
                return port, hello
        if loop.time() >= end_s:
            raise BoardError(
                "written, but no board started on its own USB: is the kit's other socket (nRF USB) plugged in, too?",
                ExitStatus.WRONG_FIRMWARE,
            )
        await asyncio.sleep(0.2)
