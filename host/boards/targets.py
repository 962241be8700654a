"""Boards that firmware is built for, and the tools that write it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ..cli.command import USAGE, CommandError
from ..devices.errors import BoardError, ExitStatus
from ..devices.host_system import HostSystem
from ..devices.usb import Kind
from . import zephyr


@dataclass(frozen=True, slots=True)
class Target:
    """A board by its short name. ``kinds``: as what it shows up at USB."""

    name: str
    kinds: frozenset[Kind]
    by_bootloader: bool  # without a debugger: a DFU package goes to its bootloader


TARGETS = {
    "nrf52840dk": Target("nrf52840dk", frozenset({Kind.DEBUGGER}), by_bootloader=False),
    "nrf52840dongle": Target("nrf52840dongle", frozenset({Kind.USB, Kind.BOOTLOADER}), by_bootloader=True),
}


def target(name: str) -> Target:
    """The target of a name, short or Zephyr's; CommandError lists those that there are."""
    short = re.sub(r"[/_]nrf52840$", "", name)
    if short not in TARGETS:
        raise CommandError(f"BOARD={name}: no such board; there are {', '.join(TARGETS)}", USAGE)
    return TARGETS[short]


def zephyr_of(machine: HostSystem) -> tuple[Path, tuple[int, int]]:
    """Where Zephyr is, and its release (major, minor); BoardError if ZEPHYR_BASE does not lead to one."""
    try:
        return zephyr.zephyr_of(machine.environment)
    except zephyr.ZephyrError as error:
        raise BoardError(str(error), ExitStatus.TOOL_MISSING) from error


def runner(machine: HostSystem, base: Path) -> str:
    """West's runner for a debugger: the first of nrfutil, jlink, pyocd that is here; BoardError if none is.

    ``base``: where Zephyr is.
    """
    runners = base / "scripts" / "west_commands" / "runners"
    known = machine.tool("nrfutil") and (runners / "nrfutil.py").is_file() and nrfutil_version(machine) >= 7
    if known and _nrfutil_has(machine, "device"):
        return "nrfutil"
    if machine.tool("JLinkExe", "JLink"):
        return "jlink"
    if machine.tool("pyocd"):
        return "pyocd"
    raise BoardError(
        "no tool to write a board: install nrfutil (https://www.nordicsemi.com/Products/Development-tools/nRF-Util, "
        "then `nrfutil install device`), or SEGGER's J-Link software, or `pip install pyocd`",
        ExitStatus.TOOL_MISSING,
    )


def need(machine: HostSystem, program: str, install: str) -> None:
    """BoardError if a program is not on PATH."""
    if machine.tool(program) is None:
        raise BoardError(f"{program} is missing: {install}", ExitStatus.TOOL_MISSING)


def nrfutil_version(machine: HostSystem) -> int:
    """Major version of the nrfutil on PATH: 6 is Python's, 7 and later Nordic's program; 0 if it does not say."""
    match = re.search(r"([0-9]+)\.[0-9]+\.[0-9]+", machine.output(["nrfutil", "--version"]))
    return int(match[1]) if match else 0


def _nrfutil_has(machine: HostSystem, command: str) -> bool:
    """True if that command is installed: Nordic's nrfutil comes without any."""
    return re.search(rf"^\s*{command}\s", machine.output(["nrfutil", "list"]), re.MULTILINE) is not None


def dfu_tool(machine: HostSystem) -> list[str]:
    """The command that makes DFU packages and sends them; BoardError says what to install."""
    missing = (
        "nrfutil is missing: https://www.nordicsemi.com/Products/Development-tools/nRF-Util, then "
        "`nrfutil install nrf5sdk-tools`"
    )
    if machine.tool("nrfutil") is None:
        raise BoardError(missing, ExitStatus.TOOL_MISSING)
    if nrfutil_version(machine) < 7:
        return ["nrfutil"]
    if not _nrfutil_has(machine, "nrf5sdk-tools"):
        raise BoardError("nrfutil lacks a command: `nrfutil install nrf5sdk-tools`", ExitStatus.TOOL_MISSING)
    return ["nrfutil", "nrf5sdk-tools"]


def built_version(machine: HostSystem) -> tuple[int, int, int]:
    """The firmware's version, as the source says it."""
    text = (machine.root / "firmware" / "VERSION").read_text(encoding="utf-8")
    number = {match[1]: int(match[2]) for match in re.finditer(r"^(\w+) = ([0-9]+)", text, re.MULTILINE)}
    return number["VERSION_MAJOR"], number["VERSION_MINOR"], number["PATCHLEVEL"]
