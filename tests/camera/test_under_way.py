"""The rule for how many pictures a stream keeps under way."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from host.camera.under_way import LEAST, MOST, UnderWayLimit


def good(limit: UnderWayLimit, count: int = 1) -> None:
    for _ in range(count):
        limit.ended(in_time=True, whole=True)


def test_it_begins_with_two_and_is_raised_when_as_many_as_it_allows_were_good_in_a_row() -> None:
    limit = UnderWayLimit()
    values = []
    for _ in range(9):
        values.append(limit.value)
        good(limit)
    assert values == [2, 2, 3, 3, 3, 4, 4, 4, 4]
    assert limit.value == 5


def test_a_late_or_a_partial_picture_lowers_it_once_whatever_was_under_way_with_it() -> None:
    for bad in ({"in_time": False, "whole": True}, {"in_time": True, "whole": False}):
        limit = UnderWayLimit()
        good(limit, 2 + 3 + 4)
        assert limit.value == 5
        for _ in range(5):  # those that were under way
            limit.ended(**bad)
            assert limit.value == 4
        limit.ended(**bad)
        assert limit.value == 3


def test_after_a_bad_one_the_count_of_good_ones_begins_again() -> None:
    limit = UnderWayLimit()
    good(limit, 2 + 2)
    limit.ended(in_time=False, whole=False)
    assert limit.value == 2
    good(limit, 2)  # they were under way with it
    good(limit, 1)
    assert limit.value == 2
    good(limit, 1)
    assert limit.value == 3


@given(st.lists(st.tuples(st.booleans(), st.booleans())))
def test_it_stays_within_its_bounds_and_moves_by_one(ends: list[tuple[bool, bool]]) -> None:
    limit = UnderWayLimit()
    for in_time, whole in ends:
        before = limit.value
        limit.ended(in_time=in_time, whole=whole)
        assert LEAST <= limit.value <= MOST
        assert abs(limit.value - before) <= 1


def test_it_is_never_raised_above_the_most() -> None:
    limit = UnderWayLimit()
    good(limit, MOST * MOST)
    assert limit.value == MOST
