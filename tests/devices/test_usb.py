"""Boards in recorded lists of serial ports."""

from __future__ import annotations

import pytest

from host.devices.usb import Kind, attached
from tests.boards.desk import Record, bootloader, dongle, kit

OTHERS = [
    Record("/dev/ttyS0"),
    Record("/dev/ttyUSB0", 0x0403, 0x6001, "A50285BI", "1-1:1.0", "FT232R USB UART"),
    Record("/dev/ttyACM9", 0x2341, 0x0043, "85430353531351", "1-1:1.0", "Arduino Uno"),
]


def two_ports(first: Record, second: Record) -> list[Record]:
    return [second, *OTHERS, first]


@pytest.mark.parametrize(
    ("records", "ports"),
    [
        pytest.param(
            two_ports(
                Record("/dev/ttyACM3", 0x1366, 0x1051, "001050123456", "1-2:1.0"),
                Record("/dev/ttyACM2", 0x1366, 0x1051, "001050123456", "1-2:1.2"),
            ),
            ("/dev/ttyACM3", "/dev/ttyACM2"),
            id="Linux tells the interface",
        ),
        pytest.param(
            two_ports(
                Record("COM12", 0x1366, 0x1051, "001050123456", "1-4:x.0"),
                Record("COM4", 0x1366, 0x1051, "001050123456", "1-4:x.2"),
            ),
            ("COM12", "COM4"),
            id="Windows tells the interface",
        ),
        pytest.param(
            two_ports(
                Record("/dev/cu.usbmodem0010501234561", 0x1366, 0x1051, "001050123456", "20-1"),
                Record("/dev/cu.usbmodem0010501234563", 0x1366, 0x1051, "001050123456", "20-1"),
            ),
            ("/dev/cu.usbmodem0010501234561", "/dev/cu.usbmodem0010501234563"),
            id="macOS only tells names",
        ),
    ],
)
def test_a_kit_with_two_ports_is_one_board_and_its_first_interface_comes_first(
    records: list[Record], ports: tuple[str, ...]
) -> None:
    [board] = attached(records)
    assert (board.kind, board.serial, board.ports) == (Kind.DEBUGGER, "1050123456", ports)


def test_kinds_are_told_by_usb_numbers_and_other_devices_are_none() -> None:
    boards = attached([bootloader(), *OTHERS, dongle(), kit()])
    assert [(board.kind, board.port) for board in boards] == [
        (Kind.DEBUGGER, "/dev/ttyACM0"),
        (Kind.USB, "/dev/ttyACM5"),
        (Kind.BOOTLOADER, "/dev/ttyACM6"),
    ]


def test_ports_are_in_the_order_of_their_numbers() -> None:
    boards = attached([kit("1", "/dev/ttyACM10"), kit("2", "/dev/ttyACM9")])
    assert [board.port for board in boards] == ["/dev/ttyACM9", "/dev/ttyACM10"]


def test_two_boards_without_serial_numbers_are_told_apart_by_where_they_are() -> None:
    records = [
        Record("/dev/ttyACM0", 0x1915, 0x520F, None, "1-2:1.0"),
        Record("/dev/ttyACM1", 0x1915, 0x520F, None, "1-3:1.0"),
    ]
    assert len(attached(records)) == 2


NAME = "PNC Link"


@pytest.mark.parametrize(
    ("numbers", "product", "kind"),
    [
        ((0x1915, 0x520F), NAME, Kind.USB),
        ((0x239A, 0x8029), NAME, Kind.USB),  # a firmware that was built with the numbers of its board's maker
        ((0x1915, 0x520F), None, Kind.USB),  # Windows reports no names
        ((0x1915, 0xC00A), None, None),
        ((0x1915, 0x520F), "nRF52 Connectivity", None),  # Nordic's numbers, another firmware
        ((0x1915, 0x522A), "nRF Sniffer for Bluetooth LE", None),
        ((0x1915, 0x521F), "Open DFU Bootloader", Kind.BOOTLOADER),
        ((0x1915, 0x521F), None, Kind.BOOTLOADER),
    ],
)
def test_our_firmware_is_recognised_by_its_name_not_by_the_maker_of_the_chip(
    numbers: tuple[int, int], product: str | None, kind: Kind | None
) -> None:
    boards = attached([Record("/dev/ttyACM0", *numbers, "1", "1-2:1.0", product)])
    assert [board.kind for board in boards] == ([] if kind is None else [kind])
