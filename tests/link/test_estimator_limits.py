"""The estimators' first values, defaults and limits, to the last unit."""

from __future__ import annotations

from dataclasses import replace

import pytest

from host.link.event_phase import EventPhase
from host.link.rate import DelayEstimator, RateEstimate
from host.link.samples import RecentSamples
from host.wire import Credit

KEPT_US = 10_000_000
NOTHING = Credit(acked_packets=0, acked_bytes=0, busy_us=0)


def test_thirty_two_samples_are_kept() -> None:
    samples = RecentSamples()
    for value in range(33):
        samples.add(0, value)
    assert len(samples) == 32
    assert samples.quantile(0) == 1


@pytest.mark.parametrize(("age_us", "left"), [(KEPT_US, 4), (KEPT_US + 1, 3)])
def test_a_sample_is_forgotten_when_it_is_older_than_ten_seconds(age_us: int, left: int) -> None:
    samples = RecentSamples()
    for now_us in (0, age_us, age_us, age_us):
        samples.add(now_us, 1)
    assert len(samples) == left


def test_three_samples_stay_however_old() -> None:
    samples = RecentSamples()
    for now_us in (0, 10 * KEPT_US, 10 * KEPT_US):
        samples.add(now_us, 1)
    assert len(samples) == 3


def test_the_first_credits_give_the_rate_and_half_of_it_is_kept_after_a_quarter_of_a_second() -> None:
    estimate = RateEstimate()
    assert estimate.bytes_per_s is None
    estimate.update(NOTHING)
    estimate.update(replace(NOTHING, acked_bytes=1000, busy_us=1000))
    assert estimate.bytes_per_s == 1e6
    estimate.update(replace(NOTHING, acked_bytes=1000, busy_us=251_000))
    assert estimate.bytes_per_s == pytest.approx(500 / 250_500 * 1e6, rel=1e-9)


def test_a_delay_is_the_first_measurement_exactly() -> None:
    delay = DelayEstimator()
    assert (delay.mean_us, delay.min_us, delay.upper_bound_us) == (None, None, 0)
    delay.add(5)
    assert (delay.mean_us, delay.min_us, delay.upper_bound_us) == (5, 5, 5)


def test_without_an_interval_there_is_no_phase() -> None:
    phase = EventPhase()
    for now_us in range(12):
        phase.add(now_us)
    assert phase.last_before(100) is None


def test_a_delay_follows_rfc_6298_with_eighths_and_quarters() -> None:
    delay = DelayEstimator()
    for value_us in (1_000, 1_800, 600):
        delay.add(value_us)
    # 800 off, mean 1100; then 500 off, mean 1037.5
    assert delay.mean_us == 1_000 + 800 / 8 + (600 - 1_100) / 8
    assert delay.deviation_us == 200 + (500 - 200) / 4
    assert delay.min_us == 600
    assert delay.upper_bound_us == delay.mean_us + 2 * delay.deviation_us
    delay.add(700)
    assert delay.min_us == 600


@pytest.mark.parametrize(("acked_bytes", "busy_us", "rate"), [(0, 5, None), (5, 0, None), (1, 1, 1e6)])
def test_a_rate_needs_bytes_and_time(acked_bytes: int, busy_us: int, rate: float | None) -> None:
    estimate = RateEstimate()
    estimate.update(NOTHING)
    estimate.update(replace(NOTHING, acked_bytes=acked_bytes, busy_us=busy_us))
    assert estimate.bytes_per_s == rate
