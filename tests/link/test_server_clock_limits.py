"""Where a reading of the server's clock is taken for another clock, and how many of each measurement count."""

from __future__ import annotations

import pytest

from host.link.image_number import CLOCK_MODULO_US
from host.link.server_clock import DRIFT_US, IN_TIME_FOR_ONE_LATE, JUMP_US, LATER_US, MOST_MARGIN_US, ServerClock

ROUND_TRIP_US = 20_000
SERVICE_US = 30_000


def known(ahead_us: int = 7_000_000) -> ServerClock:
    """Return the estimate after a pong at 1 s of a clock that is ahead; one way took half of the round trip."""
    clock = ServerClock()
    clock.on_pong(1_000_000, 1_000_000 + ahead_us - ROUND_TRIP_US // 2, ROUND_TRIP_US, SERVICE_US)
    return clock


def reading(now_us: int, way_us: int, ahead_us: int = 7_000_000) -> tuple[int, int]:
    """Return the time, and what the server's clock read ``way_us`` before."""
    return now_us, (now_us - way_us + ahead_us) % CLOCK_MODULO_US


def test_nothing_was_long_on_its_way_before_anything_was_heard() -> None:
    clock = ServerClock()
    assert (clock.known, clock.behind_us(5, 1)) == (False, 0)
    assert clock.soonest_us == -DRIFT_US
    assert clock.margin_us == LATER_US
    assert (clock.least_us, clock.least_service_us) == (0, 0)


@pytest.mark.parametrize("ahead_us", [7_000_000, 0, CLOCK_MODULO_US - 1, -5])
def test_a_reading_is_behind_by_what_it_took_longer_than_the_fastest(ahead_us: int) -> None:
    clock = known(ahead_us)
    assert clock.behind_us(*reading(1_500_000, 10_000, ahead_us)) == 0
    assert clock.behind_us(*reading(90_000_000, 10_700, ahead_us)) == 700
    assert clock.behind_us(*reading(2_000_000, 3_000, ahead_us)) == -7_000
    assert clock.soonest_us == -ROUND_TRIP_US - DRIFT_US


def test_the_fastest_reading_is_what_others_are_behind() -> None:
    clock = known()
    clock.on_result(*reading(1_100_000, 4_000), 0)
    assert clock.behind_us(*reading(1_200_000, 10_000)) == 6_000
    assert clock.way_back_us == ROUND_TRIP_US / 2


@pytest.mark.parametrize(
    ("way_us", "round_trip_us", "same"),
    [
        (10_000 + 20_000 + DRIFT_US, 20_000, True),  # as long after the fastest as the round trip and the drift
        (10_000 + 20_000 + DRIFT_US + 1, 20_000, False),
        (10_000 - 20_000 - DRIFT_US, 20_000, True),  # before it left by a round trip and the drift
        (10_000 - 20_000 - DRIFT_US - 1, 20_000, False),
    ],
)
def test_a_pong_that_left_before_its_ping_or_after_it_arrived_is_another_clocks(
    way_us: int, round_trip_us: int, same: bool
) -> None:
    clock = known()
    now_us, clock_us = reading(2_000_000, way_us)
    clock.on_pong(now_us, clock_us, round_trip_us, SERVICE_US)
    assert (len(clock._differences) == 2) == same


@pytest.mark.parametrize(("off_us", "same"), [(JUMP_US, True), (JUMP_US + 1, False), (-JUMP_US, True)])
def test_a_result_that_jumps_by_more_than_two_seconds_is_another_clocks(off_us: int, same: bool) -> None:
    clock = known()
    clock.on_result(*reading(5_000_000, 10_000 + off_us), 0)
    assert (len(clock._differences) == 2) == same
    assert clock.known


def test_the_time_for_a_picture_is_the_median_of_the_last_nine() -> None:
    clock = known()
    for service_us in (50_000,) * 4:
        clock.on_result(*reading(1_100_000, 10_000), service_us)
    assert clock.service_us == 50_000
    for service_us in (60_000,) * 4:
        clock.on_result(*reading(1_100_000, 10_000), service_us)
    assert clock.service_us == 50_000  # of 30, four of 50 and four of 60
    clock.on_result(*reading(1_100_000, 10_000), 60_000)
    assert clock.service_us == 60_000  # 30 has gone


def test_a_result_that_decoded_nothing_is_no_time_of_the_server_and_one_microsecond_is() -> None:
    clock = known()
    clock.on_result(*reading(1_100_000, 10_000), 0)
    assert len(clock._service) == 1
    clock.on_result(*reading(1_100_000, 10_000), 1)
    assert len(clock._service) == 2


def test_ninety_six_readings_are_kept() -> None:
    clock = known()
    for _ in range(200):
        clock.on_result(*reading(1_100_000, 10_000), 0)
    assert len(clock._differences) == 96


def test_the_least_ever_needed_is_the_first_and_then_what_is_less() -> None:
    clock = known()
    assert (clock.least_us, clock.least_service_us) == (50_000, 30_000)
    clock.on_pong(*reading(2_000_000, 15_000), 30_000, 20_000)  # as much, divided otherwise
    assert (clock.least_us, clock.least_service_us) == (50_000, 30_000)
    clock.on_pong(*reading(2_000_000, 15_000), 30_000, 19_999)
    assert (clock.least_us, clock.least_service_us) == (49_999, 19_999)


def test_the_margin_moves_by_what_was_late_and_a_hundredth_for_each_in_time() -> None:
    clock = ServerClock()
    clock.on_outcome(0)
    assert clock.margin_us == LATER_US - LATER_US / IN_TIME_FOR_ONE_LATE
    clock.on_outcome(1)
    assert clock.margin_us == pytest.approx(2 * LATER_US - LATER_US / IN_TIME_FOR_ONE_LATE + 1)
    clock.on_outcome(int(MOST_MARGIN_US))
    assert clock.margin_us == pytest.approx(2 * LATER_US - LATER_US / IN_TIME_FOR_ONE_LATE + 1 + 12_000)
    clock.on_outcome(int(MOST_MARGIN_US))
    assert clock.margin_us == MOST_MARGIN_US
    clock.on_outcome(int(MOST_MARGIN_US) + 1)
    assert clock.margin_us == MOST_MARGIN_US
    for _ in range(700):
        clock.on_outcome(-1)
    assert clock.margin_us == 0


def test_an_answer_leaves_a_way_back_and_a_margin_before_it_is_due() -> None:
    clock = known()
    # 100 ms less 30 for the server and 20 for the ways leave 50, of which the margin may take 7.5 ms: it is 4
    assert clock.leaves_by_us(2_000_000, 2_100_000) == 2_100_000 - 4_000 - 10_000
    assert clock.leaves_by_us(2_000_000, 2_060_000) == 2_060_000 - 0.15 * 10_000 - 10_000
    assert clock.leaves_by_us(2_000_000, 2_050_000) == 2_050_000 - 10_000
    assert clock.leaves_by_us(2_000_000, 2_040_000) == 2_040_000 - 10_000


@pytest.mark.parametrize(("leaves_by_us", "number"), [(2_000_000, 9_000), (1_999_999, 8_999), (2_000_999, 9_000)])
def test_a_picture_is_numbered_by_the_servers_clock(leaves_by_us: int, number: int) -> None:
    assert known().number_for(leaves_by_us) == number


def test_without_a_server_a_picture_is_numbered_by_this_clock() -> None:
    assert ServerClock().number_for(2_000_000) == 2_000


@pytest.mark.parametrize(("in_time", "grows"), [(24, True), (25, False)])
def test_the_first_answer_that_is_late_after_25_in_time_moves_no_margin(in_time: int, grows: bool) -> None:
    clock = ServerClock()
    for _ in range(in_time):
        clock.on_outcome(0)
    before_us = clock.margin_us
    clock.on_outcome(1_000)
    assert (clock.margin_us > before_us) == grows
