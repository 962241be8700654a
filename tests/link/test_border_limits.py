"""Where the border runs: the last value that is taken, and the first that is not."""

from __future__ import annotations

import pytest

from host.link.border import Border, Flaw, flaw_of, plausible_interval_us
from host.link.events import Implausible, KeyFault, KeyMismatch
from host.link.sealing import KeyReports
from host.wire import VERSION, Control, Hello, Kind, Picture, Ping, Pong, Result, Role

LONGEST_US = 65_535_000


@pytest.mark.parametrize(
    ("packet", "flaw"),
    [
        (Hello(version=VERSION, kind=Kind.BOARD, role=Role.EDGE), None),
        (Hello(version=VERSION, kind=2, role=Role.EDGE), Flaw.HELLO),
        (Hello(version=VERSION, kind=Kind.BOARD, role=3), Flaw.HELLO),
        (Hello(version=VERSION + 1, kind=2, role=3), None),
        (Hello(version=VERSION, kind=Kind.BOARD, peer=16), None),
        (Ping(hop=3, peer=15), Flaw.HOP),
        (Ping(hop=1, peer=15), None),
        (Ping(hop=1, peer=16), Flaw.CAMERA),
        (Result(peer=15), None),
        (Result(peer=16), Flaw.CAMERA),
        (Pong(hop=3), Flaw.HOP),
        (Pong(hop=1, held_us=LONGEST_US, service_us=LONGEST_US, clock_us=65_535_999), None),
        (Pong(hop=1, held_us=LONGEST_US + 1), Flaw.PONG_TIME),
        (Pong(hop=1, service_us=LONGEST_US + 1), Flaw.PONG_TIME),
        (Pong(hop=1, clock_us=65_536_000), Flaw.PONG_TIME),
        (Picture(1, 0, 0, 1, b"x", last=True), None),
    ],
)
def test_what_one_packet_may_say(packet: Picture | Control, flaw: Flaw | None) -> None:
    assert flaw_of(packet) is flaw


@pytest.mark.parametrize(
    ("interval_us", "used_us"), [(7_499, 0), (7_500, 7_500), (4_000_000, 4_000_000), (4_000_001, 0), (0, 0)]
)
def test_bluetooth_has_intervals_from_7_5_ms_to_4_s(interval_us: int, used_us: int) -> None:
    assert plausible_interval_us(interval_us) == used_us


def test_a_kind_of_flaw_is_reported_at_once_and_then_once_a_second() -> None:
    border = Border()
    assert (border.wake_at(), border.report(0)) == (None, [])
    border.count(Flaw.HOP)
    border.count(Flaw.HOP)
    assert border.wake_at() == 0
    assert border.report(5) == [Implausible(Flaw.HOP.value, 2)]
    assert (border.wake_at(), border.report(5)) == (None, [])
    border.count(Flaw.HOP)
    border.count(Flaw.LAST)
    assert border.wake_at() == 0
    assert border.report(6) == [Implausible(Flaw.LAST.value, 1)]
    assert border.wake_at() == 1_000_005
    border.count(Flaw.HOP)
    assert border.report(1_000_004) == []
    assert border.report(1_000_005) == [Implausible(Flaw.HOP.value, 2)]
    assert border.counts == {Flaw.HOP: 4, Flaw.LAST: 1}


def test_a_kind_that_goes_on_is_reported_after_1_2_4_seconds_and_so_on_up_to_60() -> None:
    border, at_s, total = Border(), [], 0
    for now_s in range(400):
        border.count(Flaw.HOP)
        for report in border.report(now_s * 1_000_000):
            at_s.append(now_s)
            total += report.times
    assert at_s == [0, 1, 3, 7, 15, 31, 63, 123, 183, 243, 303, 363]
    assert total == 364
    assert border.wake_at() == 423_000_000


@pytest.mark.parametrize(("quiet_us", "pause_us"), [(599_999_999, 60_000_000), (600_000_000, 1_000_000)])
def test_after_ten_minutes_a_kind_is_reported_as_a_new_one(quiet_us: int, pause_us: int) -> None:
    border, now_us = Border(), 0
    for _ in range(10):
        border.count(Flaw.HOP)
        now_us = border.wake_at() or now_us
        assert border.report(now_us)
    border.count(Flaw.HOP)
    now_us += quiet_us
    assert border.report(now_us)
    border.count(Flaw.HOP)
    assert border.wake_at() == now_us + pause_us


def test_four_changes_of_a_key_are_reported_in_four_seconds() -> None:
    reports = KeyReports()
    faults = [KeyFault.OTHER, KeyFault.NONE_THERE] * 3
    found = [reports.fault(at_us, 3, fault, at_camera=False) for at_us, fault in enumerate(faults[:5])]
    assert found[:2] == [[KeyMismatch(3, KeyFault.OTHER, False)], [KeyMismatch(3, KeyFault.NONE_THERE, False)]]
    assert [len(each) for each in found] == [1, 1, 1, 1, 0]
    assert reports.fault(3_999_999, 3, KeyFault.OTHER, at_camera=False) == []
    assert len(reports.fault(4_000_000, 3, KeyFault.OTHER, at_camera=False)) == 1
    assert reports.fault(4_000_000, 3, KeyFault.NONE_THERE, at_camera=False) == []
    assert len(reports.fault(4_000_001, 3, KeyFault.NONE_THERE, at_camera=True)) == 1


def test_a_key_that_is_fine_was_no_fault_before_it() -> None:
    reports = KeyReports()
    reports.fine(1)
    assert len(reports.fault(0, 1, KeyFault.OTHER, at_camera=True)) == 1
    assert reports.fault(1, 1, KeyFault.OTHER, at_camera=True) == []


@pytest.mark.parametrize(
    ("mismatch", "text"),
    [
        (KeyMismatch(0, KeyFault.OTHER, at_camera=True), "the edge server has another key"),
        (KeyMismatch(3, KeyFault.NONE_HERE, at_camera=False), "camera 3 has a key, and this program has none"),
    ],
)
def test_a_mismatch_of_keys_is_one_line(mismatch: KeyMismatch, text: str) -> None:
    assert str(mismatch) == text


@pytest.mark.parametrize(("times", "text"), [(1, "x"), (2, "x (2 times)")])
def test_what_was_not_used_is_one_line(times: int, text: str) -> None:
    assert str(Implausible("x", times)) == f"not used, since it cannot be true: {text}"
