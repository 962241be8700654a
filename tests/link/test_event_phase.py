"""The phase of arrivals in the connection interval."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host.link.event_phase import EventPhase

INTERVALS_US = st.sampled_from([7_500, 15_000, 30_000, 50_000, 60_000])


def phase_of(interval_us: int, arrivals_us: list[int]) -> EventPhase:
    phase = EventPhase()
    phase.set_interval(interval_us)
    for arrival_us in arrivals_us:
        phase.add(arrival_us)
    return phase


@settings(deadline=None)
@given(
    interval_us=INTERVALS_US,
    first_us=st.integers(0, 1 << 40),
    events=st.lists(st.integers(1, 500), min_size=6, max_size=40),
    ahead_us=st.integers(0, 1_000_000),
)
def test_the_last_arrival_by_a_deadline_is_that_of_the_event_before_it(
    interval_us: int, first_us: int, events: list[int], ahead_us: int
) -> None:
    arrivals_us = [first_us + interval_us * sum(events[: index + 1]) for index in range(len(events))]
    deadline_us = arrivals_us[-1] + ahead_us
    last_us = phase_of(interval_us, arrivals_us).last_before(deadline_us)
    assert last_us is not None
    assert deadline_us - interval_us < last_us <= deadline_us
    assert (last_us - first_us) % interval_us == 0


@settings(deadline=None)
@given(
    interval_us=INTERVALS_US, seed=st.integers(0, 99), noise=st.floats(0, 0.05), share=st.sampled_from([0, 0.2, 0.4])
)
def test_noise_and_arrivals_of_other_phases_do_not_move_it(
    interval_us: int, seed: int, noise: float, share: float
) -> None:
    chance = random.Random(seed)
    arrivals_us, at_us = [], 0
    for index in range(20):
        at_us += interval_us * chance.randint(1, 60)
        other = index % 5 < share * 5
        arrivals_us.append(at_us + round(interval_us * chance.uniform(0, 0.99 if other else noise)))
    deadline_us = at_us + 300_000
    last_us = phase_of(interval_us, arrivals_us).last_before(deadline_us)
    assert last_us is not None
    late_us = (last_us - at_us) % interval_us  # after the connection event
    # the latest arrival that most others came shortly before: within the noise and the tolerance of 0.1
    assert late_us <= (0.1 + noise) * interval_us + 1


@pytest.mark.parametrize("interval_us", [7_500, 30_000])
def test_arrivals_spread_over_the_interval_have_no_phase(interval_us: int) -> None:
    for count in (10, 24):
        arrivals_us = [index * (50 * interval_us + interval_us // count) for index in range(count)]
        assert phase_of(interval_us, arrivals_us).last_before(10**9) is None


@settings(deadline=None)
@given(st.lists(st.integers(0, 10**6), min_size=6, max_size=24), INTERVALS_US, st.integers(0, 10**7))
def test_the_last_arrival_is_never_after_the_deadline(
    arrivals_us: list[int], interval_us: int, deadline_us: int
) -> None:
    last_us = phase_of(interval_us, sorted(arrivals_us)).last_before(deadline_us)
    assert last_us is None or deadline_us - interval_us < last_us <= deadline_us


def test_five_arrivals_or_no_interval_are_too_little() -> None:
    arrivals_us = [7_500 * index for index in range(6)]
    assert phase_of(7_500, arrivals_us).last_before(100_000) == 97_500
    assert phase_of(7_500, arrivals_us[:5]).last_before(100_000) is None
    assert phase_of(0, arrivals_us).last_before(100_000) is None
    assert EventPhase().last_before(100_000) is None


def test_another_interval_begins_anew() -> None:
    phase = phase_of(7_500, [7_500 * index for index in range(24)])
    phase.set_interval(15_000)
    assert phase.last_before(1_000_000) is None
    for index in range(6):
        phase.add(500_000 + 4_000 + 15_000 * index)
    last_us = phase.last_before(1_000_000)
    assert last_us is not None
    assert (last_us - 504_000) % 15_000 == 0


def test_a_phase_that_moves_is_followed() -> None:
    """Clocks of a radio and a computer drift apart; a link that comes back has events at another phase."""
    phase = phase_of(7_500, [7_500 * index for index in range(24)])
    for index in range(24):
        phase.add(1_000_000 + 3_000 + 7_500 * index)
    last_us = phase.last_before(2_000_000)
    assert last_us is not None
    assert (last_us - 1_003_000) % 7_500 == 0


def last_before(deadline_us: int, *arrivals_us: int, interval_us: int = 1_000) -> int | None:
    return phase_of(interval_us, list(arrivals_us)).last_before(deadline_us)


def test_six_arrivals_within_a_tenth_of_an_interval_are_a_phase_of_the_latest() -> None:
    assert last_before(10_999, 0, 1_020, 2_040, 3_060, 4_080, 5_100) == 10_100
    assert last_before(10_099, 0, 1_020, 2_040, 3_060, 4_080, 5_100) == 9_100
    assert last_before(10_100, 0, 1_020, 2_040, 3_060, 4_080, 5_100) == 10_100
    # the first and the last one are more than a tenth apart: of two phases with five arrivals the earlier one counts
    assert last_before(10_999, 0, 1_020, 2_040, 3_060, 4_080, 5_101) == 10_080


@pytest.mark.parametrize(("others", "is_steady"), [(7, True), (8, False)])
def test_three_of_ten_arrivals_are_a_phase(others: int, is_steady: bool) -> None:
    alone_us = [1_000 * at + 105 * (at + 1) for at in range(others)]
    assert (last_before(20_050, *alone_us, 10_000, 11_000, 12_000) is not None) == is_steady


def test_twenty_four_arrivals_are_kept() -> None:
    others_us = [1_000 * at for at in range(17)]
    assert last_before(100_900, *others_us, *range(17_500, 41_500, 1_000)) == 100_500
    assert last_before(100_900, *others_us, *range(17_500, 40_500, 1_000)) == 100_500
