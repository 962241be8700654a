"""Zephyr and the commands that build the firmware: for ``make flash``, and as the program of ``make firmware``.

Needs the standard library only, because ``make firmware`` installs nothing.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from ..printing import OutputError, last_note, show

#: The checkout; an installed package has no firmware folder beside it.
ROOT = Path(__file__).resolve().parents[2]
#: From Zephyr 3.7 on a board's name is board/chip; before it was board_chip.
_NEW_NAMES = (3, 7)
#: The project's boards, by their short names.
BOARDS = ("nrf52840dk", "nrf52840dongle")
USAGE = 2


class ZephyrError(Exception):
    """Zephyr, or a program that it needs, is missing or too old. The text is one line and says what to do."""


def zephyr_of(environment: Mapping[str, str]) -> tuple[Path, tuple[int, int]]:
    """Return Zephyr's folder and release (major, minor). Raises ZephyrError if ZEPHYR_BASE is not a Zephyr."""
    base = environment.get("ZEPHYR_BASE", "")
    if not base:
        raise ZephyrError(
            "ZEPHYR_BASE is not set: `west init -l firmware && west update && export ZEPHYR_BASE=$PWD/zephyr` gets "
            "Zephyr (docs/firmware.md)"
        )
    try:
        text = (Path(base) / "VERSION").read_text(encoding="utf-8")
    except OSError:
        raise ZephyrError(
            f"ZEPHYR_BASE={base} is not a Zephyr (it has no file VERSION): `export ZEPHYR_BASE=…` with the folder "
            "zephyr that `west update` made (docs/firmware.md)"
        ) from None
    numbers = {match[1]: int(match[2]) for match in re.finditer(r"VERSION_(MAJOR|MINOR) *= *([0-9]+)", text)}
    return Path(base), (numbers.get("MAJOR", 0), numbers.get("MINOR", 0))


def zephyr_name(board: str, release: tuple[int, int]) -> str:
    """Return that release's name of one of the project's boards. Other names are Zephyr's own and stay."""
    return f"{board}{'/' if release >= _NEW_NAMES else '_'}nrf52840" if board in BOARDS else board


def cmake_needed(base: Path) -> tuple[int, ...]:
    """Return the oldest CMake (major, minor, patch) that this Zephyr accepts; empty if it does not say."""
    try:
        text = (base / "cmake" / "modules" / "zephyr_default.cmake").read_text(encoding="utf-8")
    except OSError:
        return ()
    found = re.search(r"^cmake_minimum_required\(VERSION ([0-9.]+)", text, re.MULTILINE)
    return _numbers(found[1]) if found else ()


def check_cmake(base: Path, printed: str) -> None:
    """Raise ZephyrError if the CMake that printed this for ``--version`` is too old for this Zephyr.

    A distribution's package can be too old (Debian 12 has 3.25), so the cure is the one of PyPI. CMake 4 is excluded,
    because it was not tested.
    """
    needed = cmake_needed(base)
    found = re.search(r"version ([0-9.]+)", printed)
    if found and _numbers(found[1]) < needed:
        least = ".".join(map(str, needed))
        raise ZephyrError(
            f"cmake {found[1]} is too old, this Zephyr needs {least}: `pip install 'cmake>={least},<4'` in the "
            "environment of west, which must come first on PATH"
        )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in version.split(".") if number)


def no_rebuild_option(base: Path) -> str:
    """Return the option of this Zephyr's ``west flash`` that writes without building again.

    Up to 4.2 it is ``--skip-rebuild``. Later it is ``--no-rebuild``, the negative form of ``--rebuild``; the old option
    is deprecated at first. The source of the command says which of the two there is.
    """
    try:
        text = (base / "scripts" / "west_commands" / "run_common.py").read_text(encoding="utf-8")
    except OSError:
        return "--skip-rebuild"
    return "--no-rebuild" if re.search(r"""['"]--(?:no-)?rebuild['"]""", text) else "--skip-rebuild"


def build_folder(name: str, *, own_usb: bool = False) -> Path:
    """Return the build folder of a board, relative to the checkout; the same for its old and its new name."""
    return Path("build") / "firmware" / f"{name.replace('/', '_')}{'_usb' if own_usb else ''}"


def build_commands(root: Path, name: str, zephyr: Path, *, own_usb: bool = False) -> list[list[str]]:
    """Return the commands to run in ``root``: cmake once for each Zephyr, ninja always, as it knows what is stale.

    With ``own_usb`` the firmware uses the chip's own USB port instead of the board's default port.
    """
    folder = build_folder(name, own_usb=own_usb)
    configure = ["cmake", "-GNinja", "-S", "firmware", "-B", str(folder), f"-DBOARD={name}"]
    if own_usb:
        configure.append("-DPNC_USB=ON")
    build = ["ninja", "-C", str(folder)]
    if _is_of_another_zephyr(root / folder, zephyr):
        return [["cmake", "-E", "rm", "-rf", str(folder)], configure, build]
    return [build] if (root / folder / "build.ninja").is_file() else [configure, build]


def _is_of_another_zephyr(folder: Path, zephyr: Path) -> bool:
    """Return True if cmake configured the folder with another Zephyr than that of ZEPHYR_BASE."""
    try:
        cache = (folder / "CMakeCache.txt").read_text(encoding="utf-8")
    except OSError:
        return False
    base = re.search(r"^ZEPHYR_BASE:\w+=(.+)$", cache, re.MULTILINE)
    return base is not None and Path(base[1]).resolve() != zephyr.resolve()


def main(board: str = "", *options: str) -> int:
    """Build the firmware for a board; return the exit status. With ``--usb`` its port is the chip's own USB."""
    if not board or board.startswith("-"):
        last_note(f"firmware: name a board: {', '.join(BOARDS)}, or one of Zephyr's")
        return USAGE
    try:
        zephyr, release = zephyr_of(os.environ)
        if cmake_needed(zephyr):
            asked = subprocess.run(["cmake", "--version"], capture_output=True, text=True, check=False)
            check_cmake(zephyr, asked.stdout)
        for command in build_commands(ROOT, zephyr_name(board, release), zephyr, own_usb="--usb" in options):
            show(f"$ {shlex.join(command)}")
            status = subprocess.run(command, cwd=ROOT, check=False).returncode
            if status:
                return status
    except (ZephyrError, OutputError) as error:
        last_note(f"firmware: {error}")
        return 1
    except FileNotFoundError as error:
        last_note(f"firmware: {error.filename} is missing: docs/firmware.md lists what is needed")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
