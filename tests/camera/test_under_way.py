"""The rule for how many pictures a stream keeps under way."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.camera.under_way import LEAST, MOST, UnderWayLimit


def good(limit: UnderWayLimit, count: int = 1) -> None:
    for _ in range(count):
        limit.ended(0.7)


def test_it_begins_with_one_and_is_raised_when_as_many_as_it_allows_had_time_to_spare() -> None:
    limit = UnderWayLimit()
    values = []
    for _ in range(10):
        values.append(limit.value)
        good(limit)
    assert values == [1, 2, 2, 3, 3, 3, 4, 4, 4, 4]
    assert limit.value == 5


@pytest.mark.parametrize("spare", [0.0, 0.2])
def test_one_without_time_to_spare_lowers_it_once_whatever_was_under_way_with_it(spare: float) -> None:
    limit = UnderWayLimit()
    good(limit, 1 + 2 + 3 + 4)
    assert limit.value == 5
    for _ in range(5):  # those that were under way
        limit.ended(spare)
        assert limit.value == 4
    limit.ended(spare)
    assert limit.value == 3


def test_where_answers_have_some_time_to_spare_it_stays() -> None:
    limit = UnderWayLimit()
    good(limit, 1 + 2)
    for _ in range(20):
        limit.ended(0.5)
        assert limit.value == 3


def test_after_a_bad_one_the_count_of_good_ones_begins_again() -> None:
    limit = UnderWayLimit()
    good(limit, 1 + 2 + 2)
    limit.ended(0.0)
    assert limit.value == 2
    good(limit, 2)  # they were under way with it
    good(limit, 1)
    assert limit.value == 2
    good(limit, 1)
    assert limit.value == 3


@given(st.lists(st.floats(0, 1)))
def test_it_stays_within_its_bounds_and_moves_by_one(spares: list[float]) -> None:
    limit = UnderWayLimit()
    for spare in spares:
        before = limit.value
        limit.ended(spare)
        assert LEAST <= limit.value <= MOST
        assert abs(limit.value - before) <= 1


def test_it_is_never_raised_above_the_most() -> None:
    limit = UnderWayLimit()
    good(limit, MOST * MOST)
    assert limit.value == MOST
