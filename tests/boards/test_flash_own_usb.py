"""``make flash`` of a kit that is written at one USB socket and answers at the other, the chip's own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from host.boards.exit_status import ExitStatus
from host.wire import Control, Hello, Statistics, StatisticsRequest
from tests.boards.desk import Desk, bootloader, dongle, greeting, hello, kit
from tests.boards.flashing import DONGLE, KIT, failure, ready, run, without_versions

__all__ = ["ready"]  # a fixture

USB = replace(KIT, own_usb=True)


def _usb_board(uptime_ms: int) -> Callable[[Control], list[Control]]:
    """Return the answers of a board with this uptime."""

    def answer(packet: Control) -> list[Control]:
        if isinstance(packet, StatisticsRequest):
            return [Statistics(uptime_ms=uptime_ms)]
        return [hello()] if isinstance(packet, Hello) else []

    return answer


def test_a_kit_with_its_own_usb_is_built_apart_and_heard_at_its_other_socket(ready: Desk) -> None:
    ready.add(kit())
    ready.add(dongle("AAAA", "/dev/ttyACM8"), _usb_board(3_600_000))  # another board, up for an hour
    ready.add(dongle("BBBB", "/dev/ttyACM9"), _usb_board(0))
    said = run(ready, USB)
    folder = "build/firmware/nrf52840dk_nrf52840_usb"
    assert without_versions(ready.log) == [
        f"cmake -GNinja -S firmware -B {folder} -DBOARD=nrf52840dk/nrf52840 -DPNC_USB=ON",
        f"ninja -C {folder}",
        f"west flash --skip-rebuild --runner nrfutil --build-dir {folder} --dev-id 683123456",
    ]
    assert said[-1] == "/dev/ttyACM9: firmware 0.1.0, protocol 2, answers"


def test_a_kit_whose_own_usb_socket_is_not_plugged_in(ready: Desk) -> None:
    ready.add(kit(), greeting(hello()))
    ready.add(dongle("AAAA", "/dev/ttyACM8"), _usb_board(3_600_000))
    ready.add(dongle("CCCC", "/dev/ttyACM7"), missing="in use")
    assert failure(ready, USB) == (
        ExitStatus.WRONG_FIRMWARE,
        "written, but no board started on its own USB: is the kit's other socket (nRF USB) plugged in, too?",
    )


def test_a_dongle_is_on_its_own_usb_anyway(ready: Desk) -> None:
    ready.add(bootloader())
    said = run(ready, replace(DONGLE, own_usb=True, dry_run=True))
    assert next(line for line in said if "cmake" in line).endswith("-DBOARD=nrf52840dongle/nrf52840")
