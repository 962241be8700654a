"""Reports of keys that differ: every change, but not without end."""

from __future__ import annotations

from host.link.events import KeyFault
from host.link.sealing import KeyReports

SECOND_US = 1_000_000
FAULTS = (KeyFault.NONE_HERE, KeyFault.OTHER, KeyFault.NONE_THERE)


def reported(reports: KeyReports, now_us: int, fault: KeyFault) -> int:
    return len(reports.fault(now_us, 0, fault, at_camera=False))


def test_a_change_is_reported_at_once() -> None:
    reports = KeyReports()
    assert [reported(reports, number * SECOND_US // 10, fault) for number, fault in enumerate(FAULTS)] == [1, 1, 1]


def test_the_same_fault_is_reported_once_until_all_was_fine() -> None:
    reports = KeyReports()
    assert [reported(reports, number * SECOND_US, KeyFault.OTHER) for number in range(10)] == [1] + 9 * [0]
    reports.fine(0)
    assert reported(reports, 11 * SECOND_US, KeyFault.OTHER) == 1


def test_an_end_that_changes_its_key_all_the_time_is_reported_once_a_second() -> None:
    reports = KeyReports()
    times_us = range(0, 20 * SECOND_US, SECOND_US // 20)
    count = sum(reported(reports, now_us, FAULTS[number % 2]) for number, now_us in enumerate(times_us))
    assert 18 <= count <= 24


def test_each_camera_has_reports_of_its_own() -> None:
    reports = KeyReports()
    for number in range(10):
        reported(reports, number, FAULTS[number % 2])
    assert len(reports.fault(10, 1, KeyFault.OTHER, at_camera=False)) == 1
