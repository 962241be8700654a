"""``host.boards doctor``: what is wrong with this computer and its boards, each with what mends it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..devices.errors import BoardError
from ..devices.host_system import Machine
from ..devices.names import FILE, read_names
from ..devices.survey import Seen
from ..devices.usb import Attached, Kind
from ..wire import VERSION
from . import targets
from .bluetooth import bluetooth_findings
from .diagnostic import Finding

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


def examine(machine: Machine, seen: Sequence[Seen], access: Access = SYSTEM_ACCESS) -> list[Finding]:
    """Everything that is found, the most pressing first."""
    findings = [
        *_names(machine),
        *_boards(machine, seen, access),
        *_overlays(machine),
        *_tools(machine, seen),
        *bluetooth_findings(machine),
    ]
    return sorted(findings, key=lambda finding: not finding.pressing)


def _names(machine: Machine) -> Iterator[Finding]:
    try:
        read_names(machine.folder)
    except BoardError as error:
        yield Finding(True, str(error), f'mend {FILE}, or remove it; a line of it: camera = "683123456"')


def _boards(machine: Machine, seen: Sequence[Seen], access: Access) -> Iterator[Finding]:
    if not seen:
        yield Finding(
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
        yield Finding(False, what, _INSTALL_RULES)


def _no_access(port: str, group: str) -> Finding:
    mend = f"sudo usermod -aG {group} $USER, then log out and in again"
    if group in ("", "root"):
        mend = f"{_INSTALL_RULES}, plug it in again"
    return Finding(True, f"{port}: you may not use it", mend)


def _firmware(machine: Machine, one: Seen) -> Iterator[Finding]:
    board = "nrf52840dk" if one.board.kind is Kind.DEBUGGER else "nrf52840dongle"
    serial = f" SNR={one.board.serial}" if one.board.serial else ""
    mend = f"make flash BOARD={board}{serial}"
    if one.board.kind is Kind.BOOTLOADER:
        yield Finding(True, f"{one.port}: a dongle in its bootloader, without firmware", mend)
    elif one.hello is None:
        quiet = one.trouble == "no answer"
        what = "nothing on it speaks this protocol (other firmware, or another baud rate)" if quiet else one.trouble
        yield Finding(True, f"{one.port}: {what}", mend if quiet else "close the other program, or plug it in again")
    elif one.hello.version != VERSION:
        what = f"protocol {one.hello.version}, and this program speaks {VERSION}"
        yield Finding(True, f"{one.port}: old or new firmware {one.firmware} ({what})", mend)
    elif (machine.root / "firmware" / "VERSION").is_file():
        newest = targets.built_version(machine)
        if tuple(one.hello.firmware) < newest:
            text = ".".join(map(str, newest))
            yield Finding(False, f"{one.port}: old firmware {one.firmware}; this source has {text}", mend)


def _mass_storage(machine: Machine, board: Attached) -> Iterator[Finding]:
    """The debugger's USB drive takes its serial port's large packets: frames arrive with holes.

    https://github.com/openthread/openthread/issues/2857
    """
    if board.kind is not Kind.DEBUGGER or not board.location:
        return
    classes = (machine.sysfs / "bus" / "usb" / "devices").glob(f"{board.location}:*/bInterfaceClass")
    if any(path.read_text().strip() == _MASS_STORAGE for path in classes):
        yield Finding(
            True,
            f"{board.port}: the debugger's USB drive is on, which breaks its serial port",
            f"JLinkExe -SelectEmuBySN {board.serial}, there: MSDDisable, exit; then unplug it and plug it in again",
        )


def _overlays(machine: Machine) -> Iterator[Finding]:
    for path in sorted((machine.root / "firmware" / "boards").glob("nrf52840dk*.overlay")):
        for match in re.finditer(r"current-speed = <([0-9]+)>", path.read_text(encoding="utf-8")):
            if int(match[1]) not in DEBUGGER_BAUD:
                yield Finding(
                    True,
                    f"{path.name}: {match[1]} baud is nothing that a development kit's debugger carries",
                    "current-speed = <1000000>; in that file, and build again",
                )


def _tools(machine: Machine, seen: Sequence[Seen]) -> Iterator[Finding]:
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
            yield Finding(False, f"to write firmware: {what}", mend)
