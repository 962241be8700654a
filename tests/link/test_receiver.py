"""What the receiver collects of each image, and when it closes it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host.link.events import Event, ImageCollected
from host.link.image_number import MODULO
from host.link.receiver import MAX_OPEN, REMEMBER_US
from host.wire import Flush, Hop, Picture, Ping
from tests.link.desk import PROGRAM, SERVICE_US, ReceiverDesk


@pytest.fixture
def desk() -> ReceiverDesk:
    return ReceiverDesk()


def ranks(collected: ImageCollected) -> list[int]:
    return [packet.rank for packet in collected.packets]


def finals(events: list[Event]) -> list[ImageCollected]:
    """Return the images that were closed."""
    return [event for event in events if isinstance(event, ImageCollected) and event.final]


def final(events: list[Event]) -> ImageCollected:
    """Return the only image that was closed."""
    (collected,) = finals(events)
    return collected


def test_a_whole_image_is_closed_at_once_in_the_order_of_rank(desk: ReceiverDesk) -> None:
    assert finals(desk.arrive(3, 1, 0, last=3)) == []
    collected = final(desk.arrive(2, last=3))
    assert ranks(collected) == [0, 1, 2, 3]
    assert collected.whole
    assert [packet.position for packet in collected.packets] == [1000, 1001, 1002, 1003]
    assert collected.arrived_us == dict.fromkeys(range(4), desk.now_us)
    assert desk.wait(200_000) == []
    assert desk.heard(Flush) == []


def test_a_picture_of_one_packet_is_whole_and_reported_once(desk: ReceiverDesk) -> None:
    (collected,) = desk.arrive(0, last=0)
    assert isinstance(collected, ImageCollected)
    assert (collected.whole, collected.final) == (True, True)


def test_what_is_there_when_the_server_has_to_begin_is_closed_then(desk: ReceiverDesk) -> None:
    desk.arrive(4, 0, 2, remaining_ms=100)
    due_us = desk.now_us + 100_000
    assert finals(desk.wait(100_000 - SERVICE_US - 1)) == []
    assert desk.machine.wake_at() == due_us - SERVICE_US
    collected = final(desk.at(due_us - SERVICE_US))
    assert ranks(collected) == [0, 2, 4]
    assert not collected.whole
    assert collected.deadline_us == due_us


@settings(deadline=None)
@given(st.lists(st.integers(0, 255), min_size=1, max_size=40), st.integers(0, 20), st.data())
def test_an_image_is_whole_when_all_ranks_up_to_the_last_are_there(
    order: list[int], last: int, data: st.DataObject
) -> None:
    """Neither stray ranks beyond the last nor a number of packets make it whole."""
    desk = ReceiverDesk()
    for rank in order + data.draw(st.permutations(range(last + 1))):
        image = desk.receiver._open.get((0, number := desk.due(), PROGRAM))
        before = set(image.packets) if image else set()
        closed = finals(desk.arrive(rank, image=number, last=last))
        present = before | {rank}
        assert bool(closed) == (present >= set(range(last + 1)))
        if closed:
            assert closed[0].whole
            assert set(ranks(closed[0])) == present
            return
    raise AssertionError("never whole")


def test_of_two_packets_that_are_said_to_be_the_last_neither_closes_a_gap(desk: ReceiverDesk) -> None:
    number = desk.due()
    desk.arrive(0, 1, image=number, last=9)
    assert finals(desk.arrive(4, image=number, last=4)) == []
    assert finals(desk.arrive(4, image=number, last=4)) == []
    assert desk.receiver.repeated == 1
    assert finals(desk.arrive(3, image=number, last=3)) == []
    assert ranks(final(desk.arrive(2, image=number, last=9))) == [0, 1, 2, 3, 4]


# The deadline


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 5000)), min_size=1, max_size=12))
def test_the_number_says_the_deadline_however_long_packets_waited(arrivals: list[tuple[int, int]]) -> None:
    desk = ReceiverDesk()
    number, due_us = desk.due(250), desk.now_us + 250_000
    for rank, (pause_ms, remaining_ms) in enumerate(arrivals):
        if desk.now_us + pause_ms * 1000 >= due_us - SERVICE_US:
            break
        assert finals(desk.wait(pause_ms * 1000)) == []
        desk.arrive(rank, image=number, last=200, remaining_ms=remaining_ms)
        desk.credit()
    collected = final(desk.wait(due_us - SERVICE_US - desk.now_us))
    assert collected.deadline_us == due_us


def test_a_sender_that_does_not_know_the_clock_gets_the_time_that_remains(desk: ReceiverDesk) -> None:
    number = (desk.due(100) + MODULO // 2) % MODULO
    due_us = desk.now_us + 100_000
    desk.arrive(0, image=number, remaining_ms=100)
    desk.wait(20_000)
    desk.arrive(1, image=number, remaining_ms=95)
    collected = final(desk.wait(50_000))
    assert (ranks(collected), collected.deadline_us) == ([0, 1], due_us)


def test_an_image_that_arrives_after_its_deadline_is_closed_at_once(desk: ReceiverDesk) -> None:
    desk.wait(200_000)
    desk.credit()
    desk.arrive(0, image=desk.due(-50), remaining_ms=1)
    desk.at(desk.now_us)
    assert len(finals(desk.events)) == 1
    assert not desk.receiver._open


# Late, repeated, again


def test_late_packets_are_counted_and_not_reported_again(desk: ReceiverDesk) -> None:
    number = desk.due(50)
    desk.arrive(0, 1, image=number, remaining_ms=50)
    assert len(finals(desk.wait(50_000))) == 1
    assert desk.arrive(2, 3, image=number, remaining_ms=1) == []
    assert desk.receiver.late == 2
    desk.credit()
    assert desk.wait(100_000) == []
    desk.credit()
    other = desk.due()
    desk.arrive(*range(10), image=other)
    assert desk.arrive(4, image=other) == []
    assert desk.receiver.late == 3


def test_repeated_packets_are_counted_and_kept_once(desk: ReceiverDesk) -> None:
    desk.arrive(0, 0, 1, 0)
    assert desk.receiver.repeated == 2
    assert ranks(final(desk.wait(100_000))) == [0, 1]


def test_a_number_may_come_again_once_it_is_forgotten(desk: ReceiverDesk) -> None:
    number = desk.due()
    desk.arrive(0, image=number, last=0)
    for _ in range(40):
        desk.wait(REMEMBER_US // 40)
        desk.credit()
    assert ranks(final(desk.arrive(0, image=number, last=0))) == [0]
    assert desk.receiver.late == 0
    assert len(desk.receiver._closed_us) == 1


def test_what_a_board_still_holds_of_an_unfinished_image_is_flushed_once(desk: ReceiverDesk) -> None:
    number = desk.due(80)
    desk.arrive(0, 2, source=3, image=number, last=3, remaining_ms=80)
    desk.wait(80_000 - SERVICE_US - 1)
    assert desk.heard(Flush) == []
    desk.credit()
    desk.wait(1)
    assert desk.heard(Flush) == [Flush(image=number, peer=3)]
    desk.arrive(1, source=3, image=number, last=3)
    desk.wait(100_000)
    assert desk.heard(Flush) == []


# Cameras and programs


def test_cameras_with_the_same_image_number_are_kept_apart(desk: ReceiverDesk) -> None:
    desk.arrive(0, 1, source=2, last=3, remaining_ms=80)
    desk.arrive(2, source=5, last=3, remaining_ms=80)
    whole = final(desk.arrive(2, 3, source=2, last=3, remaining_ms=80))
    assert (whole.source, ranks(whole), whole.whole) == (2, [0, 1, 2, 3], True)
    assert {packet.data[2] for packet in whole.packets} == {2}
    rest = final(desk.wait(80_000))
    assert (rest.source, ranks(rest), rest.whole) == (5, [2], False)


def test_two_programs_with_the_same_image_number_are_not_mixed(desk: ReceiverDesk) -> None:
    """A program was killed; the next one begins with the number of a picture that the boards still hold."""
    number = desk.due()
    desk.arrive(0, 2, image=number, last=3, program=1)
    desk.arrive(1, image=number, last=3, program=2)
    desk.arrive(3, image=number, last=3, program=1)
    whole = final(desk.arrive(0, 2, 3, image=number, last=3, program=2))
    assert (whole.program, ranks(whole), whole.whole) == (2, [0, 1, 2, 3], True)
    assert desk.receiver.repeated == 0
    rest = final(desk.wait(100_000))
    assert (rest.program, ranks(rest), rest.whole) == (1, [0, 2, 3], False)
    assert desk.receiver.late == 0


def test_a_number_that_one_program_has_used_is_open_to_the_next_one_at_once(desk: ReceiverDesk) -> None:
    number = desk.due()
    for program in range(4):
        assert final(desk.arrive(0, image=number, last=0, program=program)).program == program
    assert desk.arrive(0, image=number, last=0, program=3) == []
    assert desk.receiver.late == 1


@pytest.mark.parametrize("token", [1, 2])
def test_pings_change_nothing(desk: ReceiverDesk, token: int) -> None:
    number = desk.due()
    desk.say(Ping(hop=Hop.PEER_HOST, token=1))
    desk.arrive(0, image=number, last=1)
    desk.say(Ping(hop=Hop.PEER_HOST, token=token))
    assert final(desk.arrive(1, image=number, last=1)).whole
    desk.say(Ping(hop=Hop.PEER_HOST, token=token))
    assert desk.arrive(0, image=number, last=1) == []
    assert desk.receiver.late == 1


def test_the_images_of_one_camera_are_bounded_and_the_nearest_deadline_goes_first(desk: ReceiverDesk) -> None:
    for number in range(MAX_OPEN):
        assert finals(desk.arrive(0, image=desk.due(900 - number), source=3)) == []
    nearest = desk.due(900 - MAX_OPEN + 1)
    assert final(desk.arrive(0, image=desk.due(950), source=3)).image == nearest
    many = [event for number in range(55) for event in finals(desk.arrive(0, image=desk.due(1000 + number), source=3))]
    assert len(many) == 55
    assert len(desk.receiver._open) == MAX_OPEN
    assert len(finals(desk.wait(400_000) + desk.wait(400_000) + desk.wait(400_000))) == MAX_OPEN


def test_a_camera_with_many_open_images_does_not_close_those_of_another(desk: ReceiverDesk) -> None:
    number = desk.due(200)
    desk.arrive(0, 1, image=number, source=0, last=3)
    for other in range(3 * MAX_OPEN):
        closed = finals(desk.arrive(0, image=desk.due(5000 + other), source=1))
        assert {event.source for event in closed} <= {1}
    whole = final(desk.arrive(2, 3, image=number, source=0, last=3))
    assert (whole.source, whole.whole) == (0, True)


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 3), st.integers(0, 1), st.integers(0, 3), st.integers(0, 5), st.integers(0, 90),
            st.integers(0, 40),
        ),
        max_size=80,
    )
)  # fmt: skip
def test_every_packet_is_in_one_final_report_or_counted(arrivals: list[tuple[int, int, int, int, int, int]]) -> None:
    desk = ReceiverDesk()
    first = desk.due(60)
    for source, program, image, rank, remaining_ms, pause_ms in arrivals:
        number = first + 37 * image
        desk.arrive(rank, source=source, program=program, image=number, last=5, remaining_ms=remaining_ms)
        desk.wait(pause_ms * 1000)
        desk.credit()
    for _ in range(4):
        desk.wait(100_000)
        desk.credit()
    reported = finals(desk.events)
    keys = [(event.source, event.image, event.program) for event in reported]
    assert len(set(keys)) == len(keys)
    assert all(event.packets for event in reported)
    for event in reported:
        data = {packet.rank: packet.data for packet in event.packets}
        assert data == {rank: bytes([rank, event.image % 256, event.source]) for rank in data}
    kept = sum(len(event.packets) for event in reported)
    assert kept + desk.receiver.late + desk.receiver.repeated == len(arrivals)


def test_pictures_before_the_session_is_open_are_ignored() -> None:
    desk = ReceiverDesk()
    desk.machine.start(desk.now_us)
    assert desk.say(Picture(desk.due(), 0, 0, 50, b"x", last=True)) == []
