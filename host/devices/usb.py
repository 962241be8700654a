"""Which boards are attached, and at which serial port each is: by what USB says of them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from serial.tools import list_ports

from ..transport.transport import TransportError

SEGGER, NORDIC = 0x1366, 0x1915
#: Product number of the bootloader that a dongle is delivered with (of Nordic's vendor number).
BOOTLOADER_PRODUCT = 0x521F


class Kind(Enum):
    """What is at the USB cable."""

    DEBUGGER = "development kit"  # the debugger's serial port
    USB = "own USB"  # the chip's own USB: our firmware
    BOOTLOADER = "bootloader"  # a dongle that waits for firmware


class PortRecord(Protocol):
    """What of pyserial's ListPortInfo is used here."""

    device: str
    vid: int | None
    pid: int | None
    serial_number: str | None
    location: str | None
    product: str | None


@dataclass(frozen=True, slots=True)
class UsbDevice:
    """One board. ``serial`` is its USB serial number without leading zeros, as tools print it; may be empty.

    ``ports`` are its serial ports, the most likely one first: newer development kits have two.
    """

    kind: Kind
    serial: str
    ports: tuple[str, ...]
    location: str = ""  # of the USB device, such as 1-2.3

    @property
    def port(self) -> str:
        """The port to try first."""
        return self.ports[0]


def attached(records: Iterable[PortRecord] | None = None) -> list[UsbDevice]:
    """Boards among the serial ports (pyserial's list), in the order of their ports; a kit's two ports are one board."""
    devices: dict[tuple[Kind, str], list[PortRecord]] = {}
    for record in list_ports.comports() if records is None else records:
        kind = _kind(record)
        if kind is not None:
            name = record.serial_number or _location(record) or record.device
            devices.setdefault((kind, name), []).append(record)
    boards = []
    for (kind, _), found in devices.items():
        found.sort(key=_interface)
        serial = (found[0].serial_number or "").lstrip("0")
        boards.append(UsbDevice(kind, serial, tuple(record.device for record in found), _location(found[0])))
    return sorted(boards, key=lambda board: _natural(board.port))


def only_board(boards: Iterable[UsbDevice]) -> UsbDevice | None:
    """The one of them that has firmware, None if there is none; TransportError if there are several to choose from."""
    ready = [board for board in boards if board.kind is not Kind.BOOTLOADER]
    if len(ready) > 1:
        listed = ", ".join(board.port for board in ready)
        raise TransportError(f"several boards are attached ({listed}): choose one with --port")
    return ready[0] if ready else None


def _kind(record: PortRecord) -> Kind | None:
    if record.vid == SEGGER:
        return Kind.DEBUGGER
    if record.vid == NORDIC:
        return Kind.BOOTLOADER if record.pid == BOOTLOADER_PRODUCT else Kind.USB
    return None


def _location(record: PortRecord) -> str:
    return (record.location or "").partition(":")[0]


def _interface(record: PortRecord) -> tuple[int, tuple[str | int, ...]]:
    """Order of a device's ports: the USB interface's number, where the system tells it, else the port's name."""
    number = re.search(r":[0-9x]+\.([0-9]+)$", record.location or "")
    return int(number[1]) if number else 0, _natural(record.device)


def _natural(name: str) -> tuple[str | int, ...]:
    return tuple(int(part) if part.isdigit() else part for part in re.split(r"([0-9]+)", name))
