"""What the tests of ``make flash`` share: a desk with every tool, and how they run it."""

from __future__ import annotations

import asyncio

import pytest

from host.boards.exit_status import ExitStatus
from host.boards.flash import flash
from host.boards.flash_options import FlashOptions
from host.boards.targets import TARGETS
from host.cli.command import CommandError
from tests.boards.desk import NRFUTIL, Desk

KIT, DONGLE = FlashOptions(TARGETS["nrf52840dk"], wait_s=0.5), FlashOptions(TARGETS["nrf52840dongle"], wait_s=0.5)
BUILD_KIT = [
    "cmake -GNinja -S firmware -B build/firmware/nrf52840dk_nrf52840 -DBOARD=nrf52840dk/nrf52840",
    "ninja -C build/firmware/nrf52840dk_nrf52840",
]
WEST = "west flash --skip-rebuild --runner {} --build-dir build/firmware/nrf52840dk_nrf52840 --dev-id {}"


def run(desk: Desk, options: FlashOptions) -> list[str]:
    """Flash; return the lines that it printed."""
    said: list[str] = []
    asyncio.run(flash(desk.system(), options, said.append))
    return said


def failure(desk: Desk, options: FlashOptions) -> tuple[ExitStatus, str]:
    """Flash, which fails; return the exit status and the line."""
    with pytest.raises(CommandError) as error:
        run(desk, options)
    assert "\n" not in str(error.value)
    return ExitStatus(error.value.status), str(error.value)


@pytest.fixture
def ready(desk: Desk) -> Desk:
    """A desk with every tool."""
    desk.zephyr("4.1.0", "nrfutil")
    desk.tools("cmake", "ninja", "west", "JLinkExe", "pyocd")
    desk.tool("nrfutil", prints=NRFUTIL)
    return desk


def without_versions(log: list[str]) -> list[str]:
    """Return the log without the questions for a tool's version."""
    return [line for line in log if line not in ("nrfutil --version", "nrfutil list")]
