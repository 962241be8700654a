"""``make firmware``: the same build as that of ``make flash``, without an environment."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from host.boards import zephyr
from host.boards.targets import TARGETS
from tests.boards.desk import Desk

ROOT = Path(__file__).parents[2]
MAKE = shutil.which("make")
FOLDER = "build/firmware/nrf52840dk_nrf52840"
CONFIGURE, BUILD = f"cmake -GNinja -S firmware -B {FOLDER} -DBOARD=nrf52840dk/nrf52840", f"ninja -C {FOLDER}"

pytestmark = pytest.mark.skipif(MAKE is None or sys.platform == "win32", reason="make is not installed")


@pytest.fixture
def ready(desk: Desk) -> Desk:
    """A desk with the source that the goal needs, cmake and ninja."""
    desk.tools("cmake", "ninja")
    (desk.root / "host" / "boards").mkdir(parents=True)
    modules = ("__init__", "version", "text", "print_queue", "printing", "boards/__init__", "boards/zephyr")
    for name in ("Makefile", *(f"host/{module}.py" for module in modules)):
        shutil.copy(ROOT / name, desk.root / name)
    return desk


def make(desk: Desk, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the goal with a Python that has its standard library only."""
    command = [str(MAKE), "firmware", f"PYTHON={sys.executable} -S", *words]
    return subprocess.run(
        command, cwd=desk.root, env=desk.environment, capture_output=True, text=True, timeout=60, check=False
    )


def built(desk: Desk, *words: str) -> list[str]:
    """Run the goal; return the commands that it ran and printed."""
    done = make(desk, *words)
    assert done.returncode == 0, done.stderr
    printed = [line.removeprefix("$ ") for line in done.stdout.splitlines() if line.startswith("$ ")]
    assert printed == desk.log[-len(printed) :]
    return printed


def test_the_first_time_it_is_configured_and_built(ready: Desk) -> None:
    assert built(ready) == [CONFIGURE, BUILD]


def test_what_this_zephyr_configured_is_only_built(ready: Desk) -> None:
    ready.configured("nrf52840dk_nrf52840", ready.environment["ZEPHYR_BASE"])
    assert built(ready, "BOARD=nrf52840dk/nrf52840") == [BUILD]


@pytest.mark.parametrize("whole", [True, False])
def test_what_another_zephyr_configured_is_built_from_the_beginning(ready: Desk, whole: bool) -> None:
    ready.configured("nrf52840dk_nrf52840", "/elsewhere/zephyr")
    if not whole:  # its cmake failed
        (ready.root / FOLDER / "build.ninja").unlink()
    assert built(ready) == [f"cmake -E rm -rf {FOLDER}", CONFIGURE, BUILD]


def test_before_zephyr_3_7_a_board_has_its_old_name_and_any_of_zephyrs_is_taken(ready: Desk) -> None:
    ready.zephyr("3.6.0")
    assert built(ready, "BOARD=nrf52840dongle")[0].endswith(
        "-B build/firmware/nrf52840dongle_nrf52840 -DBOARD=nrf52840dongle_nrf52840"
    )
    assert built(ready, "BOARD=native_posix")[0].endswith("-B build/firmware/native_posix -DBOARD=native_posix")


def test_the_chips_own_usb_port_is_built_apart(ready: Desk) -> None:
    assert built(ready, "USB=1") == [f"{CONFIGURE} -DPNC_USB=ON".replace(FOLDER, f"{FOLDER}_usb"), f"{BUILD}_usb"]
    assert built(ready, "USB=0") == [CONFIGURE, BUILD]


def test_with_mcuboot_it_is_built_by_sysbuild_signed_and_configured_every_time(ready: Desk) -> None:
    (ready.root / "key.pem").write_text("a key")
    ready.configured("nrf52840dk_nrf52840_mcuboot", ready.environment["ZEPHYR_BASE"])
    done = make(ready, "MCUBOOT=key.pem")
    assert done.returncode == 0, done.stderr
    assert ready.log == [
        f"cmake -GNinja -S {ready.environment['ZEPHYR_BASE']}/share/sysbuild -DAPP_DIR={ready.root}/firmware "
        f"-B {FOLDER}_mcuboot -DBOARD=nrf52840dk/nrf52840 -DSB_CONFIG_BOOTLOADER_MCUBOOT=y "
        f'-DSB_CONFIG_BOOT_SIGNATURE_KEY_FILE="{ready.root}/key.pem"',
        f"{BUILD}_mcuboot",
    ]
    assert done.stdout.splitlines()[-1] == (
        f"for `python -m host.boards update`: {FOLDER}_mcuboot/firmware/zephyr/zephyr.signed.bin"
    )
    assert make(ready, "MCUBOOT=1").stderr.startswith("firmware: MCUBOOT=1: no such file; `imgtool keygen --type")


def test_a_board_that_needs_a_newer_zephyr_is_one_line(ready: Desk) -> None:
    ready.zephyr("3.3.0")
    done = make(ready, "BOARD=nrf5340dk")
    assert done.stderr.splitlines()[0] == "firmware: nrf5340dk needs Zephyr 4.1 or later, and this is 3.3"
    assert ready.log == []


def test_a_step_that_fails_is_the_last(ready: Desk) -> None:
    ready.tool("cmake", status=3)
    assert make(ready).returncode != 0
    assert ready.log == [CONFIGURE]


def test_a_cmake_that_is_too_old_is_one_line(ready: Desk) -> None:
    ready.cmake_needed("3.28.0")
    ready.tool("cmake", prints="cmake version 3.25.1")
    assert make(ready).stderr.startswith("firmware: cmake 3.25.1 is too old, this Zephyr needs 3.28.0: `pip install ")
    assert ready.log == ["cmake --version"]
    ready.tool("cmake", prints="cmake version 3.28.3")
    assert built(ready) == [CONFIGURE, BUILD]


def test_the_real_zephyr_is_understood() -> None:
    base = os.environ.get("ZEPHYR_BASE")
    if not base:
        pytest.skip("ZEPHYR_BASE is not set")
    assert zephyr.cmake_needed(Path(base)) >= (3, 20, 0)
    assert (Path(base) / "scripts" / "west_commands" / "run_common.py").is_file()
    assert zephyr.no_rebuild_option(Path(base)) == "--skip-rebuild"


def test_what_is_missing_is_one_line(ready: Desk) -> None:
    (ready.folder / "bin" / "cmake").unlink()
    assert make(ready).stderr.splitlines()[0] == ("firmware: cmake is missing: docs/firmware.md lists what is needed")
    del ready.environment["ZEPHYR_BASE"]
    assert make(ready).stderr.startswith("firmware: ZEPHYR_BASE is not set: docs/zephyr.md says")


@pytest.mark.parametrize("words", [["BOARD="], ["BOARD=", "USB=1"]])
def test_an_empty_board_is_one_line_that_lists_the_boards(ready: Desk, words: list[str]) -> None:
    done = make(ready, *words)
    assert done.stderr.splitlines()[0] == (
        "firmware: name a board: nrf52840dk, nrf52840dongle, nrf52833dk, nrf52dk, nrf5340dk, nrf54l15dk, or one of "
        "Zephyr's"
    )
    assert "Traceback" not in done.stderr
    assert done.returncode == 2
    assert ready.log == []


def test_its_boards_are_those_that_can_be_written() -> None:
    assert set(zephyr.BOARDS) == set(TARGETS)
