"""A picture's number and its packets on their way out, to the last unit."""

from __future__ import annotations

import pytest

from host.link.image_number import KEPT_US, MODULO, UsedNumbers, left_in_time, moment_us, number_of
from host.link.outgoing import OutgoingImage
from host.ranked import RankedPacket
from host.wire import Picture
from tests.link.desk import ranked

# Numbers


@pytest.mark.parametrize(("at_us", "number"), [(0, 0), (999, 0), (1_000, 1), (65_535_999, 65_535), (65_536_000, 0)])
def test_a_number_is_a_moment_in_ms(at_us: int, number: int) -> None:
    assert number_of(at_us) == number


@pytest.mark.parametrize(
    ("image", "estimate_us", "named_us"),
    [
        (100, 100_999, 100_000),
        (100, 5_100_000, 100_000),
        (100, 5_101_000, 5_101_000),  # further than 5 s: not of this clock
        (5_100, 100_000, 5_100_000),
        (5_101, 100_000, 100_000),
        (65_530, 65_546_000, 65_530_000),
        (5, 65_530_000, 65_541_000),
        (5, 131_070_123, 131_077_000),
    ],
)
def test_a_number_names_the_moment_nearest_to_the_estimate(image: int, estimate_us: int, named_us: int) -> None:
    assert moment_us(image, estimate_us) == named_us


@pytest.mark.parametrize(
    ("image", "clock_us", "in_time"),
    [
        (100, 100_999, True),
        (100, 101_000, False),
        (100, 99_000, True),
        (32_867, 100_000, True),
        (32_868, 100_000, False),  # half of the numbers away: it is past
        (5, 65_530_000, True),
        (65_530, 5_000, False),
    ],
)
def test_an_answer_left_in_time_by_the_servers_clock(image: int, clock_us: int, in_time: bool) -> None:
    assert left_in_time(image, clock_us) == in_time


@pytest.mark.parametrize(("later_us", "number"), [(KEPT_US - 1, 4), (KEPT_US, 5)])
def test_a_number_is_free_again_after_70_seconds(later_us: int, number: int) -> None:
    assert KEPT_US == 70_536_000
    numbers = UsedNumbers()
    assert numbers.free(0, 5) == 5
    assert numbers.free(later_us, 5) == number


def test_only_the_numbers_that_are_old_are_free_again() -> None:
    numbers = UsedNumbers()
    numbers.free(0, 5)
    numbers.free(10, 9)
    assert [numbers.free(KEPT_US, number) for number in (5, 9)] == [5, 8]


def test_below_0_the_numbers_go_on_at_the_top() -> None:
    numbers = UsedNumbers()
    assert [numbers.free(0, 0) for _ in range(3)] == [0, MODULO - 1, MODULO - 2]


def test_half_of_all_numbers_are_kept() -> None:
    numbers = UsedNumbers()
    for number in range(MODULO // 2):
        numbers.free(0, number)
    assert numbers.free(0, 1) == 0  # which was let go; 1 was not
    assert len(numbers._used_us) == MODULO // 2


# Packets


def outgoing(count: int = 4) -> OutgoingImage:
    return OutgoingImage(7, 1_000, ranked(count, 5), 200_000, 210_000, 220_000)


def test_a_packet_says_all_of_the_picture() -> None:
    image = outgoing(2)
    assert image.take(50_000, 3, 10_000) == Picture(7, 0, 0, 140, bytes(5), last=False, program=3)
    assert image.take(59_001, 3, 10_000) == Picture(7, 1, 3, 130, b"\1" * 5, last=True, program=3)
    assert (image.first_unsent, image.rank, image.sent, image.resent) == (2, None, {0, 1}, 0)


@pytest.mark.parametrize(("now_us", "remaining_ms"), [(189_000, 1), (189_001, 0), (190_000, 0), (500_000, 0)])
def test_no_time_remains_after_the_moment(now_us: int, remaining_ms: int) -> None:
    assert outgoing().take(now_us, 0, 10_000).remaining_ms == remaining_ms


def test_what_was_lost_goes_first_the_most_important_before_the_others() -> None:
    image = outgoing()
    for _ in range(3):
        image.take(0, 0, 0)
    for rank in (2, 0, 0, 3):  # 0 is lost once, and 3 was not sent
        image.requeue(rank)
    assert (image.rank, image.sent) == (0, {1})
    assert [image.take(0, 0, 0).rank for _ in range(3)] == [0, 2, 3]
    assert (image.resent, image.rank, image.first_unsent) == (2, None, 4)


def test_all_that_was_sent_can_be_sent_again() -> None:
    image = outgoing()
    image.take(0, 0, 0)
    image.take(0, 0, 0)
    image.requeue_all()
    assert [image.take(0, 0, 0).rank for _ in range(4)] == [0, 1, 2, 3]
    assert image.resent == 2


def test_nothing_of_a_flushed_picture_is_next() -> None:
    image = outgoing()
    image.take(0, 0, 0)
    image.requeue(0)
    image.flushed = True
    assert image.rank is None


def test_more_packets_are_asked_for_when_the_last_one_known_is_taken_and_not_after_the_end() -> None:
    asked = 0

    def more() -> list[RankedPacket]:
        nonlocal asked
        asked += 1
        return ranked(3)[2:] if asked == 1 else []

    image = OutgoingImage(7, 0, ranked(2), 200_000, 210_000, 220_000, more)
    assert (image.take(0, 0, 0).last, asked) == (False, 0)
    assert (image.take(0, 0, 0).last, asked) == (False, 1)
    assert (image.take(0, 0, 0).last, asked, image.more) == (True, 2, None)
    image.requeue_all()
    assert [image.take(0, 0, 0).last for _ in range(3)] == [False, False, True]
    assert asked == 2
