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
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from ..printing import OutputError, last_note, show

#: The checkout; an installed package has no firmware folder beside it.
ROOT = Path(__file__).resolve().parents[2]
#: From Zephyr 3.7 on a board's name is board/chip; before it was board_chip.
_NEW_NAMES = (3, 7)
#: The project's boards by their short names, and their chips, as Zephyr's names of the boards have them.
BOARDS = {
    "nrf52840dk": "nrf52840",
    "nrf52840dongle": "nrf52840",
    "nrf52833dk": "nrf52833",
    "nrf52dk": "nrf52832",
    "nrf5340dk": "nrf5340/cpuapp",
    "nrf54l15dk": "nrf54l15/cpuapp",
}
#: Chips whose firmware needs Zephyr's sysbuild: their radio has a processor of its own, and so an image of its own.
_TWO_IMAGES = "nrf5340"
#: The oldest release that builds for these boards, or with MCUboot.
_FIRST_RELEASE = {"nrf5340dk": (4, 1), "nrf54l15dk": (4, 1)}
_MCUBOOT_BOARD, _MCUBOOT_RELEASE = "nrf52840dk", (4, 1)
USAGE = 2


class ZephyrError(Exception):
    """Zephyr, or a program that it needs, is missing or too old. The text is one line and says what to do."""


def zephyr_of(environment: Mapping[str, str]) -> tuple[Path, tuple[int, int]]:
    """Return Zephyr's folder and release (major, minor). Raises ZephyrError if ZEPHYR_BASE is not a Zephyr."""
    base = environment.get("ZEPHYR_BASE", "")
    if not base:
        raise ZephyrError(
            "ZEPHYR_BASE is not set: docs/zephyr.md says how to get Zephyr, then `export ZEPHYR_BASE=…` with its folder"
        )
    try:
        text = (Path(base) / "VERSION").read_text(encoding="utf-8")
    except OSError:
        raise ZephyrError(
            f"ZEPHYR_BASE={base} is not a Zephyr (it has no file VERSION): `export ZEPHYR_BASE=…` with the folder "
            "zephyr that `west update` made (docs/zephyr.md)"
        ) from None
    numbers = {match[1]: int(match[2]) for match in re.finditer(r"VERSION_(MAJOR|MINOR) *= *([0-9]+)", text)}
    return Path(base), (numbers.get("MAJOR", 0), numbers.get("MINOR", 0))


def short_name(board: str) -> str:
    """Return the short name of one of the project's boards, which may be given by Zephyr's. Other names stay."""
    for short, chip in BOARDS.items():
        if board in (f"{short}/{chip}", f"{short}_{chip.replace('/', '_')}"):
            return short
    return board


def zephyr_name(board: str, release: tuple[int, int]) -> str:
    """Return that release's name of one of the project's boards. Other names are Zephyr's own and stay."""
    if board not in BOARDS:
        return board
    return f"{board}/{BOARDS[board]}" if release >= _NEW_NAMES else f"{board}_{BOARDS[board].replace('/', '_')}"


def check_release(board: str, release: tuple[int, int], signing: Signing | None) -> None:
    """Raise ZephyrError if that release does not build the firmware for the board, or not with MCUboot."""
    found = ".".join(map(str, release))
    first = _FIRST_RELEASE.get(short_name(board), (0, 0))
    if release < first:
        raise ZephyrError(f"{short_name(board)} needs Zephyr {first[0]}.{first[1]} or later, and this is {found}")
    if signing is not None and release < _MCUBOOT_RELEASE:
        raise ZephyrError(f"MCUBOOT needs Zephyr 4.1 or later, and this is {found}: leave it out")


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


@dataclass(frozen=True, slots=True)
class Signing:
    """The key that signs the firmware, which MCUboot then starts and updates. ``key`` is an absolute path."""

    key: Path


def signing_with(file: str, board: str, *, own_usb: bool, folder: Path) -> Signing | None:
    """Return how to sign the firmware, None if ``file`` is empty. A relative path is looked up in ``folder``.

    Raises ZephyrError if there is no such key, or if a board cannot be updated by MCUboot.
    """
    if not file:
        return None
    key = (folder / file).resolve()
    if not key.is_file():
        raise ZephyrError(
            f"MCUBOOT={file}: no such file; `imgtool keygen --type ecdsa-p256 --key {file}` makes a key: keep it, and "
            "keep it secret"
        )
    if own_usb or short_name(board) != _MCUBOOT_BOARD:
        raise ZephyrError(
            f"MCUBOOT is for the {_MCUBOOT_BOARD} at its debugger's port: it was built for no other board, and a "
            "dongle has a bootloader of its own"
        )
    return Signing(key)


def has_two_images(name: str, signing: Signing | None) -> bool:
    """Return True if sysbuild builds the firmware along with another image: MCUboot, or that of the radio."""
    return signing is not None or _TWO_IMAGES in name


def build_folder(name: str, *, own_usb: bool = False, signing: Signing | None = None) -> Path:
    """Return the build folder of a board, relative to the checkout; the same for its old and its new name."""
    variant = "_usb" if own_usb else "_mcuboot" if signing is not None else ""
    return Path("build") / "firmware" / f"{name.replace('/', '_')}{variant}"


def signed_image(name: str, signing: Signing) -> Path:
    """Return the file for ``python -m host.boards update``, relative to the checkout."""
    return build_folder(name, signing=signing) / "firmware" / "zephyr" / "zephyr.signed.bin"


def build_commands(
    root: Path, name: str, zephyr: Path, *, own_usb: bool = False, signing: Signing | None = None
) -> list[list[str]]:
    """Return the commands to run in ``root``: cmake once for each Zephyr, ninja always, as it knows what is stale.

    With ``own_usb`` the firmware uses the chip's own USB port instead of the board's default port. With ``signing``
    cmake runs always, since the key may be another one.
    """
    folder = build_folder(name, own_usb=own_usb, signing=signing)
    source = ["-S", "firmware"]
    if has_two_images(name, signing):
        source = ["-S", str(zephyr / "share" / "sysbuild"), f"-DAPP_DIR={root / 'firmware'}"]
    configure = ["cmake", "-GNinja", *source, "-B", str(folder), f"-DBOARD={name}"]
    if own_usb:
        configure.append("-DPNC_USB=ON")
    if signing is not None:
        key = f'-DSB_CONFIG_BOOT_SIGNATURE_KEY_FILE="{signing.key}"'
        configure += ["-DSB_CONFIG_BOOTLOADER_MCUBOOT=y", key]
    build = ["ninja", "-C", str(folder)]
    if _is_of_another_zephyr(root / folder, zephyr):
        return [["cmake", "-E", "rm", "-rf", str(folder)], configure, build]
    is_configured = (root / folder / "build.ninja").is_file() and signing is None
    return [build] if is_configured else [configure, build]


def _is_of_another_zephyr(folder: Path, zephyr: Path) -> bool:
    """Return True if cmake configured the folder with another Zephyr than that of ZEPHYR_BASE."""
    try:
        cache = (folder / "CMakeCache.txt").read_text(encoding="utf-8")
    except OSError:
        return False
    base = re.search(r"^ZEPHYR_BASE:\w+=(.+)$", cache, re.MULTILINE)
    return base is not None and Path(base[1]).resolve() != zephyr.resolve()


def main(board: str = "", *options: str) -> int:
    """Build the firmware for a board; return the exit status.

    With ``--usb`` its port is the chip's own USB; with ``--mcuboot KEY`` MCUboot starts it.
    """
    if not board or board.startswith("-"):
        last_note(f"firmware: name a board: {', '.join(BOARDS)}, or one of Zephyr's")
        return USAGE
    own_usb = "--usb" in options
    try:
        zephyr, release = zephyr_of(os.environ)
        key = dict(pairwise(options)).get("--mcuboot", "")
        signing = signing_with(key, board, own_usb=own_usb, folder=ROOT)
        check_release(board, release, signing)
        if cmake_needed(zephyr):
            asked = subprocess.run(["cmake", "--version"], capture_output=True, text=True, check=False)
            check_cmake(zephyr, asked.stdout)
        name = zephyr_name(board, release)
        for command in build_commands(ROOT, name, zephyr, own_usb=own_usb, signing=signing):
            show(f"$ {shlex.join(command)}")
            status = subprocess.run(command, cwd=ROOT, check=False).returncode
            if status:
                return status
        if signing is not None:
            show(f"for `python -m host.boards update`: {signed_image(name, signing)}")
    except (ZephyrError, OutputError) as error:
        last_note(f"firmware: {error}")
        return 1
    except FileNotFoundError as error:
        last_note(f"firmware: {error.filename} is missing: docs/firmware.md lists what is needed")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
