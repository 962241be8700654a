"""``make flash`` of a dongle, whose bootloader takes packages."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from host.boards.exit_status import ExitStatus
from host.boards.flash import PRESS_RESET, flash
from host.wire import Control, Hello, Reset, ResetKind, Role
from tests.boards.desk import BOOTS, NRFUTIL, Desk, bootloader, dongle, greeting, hello
from tests.boards.flashing import DONGLE, failure, ready, run, without_versions

__all__ = ["ready"]  # a fixture


@pytest.mark.parametrize(
    ("version", "program"),
    [(NRFUTIL, "nrfutil nrf5sdk-tools"), ("nrfutil version 6.1.7", "nrfutil")],
)
def test_a_dongle_in_its_bootloader_gets_a_package(ready: Desk, version: str, program: str) -> None:
    ready.tool("nrfutil", prints=version)
    waiting = bootloader()
    ready.add(waiting)
    system = ready.system()
    came: list[bool] = []

    def records() -> list[object]:
        if any(" dfu usb-serial " in line for line in ready.log) and not came:
            came.append(True)
            ready.records.clear()
            ready.add(dongle(), greeting(hello()))
        return list(ready.records)

    said: list[str] = []
    asyncio.run(flash(replace(system, records=records), DONGLE, said.append))  # type: ignore[arg-type]
    folder = "build/firmware/nrf52840dongle_nrf52840"
    assert without_versions(ready.log)[2:] == [
        f"{program} pkg generate --hw-version 52 --sd-req 0x00 --application-version 1 "
        f"--application {folder}/zephyr/zephyr.hex {folder}/dfu.zip",
        f"{program} dfu usb-serial --package {folder}/dfu.zip --port /dev/ttyACM6",
    ]
    assert said[-1].startswith("/dev/ttyACM5: firmware 0.1.0")


def test_a_dongle_with_our_firmware_is_sent_to_its_bootloader(ready: Desk) -> None:
    def answer(packet: Control) -> list[Control]:
        if isinstance(packet, Reset):
            ready.records[:] = [bootloader()]
        return [hello(can=BOOTS)] if isinstance(packet, Hello) else []

    board = ready.add(dongle(), answer)
    status, _ = failure(ready, DONGLE)  # the tools only log, so it stays in its bootloader
    assert status == ExitStatus.WRONG_FIRMWARE
    assert Reset(kind=ResetKind.BOOTLOADER) in board.heard
    assert ready.log[-1].endswith("--port /dev/ttyACM6")


def test_a_port_that_vanishes_with_the_firmware_is_no_error(ready: Desk) -> None:
    def answer(packet: Control) -> list[Control]:
        if isinstance(packet, Reset):
            ready.records[:] = [bootloader()]
            board.vanish()
        return [hello(can=BOOTS)] if isinstance(packet, Hello) else []

    board = ready.add(dongle(), answer)
    assert failure(ready, DONGLE)[0] == ExitStatus.WRONG_FIRMWARE
    assert ready.log[-1].endswith("--port /dev/ttyACM6")


def test_another_dongle_that_waits_in_its_bootloader_is_not_written_instead(ready: Desk) -> None:
    other = bootloader("E0E0E0E0E0E0", "/dev/ttyACM8")
    other.location = "1-4:1.0"

    def answer(packet: Control) -> list[Control]:
        if isinstance(packet, Reset) and leaves:
            ready.records[:] = [other, bootloader()]
        return [hello(can=BOOTS)] if isinstance(packet, Hello) else []

    leaves = False
    ready.add(other)
    ready.add(dongle(), answer)
    meant = replace(DONGLE, serial="E1D2C3B4A5968778")
    assert failure(ready, meant) == (ExitStatus.NO_BOARD, f"the bootloader did not start: {PRESS_RESET}")
    assert not any("dfu" in line for line in ready.log)
    leaves = True
    assert failure(ready, meant)[0] == ExitStatus.WRONG_FIRMWARE
    assert ready.log[-1].endswith("--port /dev/ttyACM6")


@pytest.mark.parametrize("location", ["1-4:1.0", None])
def test_the_hello_of_another_dongle_is_not_taken_for_the_new_ones(ready: Desk, location: str | None) -> None:
    other = dongle("E0E0E0E0E0E0E0E0", "/dev/ttyACM8")
    other.location = location
    ready.add(other, greeting(hello(Role.EDGE)))
    waiting = bootloader()
    waiting.location = None if location is None else "1-3:1.0"
    ready.add(waiting)
    options = replace(DONGLE, serial="E1D2C3B4A596")
    assert failure(ready, options) == (
        ExitStatus.WRONG_FIRMWARE,
        "written, but the board did not come back: unplug it, plug it in again",
    )
    system = ready.system()

    def records() -> list[object]:
        if sum(" dfu usb-serial " in line for line in ready.log) == 2 and waiting in ready.records:
            ready.records.remove(waiting)
            new = dongle()
            new.location = waiting.location
            ready.add(new, greeting(hello(Role.NONE)))
        return list(ready.records)

    said: list[str] = []
    asyncio.run(flash(replace(system, records=records), options, said.append))  # type: ignore[arg-type]
    assert said[-1].startswith("/dev/ttyACM5: firmware 0.1.0")


def test_a_dry_run_for_a_dongle_says_that_its_bootloader_comes_first(ready: Desk) -> None:
    ready.add(dongle())
    said = run(ready, replace(DONGLE, dry_run=True))
    assert "first the dongle starts its bootloader, which may have another port" in said


def test_a_dongle_of_boards_toml_may_be_in_its_bootloader(ready: Desk) -> None:
    (ready.folder / "project" / "boards.toml").write_text('camera = "E1D2C3B4A5968778"\n')
    ready.add(bootloader())
    said = run(ready, replace(DONGLE, role="camera", dry_run=True))
    assert said[-1].endswith("--port /dev/ttyACM6")


def test_a_dongle_whose_firmware_cannot_start_the_bootloader_needs_its_button(ready: Desk) -> None:
    ready.add(dongle(), greeting(hello()))
    assert failure(ready, DONGLE) == (
        ExitStatus.NO_BOARD,
        f"/dev/ttyACM5: its firmware cannot start the bootloader: {PRESS_RESET}",
    )


def test_a_dongle_that_keeps_silent_or_does_not_reach_its_bootloader_needs_its_button(ready: Desk) -> None:
    ready.add(dongle())
    status, text = failure(ready, DONGLE)
    assert status == ExitStatus.NO_BOARD
    assert text.endswith(PRESS_RESET)
    ready.records.clear()
    ready.add(dongle(), greeting(hello(can=BOOTS)))
    assert failure(ready, DONGLE) == (ExitStatus.NO_BOARD, f"the bootloader did not start: {PRESS_RESET}")


def test_for_a_dongle_nrfutil_with_its_command_is_needed(ready: Desk) -> None:
    ready.add(bootloader())
    ready.tool("nrfutil", prints="nrfutil 7.13.0")
    assert failure(ready, DONGLE) == (
        ExitStatus.TOOL_MISSING,
        "nrfutil lacks a command: `nrfutil install nrf5sdk-tools`",
    )
    (ready.folder / "bin" / "nrfutil").unlink()
    status, text = failure(ready, DONGLE)
    assert status == ExitStatus.TOOL_MISSING
    assert text.startswith("nrfutil is missing: https://")
