"""What a sender knows of the edge server's clock, its time for a picture and the way back."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host.link.image_number import CLOCK_MODULO_US, number_of
from host.link.server_clock import (
    GUARD_US,
    IN_TIME_FOR_ONE_LATE,
    LATE_WITHIN,
    LATER_US,
    MOST_MARGIN_US,
    MOST_SHARE,
    MOST_STEP_US,
    ServerClock,
)

WAY_US = 10_000


class Server:
    """An edge server whose clock is ``ahead_us`` ahead; one way takes ``WAY_US`` or longer."""

    def __init__(self, ahead_us: int = 5_000_000, start_us: int = 1_000_000) -> None:
        self.clock = ServerClock()
        self.ahead_us = ahead_us
        self.now_us = start_us

    def clock_us(self, at_us: int) -> int:
        return (at_us + self.ahead_us) % CLOCK_MODULO_US

    def pong(self, way_us: int = WAY_US, service_us: int = 30_000, pause_us: int = 100_000) -> None:
        """Let a pong arrive; both ways take as long."""
        self.now_us += pause_us
        self.clock.on_pong(self.now_us, self.clock_us(self.now_us - way_us), 2 * way_us, service_us)

    def result(self, way_us: int = WAY_US, service_us: int = 30_000, pause_us: int = 100_000) -> None:
        self.now_us += pause_us
        self.clock.on_result(self.now_us, self.clock_us(self.now_us - way_us), service_us)

    def leaves_by_us(self, answer_by_us: int) -> float:
        """Return when the answer has to leave of a picture that came long ago, so that there is time for any margin."""
        return self.clock.leaves_by_us(answer_by_us - 10_000_000, answer_by_us)

    def number(self, leaves_by_us: int) -> int:
        """Return the number for a moment on the camera's clock."""
        return number_of(leaves_by_us + self.ahead_us)


def test_nothing_is_known_before_the_first_pong() -> None:
    clock = ServerClock()
    assert not clock.known
    assert (clock.least_us, clock.service_us, clock.way_back_us, clock.least_one_way_us) == (0, 0, 0, 0)
    assert clock.leaves_by_us(0, 700_000) == 700_000 - LATER_US


@settings(deadline=None)
@given(ahead_us=st.integers(0, 1 << 45), start_us=st.integers(0, 1 << 45), due_us=st.integers(0, 65_000_000))
def test_numbers_are_moments_of_the_servers_clock_whatever_the_offset(
    ahead_us: int, start_us: int, due_us: int
) -> None:
    server = Server(ahead_us, start_us)
    server.pong()
    assert server.clock.known
    assert server.clock.number_for(server.now_us + due_us) == server.number(server.now_us + due_us)
    assert server.leaves_by_us(server.now_us + due_us) == server.now_us + due_us - LATER_US - WAY_US


@settings(deadline=None)
@given(st.lists(st.integers(0, 400_000), min_size=1, max_size=40))
def test_slow_answers_do_not_move_the_clock(extra_us: list[int]) -> None:
    server = Server()
    server.pong()
    for slower_us in extra_us:
        server.result(WAY_US + slower_us)
    assert server.clock.number_for(server.now_us) == server.number(server.now_us)


@pytest.mark.parametrize(
    ("slow", "expected_us"), [(0, WAY_US), (10, WAY_US), (16, WAY_US + 40_000), (20, WAY_US + 40_000)]
)
def test_the_way_back_is_what_a_quarter_of_the_answers_did_not_exceed(slow: int, expected_us: int) -> None:
    server = Server()
    server.pong()
    for index in range(20):
        server.result(WAY_US + (40_000 if index >= 20 - slow else 0))
    assert server.clock.way_back_us == expected_us
    assert server.leaves_by_us(server.now_us + 300_000) == server.now_us + 300_000 - LATER_US - expected_us


def test_a_first_pong_that_was_slow_is_no_measure_of_the_way_back() -> None:
    server = Server()
    server.pong(WAY_US + 40_000)
    for _ in range(10):
        server.pong()
        assert server.clock.way_back_us == WAY_US
        assert server.clock.number_for(server.now_us) == server.number(server.now_us)


def late(clock: ServerClock, *late_us: int) -> float:
    """Return how much earlier an answer has to leave after pictures whose answers were late by these times."""
    before_us = clock.leaves_by_us(0, 10_000_000)
    for each in late_us:
        clock.on_outcome(each)
    return before_us - clock.leaves_by_us(0, 10_000_000)


@settings(deadline=None)
@given(st.lists(st.sampled_from([-50_000, 0, 1, 5_000, 25_000, 25_001, 9_000_000]), max_size=200))
def test_the_margin_grows_with_late_answers_and_stays_within_its_bounds(late_us: list[int]) -> None:
    server = Server()
    server.pong()
    margin_us, in_time = LATER_US, 0  # which it starts with
    for each in late_us:
        moved_us = late(server.clock, each)
        matters = each <= MOST_MARGIN_US
        grown_us = min(each + LATER_US, MOST_STEP_US) if matters and in_time < LATE_WITHIN else 0.0
        expected_us = grown_us if each > 0 else -LATER_US / IN_TIME_FOR_ONE_LATE
        in_time = in_time + 1 if each <= 0 else 0 if matters else in_time
        after_us = min(max(0.0, margin_us + expected_us), MOST_MARGIN_US)
        assert moved_us == pytest.approx(after_us - margin_us, abs=1e-3)
        margin_us = after_us


def test_one_late_answer_in_many_does_not_move_the_margin() -> None:
    """It is the air's, and a margin for it would cost more bytes than answers."""
    server = Server()
    server.pong()
    for _ in range(3):
        late(server.clock, *[0] * LATE_WITHIN)
        assert late(server.clock, 5_000) == 0
    assert late(server.clock, *[0] * (LATE_WITHIN - 1), 5_000) > 0


def test_the_margin_takes_a_share_of_the_time_for_sending_at_most() -> None:
    server = Server()
    server.pong()
    least_us = 2 * WAY_US + 30_000
    for left_us in (0, 5_000, 20_000, 400_000):
        answer_by_us = server.now_us + least_us + left_us
        margin_us = answer_by_us - WAY_US - server.clock.leaves_by_us(server.now_us, answer_by_us)
        assert margin_us == pytest.approx(min(LATER_US, MOST_SHARE * left_us))


def test_the_margin_is_taken_from_the_event_before_it_too() -> None:
    server = Server()
    server.clock.events.set_interval(50_000)
    for _ in range(8):
        server.pong(pause_us=150_000)
    event_us = server.now_us + 500_000
    before_us = server.leaves_by_us(event_us + 5_000)
    server.clock.on_outcome(1)  # the margin was 4 ms and is 8 ms
    assert server.leaves_by_us(event_us + 5_000) == before_us - 50_000
    assert server.leaves_by_us(event_us + 8_000) == before_us - 50_000
    assert server.leaves_by_us(event_us + 8_002) == before_us


def test_the_time_of_the_server_and_the_way_back_are_told_apart() -> None:
    server = Server()
    server.pong()
    for _ in range(10):
        server.result(service_us=90_000)
    assert (server.clock.service_us, server.clock.way_back_us) == (90_000, WAY_US)
    server = Server()
    server.pong()
    for _ in range(10):
        server.result(WAY_US + 60_000)
    assert (server.clock.service_us, server.clock.way_back_us) == (30_000, WAY_US + 60_000)


def test_a_result_that_decoded_nothing_says_nothing_of_the_time_for_a_picture() -> None:
    server = Server()
    for _ in range(3):
        server.pong()
    for _ in range(10):
        server.result(service_us=0)
    assert server.clock.service_us == 30_000


def test_the_least_ever_needed_only_falls() -> None:
    server = Server()
    least_us = []
    for way_us, service_us in ((40_000, 30_000), (10_000, 80_000), (10_000, 30_000), (50_000, 9_000_000)):
        server.pong(way_us, service_us)
        least_us.append((server.clock.least_us, server.clock.least_service_us))
    assert least_us == [(110_000, 30_000), (100_000, 80_000), (50_000, 30_000), (50_000, 30_000)]


def test_what_was_slow_is_forgotten_after_ten_seconds() -> None:
    server = Server()
    server.pong()
    for _ in range(30):
        server.result(WAY_US + 60_000, service_us=200_000)
    assert server.clock.service_us == 200_000
    for _ in range(4):
        server.result(pause_us=4_000_000)
    assert (server.clock.service_us, server.clock.way_back_us) == (30_000, WAY_US)


@pytest.mark.parametrize("jump_us", [-30_000_000, -2_100_000, 2_100_000, 30_000_000])
def test_another_servers_clock_replaces_the_first_one_at_once(jump_us: int) -> None:
    server = Server()
    for _ in range(20):
        server.pong()
    server.ahead_us += jump_us
    server.result()
    assert server.clock.number_for(server.now_us + 300_000) == server.number(server.now_us + 300_000)
    assert server.leaves_by_us(server.now_us) == server.now_us - LATER_US - WAY_US


@settings(deadline=None)
@given(st.integers(0, CLOCK_MODULO_US - 1), st.integers(1, 60))
def test_the_wrap_of_the_clock_is_no_jump(start_us: int, step_s: int) -> None:
    server = Server(start_us)
    for _ in range(70):
        server.result(pause_us=step_s * 1_000_000)
        server.result(WAY_US + 5_000, pause_us=1_000)
        assert server.clock.number_for(server.now_us) == server.number(server.now_us - WAY_US)
    assert len(server.clock._differences) > 2  # no reading was taken for another clock


def test_a_slow_clock_drift_is_followed() -> None:
    server = Server()
    for _ in range(600):
        server.ahead_us -= 50  # 500 ppm at 10 answers a second: ten times a bad crystal
        server.pong()
    found = server.clock.number_for(server.now_us + 300_000)
    assert abs(found - server.number(server.now_us + 300_000)) <= 6


def test_an_answer_should_leave_before_the_last_connection_event_that_is_in_time() -> None:
    server = Server()
    server.clock.events.set_interval(50_000)
    for _ in range(8):
        server.pong(pause_us=150_000)  # at a steady phase
    event_us = server.now_us + 500_000
    leaves_us = event_us - GUARD_US - WAY_US
    due_us = event_us + int(LATER_US)
    assert server.leaves_by_us(due_us) == leaves_us
    assert server.leaves_by_us(due_us + 49_999) == leaves_us
    assert server.leaves_by_us(due_us + 50_000) == leaves_us + 50_000
    server.clock.events.set_interval(30_000)
    assert server.leaves_by_us(due_us + 49_999) == event_us + 49_999 - WAY_US
