"""Recent measurements, and what they forget."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from host.link.samples import RecentSamples


def samples_of(*values: float, step_us: int = 1000, most: int = 32) -> RecentSamples:
    samples = RecentSamples(most=most)
    for index, value in enumerate(values):
        samples.add(index * step_us, value)
    return samples


@settings(deadline=None)
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


@settings(deadline=None)
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
