"""The firmware builds without a warning for every board that docs/firmware.md lists, and fits.

What is built runs on none of them here.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from host.boards import zephyr
from tests.bsim.simulation import ROOT

#: Boards by the name that is given to `make firmware`, and the RAM that their chip has, in bytes.
RAM = {
    "nrf52840dk": 262_144,
    "nrf52840dongle": 262_144,
    "nrf52833dk": 131_072,
    "nrf52dk": 65_536,
    "nrf5340dk": 458_752,
    "nrf54l15dk": 192_512,
    "xiao_ble": 262_144,
    "adafruit_feather_nrf52840": 262_144,
    "adafruit_feather_nrf52840/nrf52840/uf2": 262_144,
    "thingy52": 65_536,
}
#: For chips with 256 KiB or more (docs/firmware.md).
RAM_LIMIT, FLASH_LIMIT = 98_304, 262_144
#: Zephyr's names for boards that are none of `make firmware`'s, before 3.7 and from then on.
OTHER_NAMES = {"thingy52": ("thingy52_nrf52832", "thingy52/nrf52832")}
#: Boards whose port would be at pins: USB=1 builds them for their own USB socket.
OWN_USB = {"adafruit_feather_nrf52840"}
#: Warnings about Zephyr's own settings: sysbuild's with MCUboot, and those in the file of the board XIAO BLE in 3.3.
ZEPHYRS_OWN = ("MCUBOOT_UPDATE_FOOTER_SIZE", "USB_CDC_ACM_LOG_LEVEL_OFF")

#: What a build has to contain, by board: a file of its folder and the beginning of a line. A dongle shows traffic in
#: green and an error in red; a chip that can erase a page of its flash in parts does so.
CONTENTS: dict[str, list[tuple[str, str]]] = {
    "nrf52840dongle": [
        ("zephyr.dts", "led1 = &led1_green;"),
        ("zephyr.dts", "led2 = &led1_red;"),
        (".config", "CONFIG_SOC_FLASH_NRF_PARTIAL_ERASE=y"),
    ],
    "nrf52833dk": [(".config", "CONFIG_SOC_FLASH_NRF_PARTIAL_ERASE=y")],
    "nrf52840dk": [(".config", "CONFIG_SOC_FLASH_NRF_PARTIAL_ERASE=y")],
    "nrf52dk": [(".config", "CONFIG_PNC_SERIAL_TX_BYTES=252")],
}

BASE = os.environ.get("ZEPHYR_BASE", "")


def _why_not(board: str, release: tuple[int, int]) -> str | None:
    if board.endswith("/uf2") and release < (3, 7):
        return "this Zephyr has no such board"
    if board == "nrf54l15dk":
        modules = [Path(path) for path in os.environ.get("ZEPHYR_MODULES", "").split(";") if "hal_nordic" in path]
        if modules and not (modules[0] / "nrfx" / "mdk" / "nrf54l15_types.h").is_file():
            return "this copy of Nordic's HAL lacks nrf54l15_types.h"
    try:
        zephyr.check_release(board, release, None)
    except zephyr.ZephyrError as error:
        return str(error)
    return None


def _bytes_of(region: str, log: str) -> list[int]:
    """Return the use of a memory region by each image that was linked, in bytes."""
    found = re.findall(rf"^\s+{region}:\s+([0-9]+) (B|KB) ", log, re.MULTILINE)
    assert found, log[-3000:]
    return [int(number) * (1024 if unit == "KB" else 1) for number, unit in found]


def _check(log: str, name: str, folder: Path, ram_limit: int = RAM_LIMIT) -> None:
    """The build gave no warning, every image fits, and so does every stack whose use can be read."""
    assert _warnings(log) == []
    flash, ram = _bytes_of("FLASH", log), _bytes_of("RAM", log)
    print(f"{name}: bytes of flash {flash}, of RAM {ram}")
    assert max(flash) <= FLASH_LIMIT
    assert max(ram) <= ram_limit
    image = folder if (folder / "zephyr" / "zephyr.elf").is_file() else folder / "firmware"  # sysbuild's has images
    counted = subprocess.run(
        [sys.executable, str(ROOT / "firmware" / "stacks" / "count.py"), str(image)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    print(counted.stdout)
    assert counted.returncode == 0, counted.stdout


def _warnings(log: str) -> list[str]:
    found = [line for line in log.splitlines() if re.search(r"\bwarning: ", line)]
    return [line for line in found if not any(name in line for name in ZEPHYRS_OWN)]


def _build(name: str, *, own_usb: bool = False, signing: zephyr.Signing | None = None) -> tuple[str, Path]:
    """Build for a board; return the log and the folder."""
    folder = ROOT / zephyr.build_folder(name, own_usb=own_usb, signing=signing)
    shutil.rmtree(folder, ignore_errors=True)
    log = _run(*zephyr.build_commands(ROOT, name, Path(BASE), own_usb=own_usb, signing=signing))
    return log, folder


def _run(*commands: list[str]) -> str:
    log = ""
    for command in commands:
        done = subprocess.run(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
        log += done.stdout
        assert done.returncode == 0, log[-4000:]
    return log


@pytest.mark.parametrize("board", RAM)
def test_a_board_is_built_without_a_warning_and_fits(board: str) -> None:
    _, release = zephyr.zephyr_of(os.environ)
    why = _why_not(board, release)
    if why is not None:
        pytest.skip(why)
    name = OTHER_NAMES[board][release >= (3, 7)] if board in OTHER_NAMES else zephyr.zephyr_name(board, release)
    log, folder = _build(name, own_usb=board in OWN_USB)
    _check(log, name, folder, min(RAM_LIMIT, RAM[board]))
    for file, line in CONTENTS.get(board, []):
        lines = (folder / "zephyr" / file).read_text().splitlines()
        assert any(each.strip().startswith(line) for each in lines), f"{line} in {file} of {name}"


def test_for_its_own_usb_socket_a_kit_is_built_without_a_warning_and_fits() -> None:
    name = zephyr.zephyr_name("nrf52840dk", zephyr.zephyr_of(os.environ)[1])
    log, folder = _build(name, own_usb=True)
    _check(log, f"{name} USB=1", folder)


def test_with_the_log_a_kit_is_built_without_a_warning_and_fits(tmp_path: Path) -> None:
    name = zephyr.zephyr_name("nrf52840dk", zephyr.zephyr_of(os.environ)[1])
    configure = ["cmake", "-GNinja", "-S", "firmware", "-B", str(tmp_path), f"-DBOARD={name}", "-DPNC_LOG=ON"]
    _check(_run(configure, ["ninja", "-C", str(tmp_path)]), f"{name} with the log", tmp_path)


def test_with_mcuboot_a_kit_is_built_without_a_warning_and_fits(tmp_path: Path) -> None:
    _, release = zephyr.zephyr_of(os.environ)
    pytest.importorskip("imgtool")
    key = tmp_path / "key.pem"
    command = [sys.executable, "-m", "imgtool.main", "keygen", "--type", "ecdsa-p256", "--key", str(key)]
    subprocess.run(command, check=True)
    signing = zephyr.Signing(key)
    try:
        zephyr.check_release("nrf52840dk", release, signing)
    except zephyr.ZephyrError as error:
        pytest.skip(str(error))
    name = zephyr.zephyr_name("nrf52840dk", release)
    log, folder = _build(name, signing=signing)
    _check(log, f"{name} MCUBOOT=KEY", folder)
    assert (ROOT / zephyr.signed_image(name, signing)).stat().st_size <= FLASH_LIMIT
