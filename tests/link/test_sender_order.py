"""Packets that the sender gives to the board, their order, and those that it keeps."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host.link.channel import MAX_FRAMES_IN_FLIGHT
from host.link.sender import MAX_PENDING, DeadlineInfeasibleError, Policy, Sender
from host.ranked import RankedPacket
from host.wire import MAX_CODEC_BYTES, MAX_DEADLINE_MS, Flush, LinkState, Picture
from tests.link.desk import PROGRAM, ROUND_TRIP_US, SERVICE_US, SenderDesk, lost, ranked, ranks


@pytest.fixture
def desk() -> SenderDesk:
    made = SenderDesk()
    made.ready()
    return made


def test_nothing_is_sent_before_the_first_credit() -> None:
    desk = SenderDesk()
    desk.open()
    desk.submit(4, 1_000_000)
    desk.wait(50_000)
    assert desk.pictures() == []
    desk.credit()
    assert ranks(desk.pictures()) == [0, 1, 2, 3]


@pytest.mark.parametrize("fields", [{"free": 0}, {"link": LinkState.DOWN}, {"link": LinkState.REFUSED}, {"link": 77}])
def test_nothing_is_sent_without_room_or_link(desk: SenderDesk, fields: dict[str, int]) -> None:
    desk.credit(**fields)
    desk.submit(4, 1_000_000)
    desk.credit(**fields)
    assert desk.pictures() == []
    desk.credit()
    assert ranks(desk.pictures()) == [0, 1, 2, 3]


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("submit"), st.integers(1, 40), st.integers(150, 900)),
        st.tuples(st.just("wait"), st.integers(0, 80), st.just(0)),
        # free slots; how many of the frames under way the board has read when it writes the credit
        st.tuples(st.just("credit"), st.integers(0, 64), st.integers(0, 30)),
    ),
    min_size=5,
    max_size=60,
)


@settings(max_examples=150, deadline=None)
@given(steps=STEPS, rate=st.sampled_from([None, 2_000, 30_000, 2_000_000]))
def test_credits_are_never_overrun_and_every_frame_under_way_can_be_named(
    steps: list[tuple[str, int, int]], rate: int | None
) -> None:
    desk = SenderDesk()
    desk.ready()
    if rate:
        desk.measure(rate)
    desk.credit(free=3)
    free = 3
    unread: list[object] = []  # frames on the wire; the credit's next_seq decides which are read
    for kind, value, extra in steps:
        before = len(unread)
        if kind == "submit" and desk.sender.pending < MAX_PENDING:
            desk.submit(value, extra * 1000)
        elif kind == "wait":
            desk.wait(value * 1000)
        elif kind == "credit":
            read = min(extra, len(unread))
            unread = unread[read:]
            free, before = value, len(unread)
            desk.credit(free=free, next_seq=(desk.reader.next_seq - len(unread)) % 256, missing=0)
        unread += desk.heard()
        if any(isinstance(packet, Picture) for packet in unread[before:]):
            assert sum(isinstance(packet, Picture) for packet in unread) <= free
            last = max(k for k, packet in enumerate(unread) if isinstance(packet, Picture))
            assert last + 1 <= MAX_FRAMES_IN_FLIGHT
        if desk.sender.session.state.name != "OPEN":
            return  # silent for too long: another claim


def test_a_frame_named_missing_is_sent_again_in_its_place(desk: SenderDesk) -> None:
    desk.measure(100_000)
    desk.lose = lost(1, 3)
    desk.submit(60, 2_000_000)
    first = ranks(desk.pictures())
    assert first == [rank for rank in range(len(first) + 2) if rank not in (1, 3)]
    desk.lose = lost()
    desk.credit()
    after = ranks(desk.pictures())
    assert after == [1, 3, *range(first[-1] + 1, first[-1] + 1 + len(after) - 2)]
    assert len(after) > 2


def test_a_frame_lost_twice_is_sent_a_third_time(desk: SenderDesk) -> None:
    desk.lose = lost(0)
    desk.submit(3, 1_000_000)
    assert ranks(desk.pictures()) == [1, 2]
    desk.credit()  # names rank 0, whose second frame is lost as well
    desk.wait(60_000)  # the probe makes the gap known
    desk.lose = lost()
    desk.credit()
    assert ranks(desk.pictures()) == [0]


def test_a_frame_named_missing_after_the_deadline_is_not_sent_again(desk: SenderDesk) -> None:
    desk.lose = lost(2)
    desk.submit(4, 150_000)
    assert ranks(desk.pictures()) == [0, 1, 3]
    desk.wait(150_000)
    desk.lose = lost()
    desk.credit()
    assert desk.pictures() == []


@pytest.mark.parametrize("late_us", [0, 1])
def test_a_frame_named_missing_is_sent_again_while_it_can_arrive(desk: SenderDesk, late_us: int) -> None:
    desk.lose = lost(1)
    desk.submit(3, 300_000)
    assert ranks(desk.pictures()) == [0, 2]
    (image,) = desk.sender._images.values()
    desk.now_us = image.send_by_us - ROUND_TRIP_US // 2 + late_us
    desk.lose = lost()
    desk.credit(waiting=3, in_radio=1)
    assert ranks(desk.pictures()) == ([] if late_us else [1])


def test_a_packet_that_cannot_arrive_in_time_is_not_started(desk: SenderDesk) -> None:
    desk.credit(free=0)
    desk.submit(60, 220_000)
    (image,) = desk.sender._images.values()
    last_us = image.send_by_us - ROUND_TRIP_US // 2
    for at_us, started in ((last_us - 1, [0, 1]), (last_us, [2]), (last_us + 1, [])):
        desk.now_us = at_us
        desk.credit(free=len(started))
        assert ranks(desk.pictures()) == started


def window(rate: float, policy: Policy | None = None) -> int:
    """Return how many packets the board may hold at a rate, in codec bytes/s."""
    policy = policy or Policy()
    return policy.least_ahead + int(rate * policy.ahead_us / 1e6 / MAX_CODEC_BYTES)


@settings(max_examples=60, deadline=None)
@given(
    rate=st.integers(1, 400_000),
    waiting=st.integers(0, 60),
    in_radio=st.integers(0, 8),
    free=st.integers(1, 64),
    deadline_ms=st.integers(120, 1000),
)
def test_the_board_holds_what_it_sends_in_the_time_ahead(
    rate: int, waiting: int, in_radio: int, free: int, deadline_ms: int
) -> None:
    desk = SenderDesk()
    desk.ready()
    desk.measure(rate)
    desk.credit(waiting=waiting, in_radio=in_radio, free=free)
    desk.submit(100, deadline_ms * 1000)
    measured = desk.sender.rate.bytes_per_s
    assert measured == pytest.approx(rate)
    room = max(0, window(measured) - waiting - in_radio)
    assert len(desk.pictures()) == min(room, free, MAX_FRAMES_IN_FLIGHT)


def test_a_slow_link_is_never_left_without_packets(desk: SenderDesk) -> None:
    desk.measure(10)
    desk.submit(30, 200_000)
    assert ranks(desk.pictures()) == list(range(Policy().least_ahead))
    desk.credit(waiting=Policy().least_ahead)
    assert desk.pictures() == []
    desk.credit(waiting=Policy().least_ahead - 1)
    assert ranks(desk.pictures()) == [Policy().least_ahead]


def test_a_policy_may_let_the_board_hold_more() -> None:
    policy = Policy(ahead_us=20_000, least_ahead=3)
    desk = SenderDesk(Sender(nonce=7, policy=policy))
    desk.ready()
    desk.measure(50_000)
    desk.submit(60, 500_000)
    assert len(desk.pictures()) == window(50_000, policy) == 7


def test_an_image_is_flushed_once_at_its_deadline_if_any_of_it_may_wait(desk: SenderDesk) -> None:
    number = desk.submit(30, 200_000)
    (image,) = desk.sender._images.values()
    desk.credit(waiting=6)
    desk.heard()
    desk.at(image.send_by_us - 1)
    assert desk.heard(Flush) == []
    desk.at(image.send_by_us)
    assert desk.heard() == [Flush(image=number)]
    desk.credit()
    desk.at(image.send_by_us + 1000)
    assert desk.heard((Flush, Picture)) == []


def test_a_flush_that_broke_on_the_wire_is_said_again(desk: SenderDesk) -> None:
    number = desk.submit(30, 200_000)
    (image,) = desk.sender._images.values()
    desk.credit(waiting=6)
    desk.lose = lambda packet: isinstance(packet, Flush)
    desk.at(image.send_by_us)
    desk.lose = lost()
    desk.wait(70_000)  # a probe goes after it
    desk.heard()
    desk.credit()
    assert desk.heard(Flush) == [Flush(image=number)]


def test_a_new_image_does_not_wait_for_an_old_one_past_its_deadline(desk: SenderDesk) -> None:
    desk.measure(20_000)
    desk.submit(100, 150_000)
    (old,) = desk.sender._images.values()
    desk.pictures()
    desk.at(old.send_by_us)
    desk.credit()
    desk.heard()
    new = desk.submit(3, 500_000)
    sent = desk.pictures()
    assert ranks(sent) == [0, 1, 2]
    assert {picture.image for picture in sent} == {new}


def test_ranks_go_first_across_images_then_the_earlier_deadline(desk: SenderDesk) -> None:
    desk.credit(free=0)
    late = desk.submit(3, 900_000)
    early = desk.submit(3, 600_000)
    desk.credit()
    order = [(picture.rank, picture.image) for picture in desk.pictures()]
    assert order == [(rank, image) for rank in range(3) for image in (early, late)]


def test_what_is_sent_again_takes_its_place_among_the_ranks_of_other_images(desk: SenderDesk) -> None:
    desk.lose = lost(1, 4)
    old = desk.submit(6, 600_000)
    assert ranks(desk.pictures()) == [0, 2, 3, 5]
    desk.lose = lost()
    desk.credit(free=0)
    new = desk.submit(6, 900_000)
    desk.credit()
    order = [(picture.rank, picture.image) for picture in desk.pictures()]
    assert order == [(0, new), (1, old), (1, new), (2, new), (3, new), (4, old), (4, new), (5, new)]


def test_packets_carry_what_was_submitted_and_the_time_that_remains(desk: SenderDesk) -> None:
    packets = [RankedPacket(0, 65535, b"a"), RankedPacket(1, 7, b"b" * 236)]
    number = desk.sender.submit(desk.now_us, packets, desk.now_us + 500_000)
    (image,) = desk.sender._images.values()
    desk.at(desk.now_us)
    sent = desk.pictures()
    assert [RankedPacket(p.rank, p.position, p.data) for p in sent] == packets
    assert [p.last for p in sent] == [False, True]
    assert {(p.image, p.program) for p in sent} == {(number, PROGRAM)}
    transit_us = ROUND_TRIP_US // 2
    assert {p.remaining_ms for p in sent} == {(image.send_by_us - transit_us - desk.now_us) // 1000}


def test_a_deadline_below_the_least_ever_needed_is_refused_and_the_least_one_is_named(desk: SenderDesk) -> None:
    with pytest.raises(DeadlineInfeasibleError) as error:
        desk.sender.submit(desk.now_us, ranked(1), desk.now_us + 1)
    found = re.search(r"at least (\d+) ms, (\d+) of them", str(error.value))
    assert found
    least_ms, service_ms = int(found[1]), int(found[2])
    assert service_ms == SERVICE_US // 1000
    assert least_ms * 1000 == ROUND_TRIP_US + SERVICE_US
    for refused_us in (-1_000, 0, ROUND_TRIP_US + SERVICE_US - 1):
        with pytest.raises(DeadlineInfeasibleError):
            desk.sender.submit(desk.now_us, ranked(1), desk.now_us + refused_us)
    assert desk.sender.pending == 0
    desk.sender.submit(desk.now_us, ranked(1), desk.now_us + ROUND_TRIP_US + SERVICE_US)
    desk.at(desk.now_us)
    assert ranks(desk.pictures()) == [0]


@pytest.mark.parametrize("wrong", [[], [1], [0, 2], [1, 0], [0, 0]])
def test_packets_that_are_not_ranks_from_0_on_are_refused(desk: SenderDesk, wrong: list[int]) -> None:
    packets = [RankedPacket(rank, 0, b"x") for rank in wrong]
    with pytest.raises(ValueError, match="ranks"):
        desk.sender.submit(desk.now_us, packets, desk.now_us + 500_000)
    assert desk.sender.pending == 0


def test_a_deadline_beyond_the_header_and_too_many_images_are_refused(desk: SenderDesk) -> None:
    with pytest.raises(ValueError, match="65535 ms"):
        desk.sender.submit(desk.now_us, ranked(1), desk.now_us + MAX_DEADLINE_MS * 1000 + 1)
    numbers = {desk.sender.submit(desk.now_us, ranked(1), desk.now_us + 500_000) for _ in range(MAX_PENDING)}
    assert len(numbers) == MAX_PENDING
    with pytest.raises(ValueError, match=f"{MAX_PENDING} images"):
        desk.sender.submit(desk.now_us, ranked(1), desk.now_us + 500_000)
