"""Repair of the serial line: missing frames of the board are asked for, and silence is probed."""

from __future__ import annotations

from itertools import pairwise

import pytest

from host.link.image_number import number_of
from host.link.session import PROBE_US, QUIET_US
from host.wire import Credit, Hop, LinkState, Ping, Pong, Repeat
from tests.link.desk import ReceiverDesk, SenderDesk, lost, ranks

MS = 1_000


def skip(desk: ReceiverDesk | SenderDesk, frames: int = 1) -> int:
    """Lose the board's next frames; return the number of the first."""
    first = desk._seq
    desk._seq += frames
    return first


def named(request: Repeat) -> set[int]:
    """Return the numbers of the frames that a request names."""
    return {request.next_seq - 1 - age for age in range(32) if request.missing >> age & 1}


def quiet(desk: ReceiverDesk | SenderDesk) -> None:
    """Let the board confirm everything, as often as that takes."""
    for _ in range(3):
        desk.credit()
    desk.heard()


@pytest.fixture
def desk() -> ReceiverDesk:
    """A receiver whose board has confirmed everything."""
    desk = ReceiverDesk()
    quiet(desk)
    return desk


def test_a_gap_is_asked_for_at_once_and_once(desk: ReceiverDesk) -> None:
    first = skip(desk, 2)
    desk.arrive(2)
    (request,) = desk.heard(Repeat)
    assert named(request) == {first, first + 1}
    second = skip(desk)
    desk.arrive(3)
    (request,) = desk.heard(Repeat)
    assert named(request) == {second}
    desk.arrive(4)
    desk.credit()
    desk.wait(30 * MS)
    assert desk.heard(Repeat) == []


def test_a_request_that_did_not_reach_the_board_is_made_again(desk: ReceiverDesk) -> None:
    first = skip(desk)
    desk.lose = lambda packet: isinstance(packet, Repeat)
    desk.arrive(2)
    desk.lose = lambda _: False
    assert desk.heard(Repeat) == []
    desk.wait(PROBE_US[0])  # a ping exposes the gap to the board
    assert len(desk.heard(Ping)) == 1
    desk.credit()
    (request,) = desk.heard(Repeat)
    assert named(request) == {first}
    desk.credit()
    desk.wait(100 * MS)
    assert desk.heard(Repeat) == []


def test_what_left_the_window_of_numbers_is_not_asked_for_again(desk: ReceiverDesk) -> None:
    first = skip(desk)
    desk.lose = lambda packet: isinstance(packet, Repeat | Ping)
    desk.arrive(2)
    for _ in range(20):
        desk.arrive(3)
    second = skip(desk)
    desk.arrive(4)
    for _ in range(20):
        desk.arrive(5)
    desk.lose = lambda _: False
    desk.wait(PROBE_US[1])
    desk.credit()
    assert [named(request) for request in desk.heard(Repeat)] == [{second}]
    assert second - first > 20


def test_frames_before_a_hello_are_not_asked_for(desk: ReceiverDesk) -> None:
    skip(desk, 5)
    desk.machine.start(desk.now_us)
    desk.hello()
    desk.arrive(1)
    assert desk.heard(Repeat) == []


def test_a_damaged_frame_that_shows_no_gap_is_probed_for_at_once(desk: ReceiverDesk) -> None:
    desk.wait(5 * MS)
    desk.heard()
    first = skip(desk)
    desk.machine.receive(desk.now_us, b"\x02\x01\x05\x07\x00")
    desk.at(desk.now_us)
    (ping,) = desk.heard(Ping)
    assert ping.hop == Hop.BOARD
    desk.say(Pong(hop=Hop.BOARD, token=ping.token, origin_us=ping.origin_us))
    (request,) = desk.heard(Repeat)
    assert named(request) == {first}


def test_while_an_image_is_open_a_short_silence_is_probed_less_and_less_often(desk: ReceiverDesk) -> None:
    image = number_of(desk.now_us + 1_000 * MS)
    desk.arrive(0, image=image, remaining_ms=1_000)
    pings_us = []
    for _ in range(300):
        desk.wait(MS)
        for ping in desk.heard(Ping):
            pings_us.append(desk.now_us)
            desk.say(Pong(hop=Hop.BOARD, token=ping.token, origin_us=ping.origin_us))
            desk.credit()
    pauses_us = [later - earlier for earlier, later in pairwise(pings_us)]
    assert pauses_us[0] == QUIET_US[0]
    assert pauses_us == sorted(pauses_us)
    assert pauses_us[-1] == QUIET_US[1]
    desk.arrive(1, image=image, remaining_ms=600)
    desk.wait(QUIET_US[0])
    assert len(desk.heard(Ping)) == 1, "a packet came: the silence is short again"


def test_nothing_is_probed_while_nothing_is_expected(desk: ReceiverDesk) -> None:
    desk.wait(200 * MS)
    assert desk.heard(Ping) == []
    desk.arrive(0, image=number_of(desk.now_us + 500 * MS), last=0, remaining_ms=500)  # whole: the image is closed
    desk.wait(200 * MS)
    assert desk.heard(Ping) == []


def test_a_sender_expects_its_answer() -> None:
    desk = SenderDesk()
    desk.ready()
    desk.submit(2, 400 * MS)
    quiet(desk)
    desk.wait(QUIET_US[0])
    assert [ping.hop for ping in desk.heard(Ping)] == [Hop.BOARD]


def test_pictures_lost_on_the_way_to_the_board_are_sent_again_within_ten_ms() -> None:
    desk = SenderDesk()
    desk.ready()
    quiet(desk)
    desk.lose = lost(2, 3)
    desk.submit(4, 500 * MS)
    desk.lose = lambda _: False
    assert ranks(desk.pictures()) == [0, 1]
    desk.wait(10 * MS)
    desk.credit()
    assert ranks(desk.pictures()) == [2, 3]


def test_a_slow_line_is_probed_after_three_round_trips() -> None:
    desk = SenderDesk()
    desk.ready()
    quiet(desk)
    desk.sender.session.serial_round_trip.min_us = 7_000.0
    desk.submit(4, 500 * MS)
    desk.heard()
    desk.wait(21 * MS - 1)
    assert desk.heard(Ping) == []
    desk.wait(1)
    assert len(desk.heard(Ping)) == 1


def test_credits_in_time_make_pings_unnecessary() -> None:
    desk = SenderDesk()
    desk.ready()
    desk.submit(8, 2_000 * MS)
    desk.heard()
    for _ in range(100):
        desk.wait(7 * MS)
        desk.say(
            Credit(next_seq=desk.reader.next_seq, missing=desk.reader.missing, free=0, waiting=8, link=LinkState.UP)
        )
    assert [ping for ping in desk.heard(Ping) if ping.hop == Hop.BOARD] == []
