"""Attached boards and their serial ports, recognised by what USB reports about them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from serial.tools import list_ports

SEGGER, NORDIC = 0x1366, 0x1915
#: Product numbers of Nordic: our firmware, and the bootloader that a dongle is delivered with.
FIRMWARE_PRODUCT, BOOTLOADER_PRODUCT = 0x520F, 0x521F
#: The name of the product that our firmware has. Windows does not report names.
FIRMWARE_NAME = "PNC Link"


class Kind(Enum):
    """USB device of a board."""

    DEBUGGER = "development kit"  # the debugger's serial port
    USB = "own USB"  # the chip's own USB: our firmware
    BOOTLOADER = "bootloader"  # a dongle that waits for firmware


class PortRecord(Protocol):
    """The fields of pyserial's ListPortInfo that are used."""

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

    def __str__(self) -> str:
        return f"{self.port} (serial {self.serial or 'unknown'})"


def attached(records: Iterable[PortRecord] | None = None) -> list[UsbDevice]:
    """Return the boards among pyserial's list of serial ports, in the order of their ports.

    The two ports of a development kit are one board.
    """
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


def _kind(record: PortRecord) -> Kind | None:
    if record.vid == SEGGER:
        return Kind.DEBUGGER
    if (record.vid, record.pid) == (NORDIC, BOOTLOADER_PRODUCT):
        return Kind.BOOTLOADER
    if record.product is not None:
        return Kind.USB if record.product == FIRMWARE_NAME else None
    return Kind.USB if (record.vid, record.pid) == (NORDIC, FIRMWARE_PRODUCT) else None


def _location(record: PortRecord) -> str:
    return (record.location or "").partition(":")[0]


def _interface(record: PortRecord) -> tuple[int, tuple[str | int, ...]]:
    """Return the sort key of a device's ports: the number of the USB interface, if the OS reports it, then the name."""
    number = re.search(r":[0-9x]+\.([0-9]+)$", record.location or "")
    return int(number[1]) if number else 0, _natural(record.device)


def _natural(name: str) -> tuple[str | int, ...]:
    return tuple(int(part) if part.isdigit() else part for part in re.split(r"([0-9]+)", name))
