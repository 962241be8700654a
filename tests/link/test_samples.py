"""Recent measurements, the rate, and what they forget."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.link.rate import RateEstimate
from host.link.samples import RecentSamples
from host.wire import Credit

WRAP = 1 << 32


def samples_of(*values: float, step_us: int = 1000, most: int = 32) -> RecentSamples:
    samples = RecentSamples(most=most)
    for index, value in enumerate(values):
        samples.add(index * step_us, value)
    return samples


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=32), st.floats(0, 1))
def test_a_quantile_is_a_measurement_and_that_share_is_not_above_it(values: list[float], share: float) -> None:
    found = samples_of(*values).quantile(share)
    assert found in values
    # lower quantile: at most that share of the others lie below it, at most the rest above it
    assert sum(value < found for value in values) <= share * (len(values) - 1)
    assert sum(value > found for value in values) <= (1 - share) * (len(values) - 1) + 1


def test_quantiles_by_hand() -> None:
    assert RecentSamples().quantile(0.5) == 0
    assert [samples_of(7).quantile(share) for share in (0, 0.5, 1)] == [7, 7, 7]
    assert [samples_of(9, 1, 5).quantile(share) for share in (0, 0.25, 0.5, 1)] == [1, 1, 5, 9]
    assert samples_of(30, 9000).quantile(0.5) == samples_of(9000, 30).quantile(0.5) == 30
    assert samples_of(*range(101), most=200).quantile(0.25) == 25


@given(st.lists(st.tuples(st.integers(0, 6_000_000), st.integers(-9, 9)), max_size=60), st.integers(1, 40))
def test_old_measurements_are_forgotten_but_never_the_last_three(steps: list[tuple[int, int]], most: int) -> None:
    samples, now_us, taken = RecentSamples(most=most), 0, []
    for pause_us, value in steps:
        now_us += pause_us
        samples.add(now_us, value)
        taken.append((now_us, value))
        young = [v for at_us, v in taken if now_us - at_us <= 10_000_000]
        expected = max(len(young), min(3, len(taken)))
        assert len(samples) == min(expected, most)
        assert samples.quantile(0) == min(v for _, v in taken[-len(samples) :])
        assert samples.quantile(1) == max(v for _, v in taken[-len(samples) :])


def test_cleared_measurements_are_gone() -> None:
    samples = samples_of(1, 2, 3)
    samples.clear()
    assert (len(samples), samples.quantile(0.5)) == (0, 0)


# The rate


def fed(*parts: tuple[int, int], start: tuple[int, int] = (0, 0), idle_every: int = 0) -> RateEstimate:
    """Return an estimate after credits of bytes and busy time, us, with ``idle_every`` without bytes before each."""
    rate, (acked, busy_us) = RateEstimate(), start
    rate.update(0, Credit(acked_bytes=acked % WRAP, busy_us=busy_us % WRAP))
    for size, time_us in parts:
        for _ in range(idle_every):
            rate.update(0, Credit(acked_bytes=acked % WRAP, busy_us=busy_us % WRAP))
            busy_us += time_us // (idle_every + 1)
        acked, busy_us = acked + size, busy_us + time_us - idle_every * (time_us // (idle_every + 1))
        rate.update(0, Credit(acked_bytes=acked % WRAP, busy_us=busy_us % WRAP))
    return rate


def test_without_acknowledgements_the_usual_time_is_zero() -> None:
    assert RateEstimate().usual_us_per_byte() == 0
    assert fed((0, 50_000), (0, 50_000)).usual_us_per_byte() == 0


@given(st.integers(1, 500), st.integers(1, 100_000), st.integers(1, 100), st.integers(0, 3))
def test_a_steady_link_takes_its_time_for_each_byte(size: int, time_us: int, count: int, idle_every: int) -> None:
    rate = fed(*[(size, time_us)] * count, idle_every=idle_every)
    assert rate.usual_us_per_byte() == pytest.approx(time_us / size)


@given(st.lists(st.tuples(st.integers(1, 2_000), st.integers(1, 200_000)), min_size=1, max_size=100))
def test_in_half_of_the_busy_time_a_byte_took_longer(parts: list[tuple[int, int]]) -> None:
    usual = fed(*parts).usual_us_per_byte()
    total_us = sum(time_us for _, time_us in parts)
    assert sum(time_us for size, time_us in parts if time_us / size > usual) <= total_us / 2
    assert sum(time_us for size, time_us in parts if time_us / size >= usual) >= total_us / 2


def test_a_link_that_is_slow_most_of_the_time_is_slow_however_many_bytes_are_fast() -> None:
    fast, slow = [(236, 1_400)] * 50, [(236, 100_000)]
    assert fed(*fast, *slow).usual_us_per_byte() == pytest.approx(100_000 / 236)
    assert fed(*fast * 2, *slow).usual_us_per_byte() == pytest.approx(1_400 / 236)


def test_the_usual_time_follows_a_link_that_changes_and_forgets() -> None:
    parts = [(236, 50_000)] * 200 + [(236, 1_400)] * 128
    assert fed(*parts).usual_us_per_byte() == pytest.approx(1_400 / 236)


def test_totals_may_wrap_and_restart() -> None:
    rate = fed(*[(236, 2_000)] * 10, start=(WRAP - 1_000, WRAP - 5_000))
    assert rate.usual_us_per_byte() == pytest.approx(2_000 / 236)
    assert rate.bytes_per_s == pytest.approx(236 / 2_000 * 1e6)
    rate.restart()
    for index in range(10):
        rate.update(0, Credit(acked_bytes=236 * index, busy_us=2_000 * index))
    assert rate.usual_us_per_byte() == pytest.approx(2_000 / 236)
    assert rate.bytes_per_s == pytest.approx(236 / 2_000 * 1e6)
