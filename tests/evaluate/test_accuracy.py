"""Shares with their intervals, the grid of cuts, and the largest drop between budgets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.evaluate.accuracy import Tally, grid, largest_drop, wilson


# R. G. Newcombe, Statistics in Medicine 17 (1998) 857, table I, method 3.
@pytest.mark.parametrize(
    ("hits", "trials", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_intervals_are_those_published(hits: int, trials: int, low: float, high: float) -> None:
    assert wilson(hits, trials) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 5000), st.data())
def test_an_interval_lies_in_0_to_1_around_its_share_and_mirrors(trials: int, data: st.DataObject) -> None:
    hits = data.draw(st.integers(0, trials))
    low, high = wilson(hits, trials)
    assert 0 <= low <= hits / trials <= high <= 1
    assert low < high
    assert wilson(trials - hits, trials) == pytest.approx((1 - high, 1 - low))


def test_what_is_not_sent_counts_as_wrong() -> None:
    tally = Tally()
    tally.add(0, 400, 300)
    tally.add(None)
    assert tally.accuracy() == {"top1": 0.5, "top5": 0.5}
    assert (tally.pictures, tally.sent, tally.size_bytes, tally.payload_bytes) == (2, 1, 400, 300)


def test_the_grid_is_fine_to_1000_and_coarser_above() -> None:
    assert grid(1600) == [*range(50, 1001, 50), 1250, 1500]
    assert grid(120) == [50, 100]
    assert grid(10) == []


def share(hits: int) -> Tally:
    return Tally(pictures=100, top1=hits, top5=hits)


def test_the_largest_drop_is_from_the_next_lower_budget() -> None:
    tallies = {100: share(90), 500: share(10), 600: share(12), 700: share(7), 1000: share(50), 1250: share(49)}
    worst = largest_drop(tallies, (500, 1000, 2000), "top5")
    assert worst == {"drop": pytest.approx(0.03), "cut_bytes": 700, "budget_bytes": 500}


def test_a_drop_below_0_says_that_more_bytes_were_never_worse() -> None:
    tallies = {500: share(10), 600: share(12), 700: share(30), 1000: share(50)}
    assert largest_drop(tallies, (500, 1000), "top1")["drop"] == pytest.approx(-0.02)


def test_without_cuts_between_budgets_there_is_no_drop() -> None:
    assert largest_drop({500: share(10), 1000: share(5)}, (500, 1000), "top1") == {}
