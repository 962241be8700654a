"""``host.boards doctor``: problems of this computer and its boards, each with its fix."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..cli.command import CommandError
from ..cli.hints import fault_hint
from ..devices.client import fault_text
from ..devices.errors import BoardError
from ..devices.host_system import HostSystem
from ..devices.names import FILE, read_names
from ..devices.survey import NO_ANSWER, BoardInfo
from ..devices.usb import Kind, UsbDevice
from ..wire import VERSION
from . import targets
from .bluetooth import bluetooth_diagnostics
from .cameras import camera_diagnostics
from .diagnostic import Diagnostic, Severity

#: Baud rates that a development kit's debugger carries and the nRF52840 generates.
DEBUGGER_BAUD = frozenset({9600, 19200, 38400, 57600, 115200, 230400, 460800, 1000000})
#: The rules for udev, which every installation has beside this module.
RULES = Path(__file__).with_name("70-pnc-link.rules")
_INSTALL_RULES = f"sudo cp {shlex.quote(str(RULES))} /etc/udev/rules.d/ && sudo udevadm control --reload"
_MASS_STORAGE = "08"  # USB interface class


@dataclass(frozen=True, slots=True)
class Access:
    """Permissions of serial ports: those of the OS, or a test's."""

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


def examine(host_system: HostSystem, boards: Sequence[BoardInfo], access: Access = SYSTEM_ACCESS) -> list[Diagnostic]:
    """Return all diagnostics, errors before warnings."""
    diagnostics = [
        *_names(host_system),
        *_boards(host_system, boards, access),
        *_overlays(host_system),
        *_tools(host_system, boards),
        *bluetooth_diagnostics(host_system),
        *camera_diagnostics(host_system),
    ]
    return sorted(diagnostics, key=lambda diagnostic: diagnostic.severity is not Severity.ERROR)


def _names(host_system: HostSystem) -> Iterator[Diagnostic]:
    try:
        read_names(host_system.folder)
    except BoardError as error:
        yield Diagnostic(
            Severity.ERROR, str(error), f'correct {FILE}, or remove it; a line of it: camera = "683123456"'
        )


def _boards(host_system: HostSystem, boards: Sequence[BoardInfo], access: Access) -> Iterator[Diagnostic]:
    if not boards:
        yield Diagnostic(
            Severity.WARNING,
            "no board is attached",
            "plug one in, with a cable that carries data; a development kit at its debugger's socket, and switched on",
        )
    for info in boards:
        yield from _mass_storage(host_system, info.board)
        if host_system.platform != "win32" and not access.may_use(info.port):
            yield _no_access(info.port, access.group_of(info.port))
        else:
            yield from _firmware(host_system, info)
            for fault in info.faults:
                fix = fault_hint(fault.code, info.board.kind) or "write the firmware again with `make flash`"
                yield Diagnostic(Severity.ERROR, f"{info.port}: {fault_text(fault)}", fix)
    has_rules = (host_system.udev_rules / RULES.name).is_file()  # they keep ModemManager away
    state = host_system.output(["systemctl", "is-active", "ModemManager"]) if host_system.tool("systemctl") else ""
    if state.strip() == "active" and not has_rules:
        problem = "ModemManager probes every new serial port for some seconds, also those of boards"
        yield Diagnostic(Severity.WARNING, problem, _INSTALL_RULES)


def _no_access(port: str, group: str) -> Diagnostic:
    fix = f"sudo usermod -aG {group} $USER, then log out and in again"
    if group in ("", "root"):
        fix = f"{_INSTALL_RULES}, plug it in again"
    return Diagnostic(Severity.ERROR, f"{port}: no permission to use it", fix)


def _firmware(host_system: HostSystem, info: BoardInfo) -> Iterator[Diagnostic]:
    target = "nrf52840dk" if info.board.kind is Kind.DEBUGGER else "nrf52840dongle"
    serial = f" SNR={info.board.serial}" if info.board.serial else ""
    fix = f"make flash BOARD={target}{serial}"
    if info.board.kind is Kind.BOOTLOADER:
        yield Diagnostic(Severity.ERROR, f"{info.port}: a dongle in its bootloader, without firmware", fix)
    elif info.hello is None and info.last_error == NO_ANSWER:
        problem = (
            "nothing on it speaks this protocol (other firmware, or another baud rate; if its firmware was just "
            "written, unplug it and plug it in again)"
        )
        yield Diagnostic(Severity.ERROR, f"{info.port}: {problem}", fix)
    elif info.hello is None:
        problem = f"{info.port}: {info.last_error}"
        yield Diagnostic(Severity.ERROR, problem, "close the other program, or plug it in again")
    elif info.hello.version != VERSION:
        versions = f"protocol {info.hello.version}, and this program speaks {VERSION}"
        yield Diagnostic(Severity.ERROR, f"{info.port}: old or new firmware {info.firmware} ({versions})", fix)
    elif (host_system.root / "firmware" / "VERSION").is_file():
        newest = targets.built_version(host_system)
        if tuple(info.hello.firmware) < newest:
            text = ".".join(map(str, newest))
            problem = f"{info.port}: old firmware {info.firmware}; this source has {text}"
            yield Diagnostic(Severity.WARNING, problem, fix)


def _mass_storage(host_system: HostSystem, board: UsbDevice) -> Iterator[Diagnostic]:
    """Yield a problem if the debugger's USB drive is on: it swallows large packets of the serial port.

    https://github.com/openthread/openthread/issues/2857
    """
    if board.kind is not Kind.DEBUGGER or not board.location:
        return
    classes = (host_system.sysfs / "bus" / "usb" / "devices").glob(f"{board.location}:*/bInterfaceClass")
    if any(path.read_text().strip() == _MASS_STORAGE for path in classes):
        yield Diagnostic(
            Severity.ERROR,
            f"{board.port}: the debugger's USB drive is on, which breaks its serial port",
            f"JLinkExe -SelectEmuBySN {board.serial}, there: MSDDisable, exit; then unplug it and plug it in again",
        )


def _overlays(host_system: HostSystem) -> Iterator[Diagnostic]:
    for path in sorted((host_system.root / "firmware" / "boards").glob("nrf52840dk*.overlay")):
        for match in re.finditer(r"current-speed = <([0-9]+)>", path.read_text(encoding="utf-8")):
            if int(match[1]) not in DEBUGGER_BAUD:
                yield Diagnostic(
                    Severity.ERROR,
                    f"{path.name}: a development kit's debugger does not carry {match[1]} baud",
                    "current-speed = <1000000>; in that file, and build again",
                )


def _tools(host_system: HostSystem, boards: Sequence[BoardInfo]) -> Iterator[Diagnostic]:
    """Yield the tools that are missing to write firmware."""
    kinds = {info.board.kind for info in boards}
    checks: list[Callable[[], object]] = [
        lambda: targets.need(host_system, "cmake", "`pip install 'cmake<4'`"),
        lambda: targets.cmake_of(host_system, Path(host_system.environment.get("ZEPHYR_BASE", "/"))),
        lambda: targets.need(host_system, "ninja", "`sudo apt install ninja-build`"),
    ]
    if not kinds or Kind.DEBUGGER in kinds:
        checks.append(lambda: targets.need(host_system, "west", targets.GET_WEST))
        checks.append(lambda: targets.runner(host_system, Path(host_system.environment.get("ZEPHYR_BASE", "/"))))
    if kinds & {Kind.USB, Kind.BOOTLOADER}:
        checks.append(lambda: targets.dfu_tool(host_system))
    checks.append(lambda: targets.zephyr_of(host_system))
    for check in checks:
        try:
            check()
        except CommandError as error:
            problem, _, fix = str(error).partition(": ")
            yield Diagnostic(Severity.WARNING, f"to write firmware: {problem}", fix)
