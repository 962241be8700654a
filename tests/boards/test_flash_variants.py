"""``make flash`` of a locked chip, of a board with two images, and with MCUboot."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from host.boards.exit_status import ExitStatus
from host.boards.targets import TARGETS, signing
from host.cli.command import USAGE, CommandError
from tests.boards.desk import PYOCD, Desk, greeting, hello, kit
from tests.boards.flashing import KIT, WEST, failure, ready, run, without_versions

__all__ = ["ready"]  # a fixture

LOCKED = [
    # nrfjprog (https://github.com/nrfconnect/sdk-nrf/pull/16859)
    "ERROR: The operation attempted is unavailable due to readback protection in",
    # nrfjprog's library (https://github.com/zephyrproject-rtos/zephyr/issues/68850)
    "[error] [ Worker] - Access protection is enabled, the block protection state cannot be read.",
    # west, of the tools that report a number
    "ERROR: runners.nrfutil: Flashing failed because the target must be recovered.",
    # pyocd
    "0001234 W nRF52840 APPROTECT enabled: not automatically unlocking [target_nRF52]",
]


@pytest.mark.parametrize("line", LOCKED)
def test_a_locked_chip_is_recognised_by_what_the_tool_prints(ready: Desk, line: str) -> None:
    ready.zephyr("4.1.0")
    ready.tool("nrfutil", prints="nrfutil 7.13.0")
    ready.add(kit(), greeting(hello()))
    ready.tool("west", status=33, prints=line)
    status, text = failure(ready, KIT)
    assert status == ExitStatus.FLASH_FAILED
    command = WEST.format("jlink", "683123456")
    assert text == (
        f"writing the board failed: `{command}` ended with status 33: the chip is locked (APPROTECT): "
        f"`{command.replace('jlink', 'nrfutil')} --recover` unlocks and writes it, and erases all of its flash, "
        "settings and bonds included"
    )


def test_what_west_prints_is_shown(ready: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    ready.add(kit(), greeting(hello()))
    ready.tool("west", prints="-- west flash: using runner nrfutil")
    run(ready, KIT)
    assert "-- west flash: using runner nrfutil" in capsys.readouterr().out


@pytest.mark.parametrize("board", ["nrf5340dk", "nrf54l15dk"])
def test_a_board_that_needs_a_newer_zephyr_says_so(ready: Desk, board: str) -> None:
    ready.zephyr("3.3.0")
    ready.add(kit())
    options = replace(KIT, target=TARGETS[board])
    assert failure(ready, options) == (
        ExitStatus.TOOL_MISSING,
        f"{board} needs Zephyr 4.1 or later, and this is 3.3",
    )


def test_with_two_images_sysbuild_builds_and_west_writes_both(ready: Desk) -> None:
    ready.add(kit(), greeting(hello()))
    run(ready, replace(KIT, target=TARGETS["nrf5340dk"]))
    folder = "build/firmware/nrf5340dk_nrf5340_cpuapp"
    assert without_versions(ready.log) == [
        f"cmake -GNinja -S {ready.environment['ZEPHYR_BASE']}/share/sysbuild -DAPP_DIR={ready.root}/firmware "
        f"-B {folder} -DBOARD=nrf5340dk/nrf5340/cpuapp",
        f"ninja -C {folder}",
        WEST.format("nrfutil", "683123456").replace("build/firmware/nrf52840dk_nrf52840", folder),
    ]


def test_with_mcuboot_both_are_written_and_the_key_signs(ready: Desk) -> None:
    key = ready.folder / "project" / "key.pem"
    key.write_text("a key")
    ready.configured("nrf52840dk_nrf52840_mcuboot", ready.environment["ZEPHYR_BASE"])
    ready.add(kit(), greeting(hello()))
    signed = signing(ready.system(), "key.pem", "nrf52840dk", own_usb=False)
    run(ready, replace(KIT, signing=signed))
    folder = "build/firmware/nrf52840dk_nrf52840_mcuboot"
    configure, build, west = without_versions(ready.log)
    assert configure.endswith(
        f"-B {folder} -DBOARD=nrf52840dk/nrf52840 -DSB_CONFIG_BOOTLOADER_MCUBOOT=y "
        f'-DSB_CONFIG_BOOT_SIGNATURE_KEY_FILE="{key}"'
    )
    assert build == f"ninja -C {folder}"
    assert f"--build-dir {folder} " in west
    ready.zephyr("3.7.0")
    assert failure(ready, replace(KIT, signing=signed)) == (
        ExitStatus.TOOL_MISSING,
        "MCUBOOT needs Zephyr 4.1 or later, and this is 3.7: leave it out",
    )


@pytest.mark.parametrize("images", [1, 2])
def test_pyocd_erases_once_and_no_image_that_was_just_written(desk: Desk, images: int) -> None:
    """West's runner for pyocd would erase before each image, and so MCUboot before the firmware is written."""
    desk.tools("cmake", "ninja", "west")
    desk.tool("pyocd", prints=PYOCD)
    desk.add(kit(), greeting(hello()))
    (desk.folder / "project" / "key.pem").write_text("a key")
    key = "key.pem" if images == 2 else ""
    signed = signing(desk.system(), key, "nrf52840dk", own_usb=False)
    run(desk, replace(KIT, signing=signed, erase=True))
    folder = "build/firmware/nrf52840dk_nrf52840" + ("_mcuboot" if images == 2 else "")
    assert desk.log[-2:] == [
        "pyocd erase --chip --no-wait --target nrf52840 --uid 683123456",
        WEST.format("pyocd", "683123456").replace("build/firmware/nrf52840dk_nrf52840", folder),
    ]


def test_pyocd_that_cannot_erase_ends_it_before_anything_is_written(desk: Desk) -> None:
    desk.tools("cmake", "ninja", "west")
    desk.tool("pyocd", prints=PYOCD, status=1)
    desk.add(kit(""), greeting(hello()))
    assert failure(desk, replace(KIT, erase=True)) == (
        ExitStatus.FLASH_FAILED,
        "writing the board failed: `pyocd erase --chip --no-wait --target nrf52840` ended with status 1",
    )
    assert not any(line.startswith("west ") for line in desk.log)


@pytest.mark.parametrize(
    ("file", "board", "own_usb", "said"),
    [
        ("nothing.pem", "nrf52840dk", False, "MCUBOOT=nothing.pem: no such file; `imgtool keygen --type ecdsa-p256"),
        ("key.pem", "nrf52840dongle", False, "MCUBOOT is for the nrf52840dk at its debugger's port"),
        ("key.pem", "nrf52840dk", True, "MCUBOOT is for the nrf52840dk at its debugger's port"),
    ],
)
def test_what_mcuboot_cannot_do_is_wrong_usage(desk: Desk, file: str, board: str, own_usb: bool, said: str) -> None:
    (desk.folder / "project" / "key.pem").write_text("a key")
    with pytest.raises(CommandError, match=re.escape(said)) as error:
        signing(desk.system(), file, board, own_usb=own_usb)
    assert error.value.status == USAGE
