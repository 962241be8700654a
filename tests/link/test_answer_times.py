"""When the server has to begin, so that all answers leave in time."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host.link.answer_times import PROVISIONAL, ProvisionalTimes, latest_starts

DEADLINES_US = st.lists(st.integers(0, 400_000), max_size=12)


@settings(deadline=None)
@given(DEADLINES_US, st.integers(0, 100_000))
def test_a_server_of_any_number_of_workers_begins_as_late_as_it_can(deadlines_us: list[int], service_us: int) -> None:
    expected = [deadline_us - service_us for deadline_us in deadlines_us]
    assert latest_starts(deadlines_us, service_us, None) == expected
    assert latest_starts(deadlines_us, service_us, max(1, len(deadlines_us))) == expected


@settings(deadline=None)
@given(DEADLINES_US, st.integers(1, 100_000), st.integers(1, 4))
def test_no_more_answers_than_workers_are_prepared_at_a_time(
    deadlines_us: list[int], service_us: int, workers: int
) -> None:
    starts_us = latest_starts(deadlines_us, service_us, workers)
    for start_us, deadline_us in zip(starts_us, deadlines_us, strict=True):
        assert start_us + service_us <= deadline_us
        assert sum(start_us <= other < start_us + service_us for other in starts_us) <= workers


@settings(deadline=None)
@given(st.lists(st.integers(0, 60), min_size=1, max_size=5), st.integers(1, 20))
def test_with_one_worker_the_first_start_is_as_late_as_any_order_allows(
    deadlines_us: list[int], service_us: int
) -> None:
    def first_start(order: tuple[int, ...]) -> int:
        begins_us = 1 << 30
        for deadline_us in reversed(order):
            begins_us = min(begins_us, deadline_us) - service_us
        return begins_us

    best = max(first_start(order) for order in permutations(deadlines_us))
    assert min(latest_starts(deadlines_us, service_us, 1)) == best


def test_starts_by_hand() -> None:
    assert latest_starts([100, 100, 100], 30, 2) == [70, 70, 40]
    assert latest_starts([110, 300, 100], 30, 1) == [80, 270, 50]
    assert latest_starts([], 30, 1) == []


@pytest.mark.parametrize(
    ("interval_us", "service_us", "workers", "apart_us"),
    [
        (7_500, 50_000, None, 7_500),
        (7_500, 50_000, 1, 60_000),
        (7_500, 50_000, 4, 15_000),
        (50_000, 50_000, 4, 50_000),
    ],
)
def test_provisional_answers_are_an_interval_apart_or_what_the_workers_can(
    interval_us: int, service_us: int, workers: int | None, apart_us: int
) -> None:
    times = ProvisionalTimes()
    seen = set()
    for _ in range(20):
        moments_us = times.before(10_000_000, interval_us, service_us, workers)
        assert moments_us == sorted(moments_us, reverse=True)
        leads = [(10_000_000 - at_us) / apart_us for at_us in moments_us]
        assert leads[:2] == [1, 2]
        phases = [lead - least for lead, least in zip(leads[2:], PROVISIONAL[2:], strict=True)]
        assert phases == pytest.approx([phases[0]] * len(phases), abs=1e-3)
        assert 0 <= phases[0] <= 1
        seen.add(round(phases[0] * 10))
    assert len(seen) >= 10  # every phase of the interval occurs
