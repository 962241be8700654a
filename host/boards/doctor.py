"""``host.boards doctor``: what is wrong with this computer and its boards, each with what mends it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..devices.errors import BoardError
from ..devices.host_system import HostSystem
from ..devices.names import FILE, read_names
from ..devices.survey import BoardInfo
from ..devices.usb import Kind, UsbDevice
from ..wire import VERSION
from . import targets
from .bluetooth import bluetooth_diagnostics
from .diagnostic import Diagnostic

#: Baud rates that a development kit's debugger carries and the nRF52840 makes.
DEBUGGER_BAUD = frozenset({9600, 19200, 38400, 57600, 115200, 230400, 460800, 1000000})
#: The rules for udev that the folder gateway has.
RULES = "70-pnc-link.rules"
_INSTALL_RULES = f"sudo cp gateway/{RULES} /etc/udev/rules.d/ && sudo udevadm control --reload"
_MASS_STORAGE = "08"  # USB interface class


@dataclass(frozen=True, slots=True)
class Access:
    """Who may use a port: asked of the system, or told by a test."""

    may_use: Callable[[str], bool]
    group_of: Callable[[str], str]


def _may_use(port: str) -> bool:
    return os.access(port, os.R_OK | os.W_OK)


def _group_of(port: str) -> str:
    try:
        return Path(port).group()
    except (OSError, KeyError, NotImplementedError):
        return ""


SYSTEM_ACCESS = Access(_may_use, _group_of)


def examine(machine: HostSystem, seen: Sequence[BoardInfo], access: Access = SYSTEM_ACCESS) -> list[Diagnostic]:
    """Everything that is found, the most pressing first."""
    findings = [
        *_names(machine),
        *_boards(machine, seen, access),
        *_overlays(machine),
        *_tools(machine, seen),
        *bluetooth_diagnostics(machine),
    ]
    return sorted(findings, key=lambda finding: not finding.pressing)


def _names(machine: HostSystem) -> Iterator[Diagnostic]:
    try:
        read_names(machine.folder)
    except BoardError as error:
        yield Diagnostic(True, str(error), f'mend {FILE}, or remove it; a line of it: camera = "683123456"')


def _boards(machine: HostSystem, seen: Sequence[BoardInfo], access: Access) -> Iterator[Diagnostic]:
    if not seen:
        yield Diagnostic(
            False,
            "no board is attached",
            "plug one in, with a cable that carries data; a development kit at its debugger's socket, and switched on",
        )
    for one in seen:
        yield from _mass_storage(machine, one.board)
        if machine.platform != "win32" and not access.may_use(one.port):
            yield _no_access(one.port, access.group_of(one.port))
        else:
            yield from _firmware(machine, one)
    ruled = (machine.udev_rules / RULES).is_file()  # they keep it away
    managed = machine.tool("systemctl") and machine.output(["systemctl", "is-active", "ModemManager"])
    if managed and managed.strip() == "active" and not ruled:
        what = "ModemManager talks to every new serial port, also to boards, for some seconds"
        yield Diagnostic(False, what, _INSTALL_RULES)


def _no_access(port: str, group: str) -> Diagnostic:
    mend = f"sudo usermod -aG {group} $USER, then log out and in again"
    if group in ("", "root"):
        mend = f"{_INSTALL_RULES}, plug it in again"
    return Diagnostic(True, f"{port}: you may not use it", mend)


def _firmware(machine: HostSystem, one: BoardInfo) -> Iterator[Diagnostic]:
    board = "nrf52840dk" if one.board.kind is Kind.DEBUGGER else "nrf52840dongle"
    serial = f" SNR={one.board.serial}" if one.board.serial else ""
    mend = f"make flash BOARD={board}{serial}"
    if one.board.kind is Kind.BOOTLOADER:
        yield Diagnostic(True, f"{one.port}: a dongle in its bootloader, without firmware", mend)
    elif one.hello is None:
        quiet = one.last_error == "no answer"
        what = "nothing on it speaks this protocol (other firmware, or another baud rate)" if quiet else one.last_error
        yield Diagnostic(True, f"{one.port}: {what}", mend if quiet else "close the other program, or plug it in again")
    elif one.hello.version != VERSION:
        what = f"protocol {one.hello.version}, and this program speaks {VERSION}"
        yield Diagnostic(True, f"{one.port}: old or new firmware {one.firmware} ({what})", mend)
    elif (machine.root / "firmware" / "VERSION").is_file():
        newest = targets.built_version(machine)
        if tuple(one.hello.firmware) < newest:
            text = ".".join(map(str, newest))
            yield Diagnostic(False, f"{one.port}: old firmware {one.firmware}; this source has {text}", mend)


def _mass_storage(machine: HostSystem, board: UsbDevice) -> Iterator[Diagnostic]:
    """The debugger's USB drive takes its serial port's large packets: frames arrive with holes.

    https://github.com/openthread/openthread/issues/2857
    """
    if board.kind is not Kind.DEBUGGER or not board.location:
        return
    classes = (machine.sysfs / "bus" / "usb" / "devices").glob(f"{board.location}:*/bInterfaceClass")
    if any(path.read_text().strip() == _MASS_STORAGE for path in classes):
        yield Diagnostic(
            True,
            f"{board.port}: the debugger's USB drive is on, which breaks its serial port",
            f"JLinkExe -SelectEmuBySN {board.serial}, there: MSDDisable, exit; then unplug it and plug it in again",
        )


def _overlays(machine: HostSystem) -> Iterator[Diagnostic]:
    for path in sorted((machine.root / "firmware" / "boards").glob("nrf52840dk*.overlay")):
        for match in re.finditer(r"current-speed = <([0-9]+)>", path.read_text(encoding="utf-8")):
            if int(match[1]) not in DEBUGGER_BAUD:
                yield Diagnostic(
                    True,
                    f"{path.name}: {match[1]} baud is nothing that a development kit's debugger carries",
                    "current-speed = <1000000>; in that file, and build again",
                )


def _tools(machine: HostSystem, seen: Sequence[BoardInfo]) -> Iterator[Diagnostic]:
    """What is missing to write firmware."""
    kinds = {one.board.kind for one in seen}
    checks: list[Callable[[], object]] = [
        lambda: targets.need(machine, "cmake", "`sudo apt install cmake`"),
        lambda: targets.need(machine, "ninja", "`sudo apt install ninja-build`"),
    ]
    if not kinds or Kind.DEBUGGER in kinds:
        checks.append(lambda: targets.need(machine, "west", "`pip install west`"))
        checks.append(lambda: targets.runner(machine, Path(machine.environment.get("ZEPHYR_BASE", "/"))))
    if kinds & {Kind.USB, Kind.BOOTLOADER}:
        checks.append(lambda: targets.dfu_tool(machine))
    checks.append(lambda: targets.zephyr_of(machine))
    for check in checks:
        try:
            check()
        except BoardError as error:
            what, _, mend = str(error).partition(": ")
            yield Diagnostic(False, f"to write firmware: {what}", mend)
