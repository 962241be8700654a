"""Reports of the receiver and their times."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host.link.events import ImageCollected
from host.link.receiver import MAX_OPEN, REMEMBER_US
from host.wire import MAX_PACKET, Hop, Picture, Ping, Pong, Result, ResultStatus
from tests.link.desk import SERVICE_US, ReceiverDesk


@pytest.fixture
def desk() -> ReceiverDesk:
    return ReceiverDesk()


def ranks(collected: object) -> list[int]:
    assert isinstance(collected, ImageCollected)
    return [packet.rank for packet in collected.packets]


def test_a_whole_image_is_reported_at_once_in_the_order_of_rank(desk: ReceiverDesk) -> None:
    assert desk.arrive(3, 1, 0, last=3) == []
    (collected,) = desk.arrive(2, last=3)
    assert ranks(collected) == [0, 1, 2, 3]
    assert collected.whole
    assert [packet.position for packet in collected.packets] == [1000, 1001, 1002, 1003]
    assert collected.arrived_us == dict.fromkeys(range(4), desk.now_us)
    assert desk.wait(200_000) == []


def test_a_picture_of_one_packet_is_whole(desk: ReceiverDesk) -> None:
    (collected,) = desk.arrive(0, last=0)
    assert collected.whole


def test_what_is_there_at_the_deadline_is_reported_then(desk: ReceiverDesk) -> None:
    desk.arrive(4, 0, 2, remaining_ms=100)
    end_us = desk.now_us + 100_000
    assert desk.wait(99_999) == []
    assert desk.machine.wake_at() == end_us
    (collected,) = desk.at(end_us)
    assert ranks(collected) == [0, 2, 4]
    assert not collected.whole
    assert collected.deadline_us == end_us


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 400)), min_size=1, max_size=12))
def test_the_deadline_is_the_earliest_of_arrival_plus_remaining_time(arrivals: list[tuple[int, int]]) -> None:
    desk = ReceiverDesk()
    earliest_us = 1 << 62
    for rank, (pause_ms, remaining_ms) in enumerate(arrivals):
        if desk.now_us + pause_ms * 1000 >= earliest_us:
            break
        assert desk.wait(pause_ms * 1000) == []
        desk.arrive(rank, last=200, remaining_ms=remaining_ms)
        desk.credit()
        earliest_us = min(earliest_us, desk.now_us + remaining_ms * 1000)
    (collected,) = [event for event in desk.wait(earliest_us - desk.now_us) if isinstance(event, ImageCollected)]
    assert collected.deadline_us == earliest_us == desk.now_us


def test_late_packets_are_counted_and_not_reported_again(desk: ReceiverDesk) -> None:
    desk.arrive(0, 1, remaining_ms=50)
    assert len(desk.wait(50_000)) == 1
    assert desk.arrive(2, 3, remaining_ms=1) == []
    assert desk.receiver.late == 2
    assert desk.wait(100_000) == []
    desk.arrive(*range(10), image=2)
    assert desk.arrive(4, image=2) == []
    assert desk.receiver.late == 3


def test_repeated_packets_are_counted_and_kept_once(desk: ReceiverDesk) -> None:
    desk.arrive(0, 0, 1, 0)
    assert desk.receiver.repeated == 2
    (collected,) = desk.wait(100_000)
    assert ranks(collected) == [0, 1]


def test_a_number_may_come_again_once_it_is_forgotten(desk: ReceiverDesk) -> None:
    desk.arrive(0, last=0)
    for _ in range(40):
        desk.wait(REMEMBER_US // 40)
        desk.credit()
    (collected,) = desk.arrive(0, last=0)
    assert ranks(collected) == [0]
    assert desk.receiver.late == 0


def test_cameras_with_the_same_image_number_are_kept_apart(desk: ReceiverDesk) -> None:
    desk.arrive(0, 1, source=2, last=3, remaining_ms=80)
    desk.arrive(2, source=5, last=3, remaining_ms=80)
    (whole,) = desk.arrive(2, 3, source=2, last=3)
    assert (whole.source, ranks(whole), whole.whole) == (2, [0, 1, 2, 3], True)
    assert {packet.data[2] for packet in whole.packets} == {2}
    (rest,) = desk.wait(80_000)
    assert (rest.source, ranks(rest), rest.whole) == (5, [2], False)


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 5), st.integers(1, 90), st.integers(0, 40)),
        max_size=80,
    )
)
def test_every_packet_is_reported_once_or_counted(arrivals: list[tuple[int, int, int, int, int]]) -> None:
    desk = ReceiverDesk()
    for source, image, rank, remaining_ms, pause_ms in arrivals:
        desk.arrive(rank, source=source, image=image, last=5, remaining_ms=remaining_ms)
        desk.wait(pause_ms * 1000)
        desk.credit()
    desk.wait(100_000)
    reported = [event for event in desk.events if isinstance(event, ImageCollected)]
    assert all(event.packets for event in reported)
    for event in reported:
        assert all(packet.data == bytes([packet.rank, event.image, event.source]) for packet in event.packets)
    kept = sum(len(event.packets) for event in reported)
    assert kept + desk.receiver.late + desk.receiver.repeated == len(arrivals)


def test_images_collected_at_a_time_are_bounded_and_the_nearest_deadline_goes_first(desk: ReceiverDesk) -> None:
    for number in range(MAX_OPEN):
        assert desk.arrive(0, source=number % 4, image=number, remaining_ms=900 - number) == []
    (collected,) = desk.arrive(0, image=200, remaining_ms=900)
    assert collected.image == MAX_OPEN - 1
    many = [event for number in range(201, 256) for event in desk.arrive(0, image=number, remaining_ms=900)]
    assert len(many) == 55
    assert len(desk.wait(800_000) + desk.wait(200_000)) >= MAX_OPEN


def collect(desk: ReceiverDesk) -> ImageCollected:
    desk.arrive(0, 7, 3, source=2, image=9, remaining_ms=100)
    (collected,) = desk.wait(100_000)
    desk.heard()
    assert isinstance(collected, ImageCollected)
    return collected


def test_an_answer_says_which_ranks_were_used_and_how_early_the_last_of_them_came(desk: ReceiverDesk) -> None:
    desk.arrive(0, 7, source=2, image=9, last=255, remaining_ms=100)
    desk.wait(60_000)
    desk.arrive(255, source=2, image=9, last=255, remaining_ms=40)
    (collected,) = desk.wait(40_000)
    desk.heard()
    desk.receiver.answer(desk.now_us, collected, [(3, "hen", 0.5)], service_us=1234, used=[0, 7])
    desk.receiver.answer(desk.now_us, collected, [], service_us=0, used=[255])
    desk.at(desk.now_us)
    first, second = desk.heard(Result)
    assert (first.peer, first.image, first.status, first.service_us) == (2, 9, ResultStatus.OK, 1234)
    assert first.margin_ms == 100
    assert first.ranks == bytes([0b1000_0001]) + bytes(31)
    assert second.margin_ms == 40
    assert second.ranks == bytes(31) + bytes([0b1000_0000])


def test_a_refusal_says_why_in_what_fits(desk: ReceiverDesk) -> None:
    collected = collect(desk)
    desk.receiver.refuse(desk.now_us, collected, ResultStatus.FAILED, "ä" * 500)
    desk.at(desk.now_us)
    (result,) = desk.heard(Result)
    assert result.status == ResultStatus.FAILED
    assert len(result.pack()) <= MAX_PACKET
    assert result.text.decode(errors="ignore") == "ä" * (len(result.text) // 2)
    assert len(result.text) > 190


def test_a_margin_beyond_the_field_is_clipped(desk: ReceiverDesk) -> None:
    (collected,) = desk.arrive(0, last=0, remaining_ms=65_535)
    desk.receiver.answer(desk.now_us, collected, [], service_us=0, used=[0])
    desk.at(desk.now_us)
    assert [result.margin_ms for result in desk.heard(Result)] == [32_767]


def test_a_ping_is_answered_at_once_with_the_expected_service_time(desk: ReceiverDesk) -> None:
    desk.say(Ping(hop=Hop.PEER_HOST, token=77, origin_us=123_456, peer=3))
    expected = Pong(hop=Hop.PEER_HOST, token=77, origin_us=123_456, service_us=SERVICE_US, peer=3)
    assert desk.heard() == [expected]


def test_answers_and_pongs_named_missing_are_sent_again(desk: ReceiverDesk) -> None:
    collected = collect(desk)
    desk.lose = lambda packet: isinstance(packet, Result | Pong)
    desk.receiver.answer(desk.now_us, collected, [(1, "cat", 1.0)], service_us=5, used=[0])
    desk.say(Ping(hop=Hop.PEER_HOST, token=4, peer=1))
    desk.lose = lambda _: False
    assert desk.heard(Result | Pong) == []
    desk.wait(70_000)  # the probe after them shows the gap
    desk.heard()
    desk.credit()
    again = desk.heard((Result, Pong))
    assert [type(packet) for packet in again] == [Result, Pong]
    assert again[0].image == 9
    desk.credit()
    assert desk.heard() == []


def test_nothing_is_answered_while_the_board_is_away() -> None:
    desk = ReceiverDesk()
    collected = collect(desk)
    desk.machine.start(desk.now_us)
    desk.heard()
    desk.receiver.answer(desk.now_us, collected, [], service_us=0, used=[0])
    desk.at(desk.now_us)
    assert desk.heard(Result) == []


def test_pictures_before_the_session_is_open_are_ignored() -> None:
    desk = ReceiverDesk()
    desk.machine.start(desk.now_us)
    assert desk.say(Picture(1, 0, 0, 50, b"x", last=True)) == []


def test_a_camera_that_starts_anew_may_use_an_image_number_again_at_once(desk: ReceiverDesk) -> None:
    desk.say(Ping(hop=Hop.PEER_HOST, token=1, peer=0), Ping(hop=Hop.PEER_HOST, token=1, peer=2))
    for source in (0, 2):
        (collected,) = desk.arrive(0, image=5, source=source, last=0)
    desk.arrive(0, image=6, last=1)
    desk.say(Ping(hop=Hop.PEER_HOST, token=2, peer=0))
    (collected,) = desk.arrive(0, image=5, last=0)
    assert (ranks(collected), collected.source) == ([0], 0)
    (collected,) = desk.arrive(0, 1, image=6, last=1)  # nothing of the last session is mixed in
    assert collected.whole
    assert desk.receiver.repeated == 0
    assert desk.arrive(0, image=5, source=2, last=0) == []  # another camera's numbers are not touched
    assert desk.receiver.late == 1


def test_pings_of_the_same_session_change_nothing(desk: ReceiverDesk) -> None:
    desk.say(Ping(hop=Hop.PEER_HOST, token=1))
    desk.arrive(0, image=5, last=0)
    desk.say(Ping(hop=Hop.PEER_HOST, token=1))
    assert desk.arrive(0, image=5, last=0) == []
    assert desk.receiver.late == 1
