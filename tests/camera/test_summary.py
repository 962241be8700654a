"""The last line of a stream."""

from __future__ import annotations

import pytest

from host.camera.report import NOT_A_PICTURE, STATUSES, UNSENT, report_without_answer
from host.camera.summary import StreamSummary


def test_it_counts_every_status_and_what_is_left() -> None:
    summary = StreamSummary(11)
    assert summary.line() == "0 of 11 pictures answered in time; 11 not tried"
    for status in ("ok", "ok", *STATUSES):
        summary.add(report_without_answer("a.png", status, "why", 300))
    assert summary.line() == (
        "3 of 11 pictures answered in time; 1 late, 1 nothing, 1 failed, 1 unanswered, 1 unsent, 1 not a picture, "
        "2 not tried"
    )
    assert not summary.all_in_time


def test_all_in_time_is_all_of_the_files() -> None:
    summary = StreamSummary(2)
    summary.add(report_without_answer("a.png", "ok", "", 300))
    assert not summary.all_in_time
    summary.add(report_without_answer("b.png", "ok", "", 300))
    assert summary.all_in_time
    assert summary.line() == "2 of 2 pictures answered in time"


@pytest.mark.parametrize(("total", "count", "sent"), [(40, 1, 1), (40, 40, 40), (2, 9, 2), (None, 3, 3), (None, 9, 3)])
def test_all_that_was_asked_for_is_all(total: int | None, count: int, sent: int) -> None:
    summary = StreamSummary(total, count)
    for number in range(sent):
        assert not summary.all_in_time or total is None
        summary.add(report_without_answer(f"{number}.png", "ok", "", 300))
    assert summary.all_in_time
    assert summary.line() == f"{sent} of {sent} pictures answered in time"


def test_a_file_that_was_never_sent_has_a_report_with_all_fields() -> None:
    for status in (NOT_A_PICTURE, UNSENT):
        report = report_without_answer("a.png", status, "the cause", 300)
        assert report.summary() == f"a.png: {status}: the cause"
        assert report.as_json()["image"] is None
        assert report.as_json()["status"] == status
        assert any("the cause" in line for line in report.lines())
