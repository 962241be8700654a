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

#: Where nrfutil comes from, and its command for kits.
GET_NRFUTIL = "https://www.nordicsemi.com/Products/Development-tools/nRF-Util, then `nrfutil install device`"


#: Where west comes from: the environment has Zephyr's Python packages, too, which any other west lacks.
GET_WEST = "activate the environment of docs/zephyr.md, which has it (`. ../pnc-zephyr/venv/bin/activate`)"


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


def runner(host_system: HostSystem, base: Path, board: str = "") -> str:
    """Return West's runner for a debugger: the first of nrfutil, jlink, pyocd that can write the board.

    ``base`` is Zephyr's folder, ``board`` a short name; without one, any board will do. Raises CommandError if there is
    none.
    """
    if has_runner(base, "nrfutil", board) and has_nrfutil_device(host_system):
        return "nrfutil"
    if host_system.tool("JLinkExe", "JLink"):
        return "jlink"
    missing = (
        f"no tool to write a board: install nrfutil ({GET_NRFUTIL}) and SEGGER's J-Link software "
        "(https://www.segger.com/downloads/jlink/), or the latter alone"
    )
    if host_system.tool("pyocd") and serves(base, "pyocd", board):
        if "j-link" in host_system.output(["pyocd", "list"]).lower():
            return "pyocd"
        # Zephyr's Python packages include pyocd, which waits for a debugger for ever if it sees none.
        missing += "; pyocd is there, but sees no kit: to see one that is attached, it needs that software, too"
    raise CommandError(missing, ExitStatus.TOOL_MISSING)


def has_runner(base: Path, name: str, board: str) -> bool:
    """Return True if the Zephyr in that folder has this runner, and for this board."""
    file = base / "scripts" / "west_commands" / "runners" / f"{name}.py"
    return file.is_file() and serves(base, name, board)


def serves(base: Path, name: str, board: str) -> bool:
    """Return False if the board's files in Zephyr, a short name or none, leave this runner out."""
    files = [*base.glob(f"boards/*/{board}/board.cmake"), *base.glob(f"boards/*/{board}_*/board.cmake")]
    texts = [file.read_text(encoding="utf-8") for file in files]
    return not texts or any(f"/{name}.board.cmake" in text for text in texts)


def has_nrfutil_device(host_system: HostSystem) -> bool:
    """Return True if nrfutil is installed, and its command that writes a kit."""
    return (
        bool(host_system.tool("nrfutil")) and nrfutil_version(host_system) >= 7 and _nrfutil_has(host_system, "device")
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
