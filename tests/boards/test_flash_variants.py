"""``make flash`` of a locked chip, of a board with two images, and with MCUboot."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from host.boards.exit_status import ExitStatus
from host.boards.flash_options import FlashOptions
from host.boards.targets import TARGETS, signing
from host.cli.command import USAGE, CommandError
from tests.boards.desk import NRFUTIL, PYOCD, Desk, greeting, hello, kit
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


#: How the advice about each tool ends.
ERASES = "erases all of its flash, settings and bonds included"
GET_NRFUTIL = "nrfutil (https://www.nordicsemi.com/Products/Development-tools/nRF-Util, then `nrfutil install device`)"


def locked(desk: Desk, options: FlashOptions = KIT) -> str:
    """Flash a locked chip; return the advice."""
    desk.add(kit(), greeting(hello()))
    desk.tool("west", status=33, prints=LOCKED[0])
    status, text = failure(desk, options)
    assert status == ExitStatus.FLASH_FAILED
    failed, _, advice = text.partition(": the chip is locked (APPROTECT): ")
    assert failed.startswith("writing the board failed: `west flash ")
    assert failed.endswith("` ended with status 33")
    return advice


@pytest.mark.parametrize("line", LOCKED)
def test_a_locked_chip_is_recognised_by_what_the_tool_prints(ready: Desk, line: str) -> None:
    ready.add(kit(), greeting(hello()))
    ready.tool("west", status=33, prints=line)
    status, text = failure(ready, KIT)
    assert status == ExitStatus.FLASH_FAILED
    command = WEST.format("nrfutil", "683123456")
    assert text == (
        f"writing the board failed: `{command}` ended with status 33: the chip is locked (APPROTECT): "
        f"`{command} --recover` unlocks and writes it, and {ERASES}"
    )


def test_a_locked_chip_is_not_erased_again_by_the_command_that_unlocks_it(ready: Desk) -> None:
    """That would erase the setting that keeps it unlocked."""
    command = WEST.format("nrfutil", "683123456")
    assert locked(ready, replace(KIT, erase=True)) == f"`{command} --recover` unlocks and writes it, and {ERASES}"


@pytest.mark.parametrize("nrfutil", ["nrfutil version 6.1.7", "nrfutil 7.13.0\nnrf5sdk-tools 1.1.0 Older tools"])
def test_what_unlocks_a_chip_and_is_not_installed_is_named(ready: Desk, nrfutil: str) -> None:
    ready.tool("nrfutil", prints=nrfutil)
    command = WEST.format("nrfutil", "683123456")
    assert locked(ready) == f"`{command} --recover` unlocks and writes it, and {ERASES}; it needs {GET_NRFUTIL}"


def test_a_chip_is_unlocked_by_nrfjprog_if_that_is_what_is_there(ready: Desk) -> None:
    ready.zephyr("4.1.0", "nrfutil", "nrfjprog")
    ready.tool("nrfutil", prints="nrfutil version 6.1.7")
    ready.tools("nrfjprog")
    command = WEST.format("nrfjprog", "683123456")
    assert locked(ready) == f"`{command} --recover` unlocks and writes it, and {ERASES}"


def test_a_zephyr_without_a_runner_for_nrfutil_unlocks_by_nrfjprog_or_nrfutil_itself(desk: Desk) -> None:
    desk.zephyr("3.3.0", "nrfjprog")
    desk.tools("cmake", "ninja", "JLinkExe")
    command = "west flash --skip-rebuild --runner nrfjprog --build-dir build/firmware/nrf52840dk_nrf52840"
    assert locked(desk) == (
        f"`{command} --dev-id 683123456 --recover` unlocks and writes it, and {ERASES}; it needs nrfjprog of Nordic's "
        "nRF Command Line Tools (https://www.nordicsemi.com/Products/Development-tools/nRF-Command-Line-Tools)"
    )
    desk.tool("nrfutil", prints=NRFUTIL)
    by_itself = f"unlocks it and {ERASES}; then run this again"
    assert locked(desk, replace(KIT, serial="683123456")) == (
        f"`nrfutil device recover --serial-number 683123456` {by_itself}"
    )
    desk.records.clear()
    desk.add(kit(""))
    assert failure(desk, KIT)[1].endswith(f": `nrfutil device recover` {by_itself}")


def test_what_jlink_says_is_hidden_by_west_and_how_to_see_it_is_said(ready: Desk) -> None:
    ready.tool("nrfutil", prints="nrfutil version 6.1.7")
    ready.add(kit(), greeting(hello()))
    ready.tool("west", status=1, prints="FATAL ERROR: command exited with status 1: JLinkExe -nogui 1")
    command = WEST.format("jlink", "683123456")
    assert failure(ready, KIT)[1] == (
        f"writing the board failed: `{command}` ended with status 1: `{command.replace('west', 'west -v')}` shows what "
        "J-Link says; docs/zephyr.md has the cure of a locked chip"
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
