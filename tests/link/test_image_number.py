"""The number of an image names a moment on the edge server's clock."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host.link.image_number import CLOCK_MODULO_US, KEPT_US, MODULO, UsedNumbers, left_in_time, moment_us, number_of
from host.link.receiver import REMEMBER_US
from host.link.sender import MAX_PENDING, DeadlineInfeasibleError, Policy
from host.link.server_clock import MOST_SHARE
from host.wire import MAX_DEADLINE_MS
from tests.link.desk import AHEAD_US, BEGIN_US, ROUND_TRIP_US, SERVICE_US, SenderDesk, ranked

CLOCKS_US = st.integers(0, 1 << 60)


@settings(deadline=None)
@given(now_us=CLOCKS_US, due_us=st.integers(0, MAX_DEADLINE_MS * 1000), late_us=st.integers(0, 4_900_000))
def test_a_number_names_its_moment_on_any_clock(now_us: int, due_us: int, late_us: int) -> None:
    due_at_us = now_us + due_us
    # the sender subtracts from remaining_ms what it knows, and waits that no hop could measure make a packet late
    estimate_us = due_at_us // 1000 * 1000 + late_us
    found_us = moment_us(number_of(due_at_us), estimate_us)
    assert found_us == due_at_us // 1000 * 1000


@settings(deadline=None)
@given(moment=st.integers(0, 1 << 50), early_us=st.integers(0, 4_900_000))
def test_an_estimate_may_be_early_as_well(moment: int, early_us: int) -> None:
    at_us = moment + 5_000_000
    assert moment_us(number_of(at_us), at_us - early_us) == at_us // 1000 * 1000


@settings(deadline=None)
@given(now_us=CLOCKS_US, off_ms=st.integers(5_001, MODULO - 5_001))
def test_a_number_far_from_the_estimate_is_no_moment_of_this_clock(now_us: int, off_ms: int) -> None:
    image = number_of(now_us + off_ms * 1000)
    assert moment_us(image, now_us) == now_us


@settings(deadline=None)
@given(moment=CLOCKS_US, early_us=st.integers(-30_000_000, 30_000_000))
def test_an_answer_left_in_time_if_its_moment_had_not_passed(moment: int, early_us: int) -> None:
    at_us = moment + 30_000_000
    left_us = at_us - early_us
    assert left_in_time(number_of(at_us), left_us % CLOCK_MODULO_US) == (left_us // 1000 <= at_us // 1000)


@pytest.mark.parametrize("at_us", [0, CLOCK_MODULO_US - 1_000, CLOCK_MODULO_US, 10 * CLOCK_MODULO_US - 1])
def test_numbers_count_on_across_the_wrap(at_us: int) -> None:
    assert number_of(at_us + 1_000) == (number_of(at_us) + 1) % MODULO
    assert number_of(at_us + CLOCK_MODULO_US) == number_of(at_us)
    assert 0 <= number_of(at_us) < MODULO


def margin_us(desk: SenderDesk) -> int:
    return round(desk.sender.server.margin_us)


@settings(deadline=None)
@given(deadline_us=st.integers(ROUND_TRIP_US + SERVICE_US, MAX_DEADLINE_MS * 1000), start_us=st.integers(0, 1 << 45))
def test_the_number_says_when_the_answer_must_leave_the_server(deadline_us: int, start_us: int) -> None:
    desk = SenderDesk()
    desk.now_us += start_us  # the server's clock may have wrapped since, or wrap before the deadline
    desk.ready()
    number = desk.submit(1, deadline_us)
    spare_us = min(margin_us(desk), round(MOST_SHARE * (deadline_us - ROUND_TRIP_US - SERVICE_US)))
    leaves_us = desk.now_us + deadline_us - spare_us - ROUND_TRIP_US // 2 + AHEAD_US
    assert number == number_of(leaves_us)
    (sent,) = desk.pictures()
    assert sent.image == number
    arrives_us = desk.now_us + ROUND_TRIP_US // 2 + AHEAD_US
    assert moment_us(sent.image, arrives_us + sent.remaining_ms * 1000) == leaves_us // 1000 * 1000


def test_before_the_server_was_heard_the_number_is_replaced_by_the_estimate() -> None:
    desk = SenderDesk()
    desk.open()
    desk.credit()
    desk.submit(1, 500_000)
    (sent,) = desk.pictures()
    left_ms = 500 - margin_us(desk) // 1000
    assert sent.remaining_ms == left_ms
    for server_us in range(BEGIN_US + 8_000_000, BEGIN_US + 58_000_000, 5_000_000):  # clocks that are not the camera's
        assert moment_us(sent.image, server_us + left_ms * 1000) == server_us + left_ms * 1000


@settings(deadline=None)
@given(deadlines_ms=st.lists(st.integers(60, 90), min_size=2, max_size=MAX_PENDING))
def test_numbers_of_images_under_way_differ_and_move_by_as_little_as_they_must(deadlines_ms: list[int]) -> None:
    desk = SenderDesk()
    desk.ready()
    taken: set[int] = set()
    for deadline_ms in deadlines_ms:
        number = desk.submit(1, deadline_ms * 1000)
        spare_us = min(margin_us(desk), round(MOST_SHARE * (deadline_ms * 1000 - ROUND_TRIP_US - SERVICE_US)))
        named = number_of(desk.now_us + deadline_ms * 1000 - spare_us - ROUND_TRIP_US // 2 + AHEAD_US)
        assert number not in taken
        assert all((named - back) % MODULO in taken for back in range((named - number) % MODULO))
        taken.add(number)


@settings(deadline=None)
@given(
    gaps_ms=st.lists(st.tuples(st.integers(0, 20), st.integers(60, 200), st.booleans()), min_size=5, max_size=150),
    same_due=st.booleans(),
)
def test_a_number_does_not_come_back_while_the_server_remembers_it(
    gaps_ms: list[tuple[int, int, bool]], same_due: bool
) -> None:
    """An answered picture's number would make the server drop the packets of the next one as late."""
    desk = SenderDesk()
    desk.ready()
    numbers: list[int] = []
    end_us = desk.now_us + 3_000_000
    for gap_ms, deadline_ms, answered in gaps_ms:
        desk.wait(gap_ms * 1000)
        desk.credit()
        if desk.sender.pending == MAX_PENDING:
            continue
        deadline_us = end_us - desk.now_us if same_due else deadline_ms * 1000
        try:
            numbers.append(desk.submit(1, deadline_us))
        except DeadlineInfeasibleError:
            break
        if answered:
            desk.result(numbers[-1])
    assert len(set(numbers)) == len(numbers)


def test_a_thousand_pictures_a_second_are_told_apart() -> None:
    desk = SenderDesk()
    desk.ready()
    numbers = []
    for _ in range(2_000):
        desk.now_us += 1_000
        numbers.append(desk.sender.submit(desk.now_us, ranked(1), desk.now_us + 400_000))
        desk.credit()
        desk.result(numbers[-1])
    assert len(set(numbers)) == 2_000


@settings(deadline=None)
@given(wanted=st.lists(st.tuples(st.integers(0, 6), st.integers(0, 5_000)), max_size=80))
def test_a_number_comes_back_only_after_it_has_named_its_moment(wanted: list[tuple[int, int]]) -> None:
    assert KEPT_US > MAX_DEADLINE_MS * 1000 + Policy().grace_us >= REMEMBER_US
    numbers, now_us = UsedNumbers(), 0
    used_us: dict[int, int] = {}
    for number, pause_ms in wanted:
        now_us += pause_ms * 1000
        free = numbers.free(now_us, number)
        assert all((number - back) % MODULO in used_us for back in range((number - free) % MODULO))
        assert now_us >= used_us.get(free, -KEPT_US) + KEPT_US
        used_us[free] = now_us


def test_a_picture_with_the_longest_deadline_keeps_its_number_until_it_ends() -> None:
    desk = SenderDesk()
    desk.ready()
    numbers, longest_us = [desk.submit(1, MAX_DEADLINE_MS * 1000)], MAX_DEADLINE_MS * 1000
    begun_us = desk.now_us
    while desk.now_us < begun_us + CLOCK_MODULO_US:
        desk.wait(100_000)
        desk.credit(free=0)
    assert desk.sender.pending == 1
    numbers.append(desk.submit(1, longest_us - (desk.now_us - begun_us - CLOCK_MODULO_US)))
    assert desk.sender.pending == 2
    assert len(set(numbers)) == 2


def test_however_many_numbers_are_used_there_is_a_free_one() -> None:
    numbers = UsedNumbers()
    for index in range(MODULO + 1_000):
        assert numbers.free(0, index % MODULO) == index % MODULO
    assert len(numbers._used_us) < MODULO
