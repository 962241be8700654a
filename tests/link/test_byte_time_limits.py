"""The time of a byte on a slow link, by hand."""

from __future__ import annotations

import pytest

from host.link.byte_time import ByteTime
from host.wire import Credit

#: Packets, codec bytes and busy time in us of an acknowledgement.
Step = tuple[int, int, int]


def after(*steps: Step, start: Step = (0, 0, 0)) -> ByteTime:
    """Return the estimate after credits with these totals, one more step each."""
    time = ByteTime()
    totals = start
    for step in ((0, 0, 0), *steps):
        packets, acked, busy = (total + each for total, each in zip(totals, step, strict=True))
        totals = packets, acked, busy
        time.update(Credit(acked_packets=packets % (1 << 16), acked_bytes=acked % (1 << 32), busy_us=busy % (1 << 32)))
    return time


def test_the_first_credit_is_where_it_begins() -> None:
    assert after(start=(7, 700, 7_000)).slow_us() == 0
    assert after((1, 100, 500), start=(7, 700, 7_000)).slow_us() == 5


def test_totals_wrap() -> None:
    start = ((1 << 16) - 1, (1 << 32) - 1, (1 << 32) - 1)
    assert after((1, 100, 500), start=start).slow_us() == 5
    assert len(after((1, 100, 500), (1, 100, 500), start=start)._samples) == 2


def test_time_in_which_nothing_was_acknowledged_counts_for_the_next_packet() -> None:
    assert after((0, 0, 300), (1, 100, 200)).slow_us() == 5
    assert after((1, 0, 300), (1, 100, 200)).slow_us() == 2  # a packet without codec bytes is no picture's


def test_after_a_restart_totals_begin_anew_and_what_was_learnt_stays() -> None:
    time = after((1, 100, 500))
    time.restart()
    time.update(Credit(acked_packets=0, acked_bytes=0, busy_us=0))
    time.update(Credit(acked_packets=1, acked_bytes=100, busy_us=700))
    assert time.slow_us() == 6
    assert len(time._samples) == 2


@pytest.mark.parametrize(
    ("slowest_us", "slow_us"),
    [(400, 1.0), (399, 0.7525)],  # it is slow for a quarter of 1600 us, or for one less
)
def test_the_link_is_slow_in_a_quarter_of_its_time(slowest_us: int, slow_us: float) -> None:
    rest = (300, 300, 300, 300) if slowest_us == 400 else (300, 300, 300, 301)
    assert after((4, 400, slowest_us), *((4, 400, each) for each in rest)).slow_us() == slow_us


def test_the_last_128_acknowledgements_say_how_slow_it_is() -> None:
    slow, fast = (4, 400, 4_000_000), (4, 400, 400)
    assert after(slow, *[fast] * 127).slow_us() == 10_000
    assert after(slow, *[fast] * 128).slow_us() == 1


def test_512_acknowledgements_are_kept() -> None:
    assert len(after(*[(1, 100, 100)] * 513)._samples) == 512


def test_the_time_of_a_packet_is_told_from_that_of_a_byte_with_a_ridge_of_a_tenth() -> None:
    # times of 1000 us a packet and 10 us a byte; sums: n n 2, n b 300, b b 50,000, n t 5,000, b t 800,000
    time = after((1, 100, 2_000), (1, 200, 3_000))
    found_us = time.slow_us()
    packet_us = (5_000 * 50_000 - 800_000 * 300) / (2 * 50_000 * 1.1 - 300 * 300)
    assert time._packet_us == pytest.approx(packet_us)
    assert time._byte_us == pytest.approx((800_000 - packet_us * 300) / 50_000)
    assert found_us == pytest.approx((5_000 - 2 * packet_us) / 300)


def test_a_byte_may_take_less_than_a_microsecond() -> None:
    time = after((1, 100, 25), (1, 200, 50))
    assert time.slow_us() == pytest.approx(0.25, abs=0.01)
    assert time._byte_us == pytest.approx(0.25, abs=0.01)


def test_an_acknowledgement_of_several_packets_has_the_time_of_all_of_them() -> None:
    # 1000 us a packet and 10 us a byte again: n n 10, n b 400, b b 20,000, n t 14,000, b t 600,000
    time = after((1, 100, 2_000), (3, 100, 4_000))
    found_us = time.slow_us()
    packet_us = (14_000 * 20_000 - 600_000 * 400) / (10 * 20_000 * 1.1 - 400 * 400)
    assert time._packet_us == pytest.approx(packet_us)
    assert time._byte_us == pytest.approx((600_000 - packet_us * 400) / 20_000)
    assert found_us == pytest.approx((6_000 - 4 * packet_us) / 200)


@pytest.mark.parametrize(("size", "is_told"), [(141, False), (143, True)])
def test_lengths_that_are_nearly_the_same_tell_nothing_apart(size: int, is_told: bool) -> None:
    # of the lengths 100 and s the determinant is (s - 100)^2 of 2 (100^2 + s^2): 3 % from 142.1 on
    time = after((1, 100, 2_000), (1, size, 1_000 + 10 * size))
    time.slow_us()
    assert (time._byte_us is not None) == is_told


def test_no_time_is_below_zero() -> None:
    time = after((1, 100, 3_000), (1, 236, 10))  # the longer one took less
    assert time.slow_us() >= 0
    assert (time._packet_us >= 0, (time._byte_us or 0) >= 0) == (True, True)
    time = after((1, 100, 10), (1, 236, 3_000))  # as if a packet without bytes took less than nothing
    time.slow_us()
    assert time._packet_us == 0


def test_a_single_slow_packet_counts_for_four_times_the_mean_of_a_byte() -> None:
    steps = [(1, size, 10 * size) for size in (40, 236) * 20]
    time = after(*steps, (1, 40, 100_000))
    found_us = time.slow_us()
    assert time._byte_us is not None
    assert found_us == pytest.approx(4 * time._byte_us)


@pytest.mark.parametrize(
    ("was", "short_us", "is_of_packets"),
    [
        (False, 107_990, False),
        (False, 108_010, True),
        (True, 107_990, True),
        (True, 88_010, True),
        (True, 87_990, False),
    ],
)
def test_packets_take_the_time_from_85_percent_on_until_it_is_60(was: bool, short_us: int, is_of_packets: bool) -> None:
    # of 40 and 200 bytes in 240 ms the share is 3 x - 0.5, x being the short one's part of the time
    time = after((1, 40, short_us), (1, 200, 240_000 - short_us))
    assert time._of_packets is False
    time._of_packets = was
    assert time.is_of_packets() is is_of_packets
    assert time._of_packets is is_of_packets


def test_lengths_that_are_nearly_the_same_do_not_tell_what_takes_the_time() -> None:
    assert after().is_of_packets() is None
    assert after((1, 236, 50_000), (1, 236, 50_000)).is_of_packets() is None


def test_how_slow_the_link_is_shows_in_runs_of_four_packets() -> None:
    one = (1, 100, 100)
    assert after(one, one, one, (1, 100, 900)).slow_us() == 3
    assert after(one, one, one, one, (1, 100, 900)).slow_us() == 9  # the last run may be shorter
    assert after((3, 300, 300), (1, 100, 500), (4, 400, 1_200)).slow_us() == 3


def test_a_ridge_does_not_hide_what_packets_take_while_short_ones_are_rare() -> None:
    time = after((1, 40, 20_000), *[(1, 236, 20_000)] * 9)
    assert time.is_of_packets()
    assert time._packet_us < 10_000


def test_no_time_is_of_packets_if_none_has_passed() -> None:
    assert after((1, 40, 0), (1, 200, 0)).is_of_packets() is False
