"""The watchdog against the flash, in the nRF52840's numbers.

Simulated boards do not have its watchdog, and an erase does not stop their CPU. It takes 87.5 ms on them with Zephyr
4.1.99 (NHW_NVMC.c of nrf_hw_models), and no time with 3.3, whose model of the flash's controller is a stub.
"""

from __future__ import annotations

import re

from tests.core.core_build import CORE

FIRMWARE = CORE.parent
#: tERASEPAGE of the nRF52 (product specification, NVMC): the CPU stops that long. Zephyr's driver reckons with it, too.
ERASE_PAGE_MS = 89.7
#: Pages of the storage partition of the boards in Zephyr (32 KiB).
STORAGE_PAGES = 8


def _symbol(name: str) -> int:
    found = re.search(rf"^CONFIG_{name}=(\d+)$", (FIRMWARE / "prj.conf").read_text(encoding="utf-8"), re.MULTILINE)
    assert found is not None
    return int(found[1])


def _timeout_ms() -> int:
    text = (FIRMWARE / "src" / "supervision.h").read_text(encoding="utf-8")
    found = re.search(r"^#define WATCHDOG_TIMEOUT_MS (\d+)$", text, re.MULTILINE)
    assert found is not None
    return int(found[1])


def test_the_hardware_watchdog_outlasts_every_thread_and_a_page_erase() -> None:
    hardware_ms = _symbol("TASK_WDT_MIN_TIMEOUT") + _symbol("TASK_WDT_HW_FALLBACK_DELAY")
    assert _symbol("TASK_WDT_MIN_TIMEOUT") >= _timeout_ms()  # or Zephyr's timer alone would feed it, while threads hang
    assert hardware_ms > _timeout_ms() + ERASE_PAGE_MS


def test_a_start_after_a_reset_by_software_is_shorter_than_what_the_watchdog_has_left() -> None:
    """The reset comes when a thread's time is over. The partition may be erased twice (store_open)."""
    hardware_ms = _symbol("TASK_WDT_MIN_TIMEOUT") + _symbol("TASK_WDT_HW_FALLBACK_DELAY")
    left_ms = hardware_ms - _timeout_ms()
    assert left_ms / 2 > 2 * STORAGE_PAGES * ERASE_PAGE_MS


def test_the_watchdog_starts_after_the_settings_and_bluetooth() -> None:
    text = (FIRMWARE / "src" / "main.c").read_text(encoding="utf-8")
    order = re.findall(
        r"\b(supervision_start|radio_start|watchdog_start|board_start)\(", text[text.index("int main(") :]
    )
    assert order == ["supervision_start", "radio_start", "watchdog_start", "board_start"]
