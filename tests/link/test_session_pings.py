"""When a session pings its board, to the microsecond, and what it learns from a pong."""

from __future__ import annotations

from itertools import pairwise

import pytest

from host.link.session import DAMAGE_PROBE_US, KEEP_ALIVE_US, PROBE_US, QUIET_US
from host.wire import Control, Credit, Flush, Hop, Log, Ping, Pong
from tests.link.desk import BEGIN_US
from tests.link.line import BOARD, Line


@pytest.fixture
def line() -> Line:
    made = Line()
    made.open()
    return made


def pings(line: Line) -> list[int]:
    return line.times(Ping)


def test_an_idle_session_pings_once_a_second(line: Line) -> None:
    line.until(line.now_us + 4 * KEEP_ALIVE_US)
    times_us = [at_us for at_us in pings(line) if at_us % KEEP_ALIVE_US == 0]
    assert times_us[0] == KEEP_ALIVE_US


def test_an_unconfirmed_frame_is_asked_after_at_growing_intervals(line: Line) -> None:
    line.until(line.now_us + 100_000)
    line.write(Flush(image=1))
    begun_us = line.now_us
    line.until(begun_us + 400_000)
    times_us = [begun_us - BEGIN_US, *pings(line)]
    pauses_us = [later - earlier for earlier, later in pairwise(times_us)]
    least, most = PROBE_US
    assert pauses_us[:7] == [least, least, 2 * least, 2 * least, 4 * least, 4 * least, most]
    assert set(pauses_us[7:]) == {most}


def test_a_packet_from_the_board_makes_the_intervals_short_again(line: Line) -> None:
    line.write(Flush(image=1))
    while len(pings(line)) < 8:
        line.until(line.now_us + 1_000)
    line.say(Credit(next_seq=0))  # confirms nothing
    line.until(line.now_us + 2 * PROBE_US[0])
    assert len(pings(line)) == 10


@pytest.mark.parametrize(("until_us", "expected_us"), [(11_999, []), (35_999, [12_000]), (36_000, [12_000, 36_000])])
def test_while_a_packet_is_expected_silence_is_probed(line: Line, until_us: int, expected_us: list[int]) -> None:
    """The second ping of a silence comes after twice the time, since the session opened with one."""
    assert QUIET_US[0] == 12_000
    begun_us = line.now_us
    line.session.expect_until(begun_us + until_us)
    for at_us in (12_000, 36_000, 500_000):
        line.until(begun_us + at_us)
        line.confirm(heard=False)
    assert [at_us + BEGIN_US - begun_us for at_us in pings(line)] == expected_us


@pytest.mark.parametrize(
    ("packet", "wait_us"),
    [
        (Log(level=3, text=b"x"), 12_000),
        (Pong(hop=Hop.PEER_HOST), 12_000),
        (Pong(hop=Hop.BOARD, token=1, origin_us=BEGIN_US + 40_000), 24_000),  # these only answer a ping
        (Credit(next_seq=0), 24_000),
    ],
)
def test_only_what_is_more_than_an_answer_to_a_ping_ends_a_silence(line: Line, packet: Control, wait_us: int) -> None:
    begun_us = line.now_us
    line.session.expect_until(begun_us + 500_000)
    for at_us in (12_000, 36_000, 40_000):
        line.until(begun_us + at_us)
        line.confirm(heard=False)
    assert pings(line) == [12_000, 36_000]
    line.say(packet)
    line.until(line.now_us + 30_000)
    assert pings(line)[2] == 40_000 + wait_us


@pytest.mark.parametrize(("since_ping_us", "probed"), [(DAMAGE_PROBE_US - 1, False), (DAMAGE_PROBE_US, True)])
def test_a_damaged_frame_is_probed_for_unless_a_ping_has_just_gone(
    line: Line, since_ping_us: int, probed: bool
) -> None:
    line.session.probe(line.now_us)
    line.now_us += since_ping_us
    line.damage()
    assert len(pings(line)) == 1 + probed


def test_a_frame_of_this_computer_that_was_damaged_is_probed_for_if_any_is_in_flight(line: Line) -> None:
    line.confirm(damaged=1)
    assert pings(line) == []  # all frames are accounted for
    line.write(Flush(image=1))
    line.session.confirm(line.now_us, Credit(next_seq=line.board.reader.next_seq - 1, damaged=1))
    line._note()
    assert pings(line) == []  # none was damaged since
    line.session.confirm(line.now_us, Credit(next_seq=line.board.reader.next_seq - 1, damaged=2))
    line._note()
    assert len(pings(line)) == 1


def test_pings_are_numbered_and_carry_the_time_modulo_32_bits() -> None:
    line = Line()
    line.now_us = (3 << 32) + 17
    line.say(BOARD)
    line.session.probe(line.now_us)
    line._note()
    sent = [packet for _, packet in line.spoken if isinstance(packet, Ping)]
    assert sent == [Ping(hop=Hop.BOARD, token=token, origin_us=17) for token in (1, 2)]


def test_the_number_of_a_ping_wraps_at_32_bits(line: Line) -> None:
    line.session._token = (1 << 32) - 2
    for _ in range(2):
        line.session.probe(line.now_us)
    line._note()
    assert [packet.token for _, packet in line.spoken if isinstance(packet, Ping)] == [(1 << 32) - 1, 0]


def test_a_pong_of_the_board_measures_the_serial_line(line: Line) -> None:
    line.now_us += 5_000_000
    line.session.probe(line.now_us)
    line._note()
    ping = line.spoken[-1][1]
    line.now_us += 3_000
    line.say(Pong(hop=Hop.BOARD, token=ping.token, origin_us=ping.origin_us))
    assert line.session.serial_round_trip.min_us == 3_000
    line.say(Pong(hop=Hop.BOARD, token=ping.token + 1, origin_us=ping.origin_us + 2_999))  # was not sent
    line.say(Pong(hop=Hop.BOARD, token=0, origin_us=ping.origin_us + 2_999))
    assert line.session.serial_round_trip.min_us == 3_000
    line.say(Pong(hop=Hop.BOARD, token=1, origin_us=ping.origin_us + 2_998))
    assert line.session.serial_round_trip.min_us == 2


def test_a_pong_may_be_as_old_as_a_picture_may_wait_and_no_older(line: Line) -> None:
    longest_us = 65_535_000
    line.now_us += 200_000_000
    for age_us in (longest_us, longest_us + 1):
        line.say(Pong(hop=Hop.BOARD, token=1, origin_us=line.now_us - age_us))
    assert (line.session.serial_round_trip.min_us, line.session.serial_round_trip.mean_us) == (longest_us, longest_us)


def test_the_first_credit_of_a_session_says_nothing_new_of_damage(line: Line) -> None:
    line.session.start(line.now_us)
    line.say(BOARD)
    before = len(pings(line))
    line.session.confirm(line.now_us, Credit(next_seq=line.session.channel._seq - 1, damaged=9))
    line._note()
    assert len(pings(line)) == before


def test_a_round_trip_is_measured_long_after_the_clock_wrapped(line: Line) -> None:
    line.now_us = (5 << 32) + 900
    line.say(Pong(hop=Hop.BOARD, token=1, origin_us=200))
    assert line.session.serial_round_trip.min_us == 700
