"""The boards that firmware is built for, and the tools that write it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ..cli.command import USAGE, CommandError
from ..devices.host_system import HostSystem
from ..devices.usb import Kind
from . import zephyr
from .exit_status import ExitStatus


@dataclass(frozen=True, slots=True)
class Target:
    """A board by its short name. ``kinds`` are its USB devices."""

    name: str
    kinds: frozenset[Kind]
    by_bootloader: bool  # it has no debugger: its bootloader takes a DFU package


_DONGLE = Target("nrf52840dongle", frozenset({Kind.USB, Kind.BOOTLOADER}), by_bootloader=True)
_KITS = ("nrf52840dk", "nrf52833dk", "nrf52dk", "nrf5340dk", "nrf54l15dk")
TARGETS = {name: Target(name, frozenset({Kind.DEBUGGER}), by_bootloader=False) for name in _KITS} | {
    _DONGLE.name: _DONGLE
}


def target(name: str) -> Target:
    """Return the target of that name, short or Zephyr's. Raises CommandError, which lists the names."""
    short = zephyr.short_name(name)
    if short not in TARGETS:
        raise CommandError(f"BOARD={name}: no such board; known are {', '.join(TARGETS)}", USAGE)
    return TARGETS[short]


def zephyr_of(host_system: HostSystem) -> tuple[Path, tuple[int, int]]:
    """Return Zephyr's folder and release (major, minor). Raises CommandError if ZEPHYR_BASE is not a Zephyr."""
    try:
        return zephyr.zephyr_of(host_system.environment)
    except zephyr.ZephyrError as error:
        raise CommandError(str(error), ExitStatus.TOOL_MISSING) from error


def signing(host_system: HostSystem, file: str, board: str, *, own_usb: bool) -> zephyr.Signing | None:
    """Return how to sign the firmware, None if ``file`` is empty. Raises CommandError if that cannot be."""
    try:
        return zephyr.signing_with(file, board, own_usb=own_usb, folder=host_system.folder)
    except zephyr.ZephyrError as error:
        raise CommandError(str(error), USAGE) from error


def check_release(target: Target, release: tuple[int, int], signing: zephyr.Signing | None) -> None:
    """Raise CommandError if that release of Zephyr cannot build what was asked for."""
    try:
        zephyr.check_release(target.name, release, signing)
    except zephyr.ZephyrError as error:
        raise CommandError(str(error), ExitStatus.TOOL_MISSING) from error


def runner(host_system: HostSystem, base: Path) -> str:
    """Return West's runner for a debugger: the first of nrfutil, jlink, pyocd that is installed.

    ``base`` is Zephyr's folder. Raises CommandError if none is installed.
    """
    runners = base / "scripts" / "west_commands" / "runners"
    known = host_system.tool("nrfutil") and (runners / "nrfutil.py").is_file() and nrfutil_version(host_system) >= 7
    if known and _nrfutil_has(host_system, "device"):
        return "nrfutil"
    if host_system.tool("JLinkExe", "JLink"):
        return "jlink"
    if host_system.tool("pyocd"):
        return "pyocd"
    raise CommandError(
        "no tool to write a board: install nrfutil (https://www.nordicsemi.com/Products/Development-tools/nRF-Util, "
        "then `nrfutil install device`), or SEGGER's J-Link software, or `pip install pyocd`",
        ExitStatus.TOOL_MISSING,
    )


def need(host_system: HostSystem, program: str, install: str) -> None:
    """Raise CommandError if a program is not on PATH."""
    if host_system.tool(program) is None:
        raise CommandError(f"{program} is missing: {install}", ExitStatus.TOOL_MISSING)


def cmake_of(host_system: HostSystem, base: Path) -> None:
    """Raise CommandError if CMake is too old for the Zephyr in that folder."""
    if not zephyr.cmake_needed(base):
        return
    try:
        zephyr.check_cmake(base, host_system.output(["cmake", "--version"]))
    except zephyr.ZephyrError as error:
        raise CommandError(str(error), ExitStatus.TOOL_MISSING) from error


def nrfutil_version(host_system: HostSystem) -> int:
    """Return the major version of nrfutil: 6 is Python's, 7 and later Nordic's program; 0 if it is unknown."""
    match = re.search(r"([0-9]+)\.[0-9]+\.[0-9]+", host_system.output(["nrfutil", "--version"]))
    return int(match[1]) if match else 0


def _nrfutil_has(host_system: HostSystem, command: str) -> bool:
    """Return True if that command of nrfutil is installed. Nordic's nrfutil comes without any."""
    return re.search(rf"^\s*{command}\s", host_system.output(["nrfutil", "list"]), re.MULTILINE) is not None


def dfu_tool(host_system: HostSystem) -> list[str]:
    """Return the command that makes and sends DFU packages. Raises CommandError, which says what to install."""
    missing = (
        "nrfutil is missing: https://www.nordicsemi.com/Products/Development-tools/nRF-Util, then "
        "`nrfutil install nrf5sdk-tools`"
    )
    if host_system.tool("nrfutil") is None:
        raise CommandError(missing, ExitStatus.TOOL_MISSING)
    if nrfutil_version(host_system) < 7:
        return ["nrfutil"]
    if not _nrfutil_has(host_system, "nrf5sdk-tools"):
        raise CommandError("nrfutil lacks a command: `nrfutil install nrf5sdk-tools`", ExitStatus.TOOL_MISSING)
    return ["nrfutil", "nrf5sdk-tools"]


def built_version(host_system: HostSystem) -> tuple[int, int, int]:
    """Return the firmware's version from its source."""
    text = (host_system.root / "firmware" / "VERSION").read_text(encoding="utf-8")
    number = {match[1]: int(match[2]) for match in re.finditer(r"^(\w+) = ([0-9]+)", text, re.MULTILINE)}
    return number["VERSION_MAJOR"], number["VERSION_MINOR"], number["PATCHLEVEL"]
