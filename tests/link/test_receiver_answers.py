"""When the receiver asks for answers, provisional and final, and what it sends of them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host.link.answer_times import PROVISIONAL
from host.link.events import Event, ImageCollected
from host.link.image_number import CLOCK_MODULO_US
from host.link.receiver import UNKNOWN_INTERVAL_US, Receiver
from host.wire import MAX_PACKET, Flush, Hop, Link, LinkState, Ping, Pong, Result, ResultStatus
from tests.link.desk import PROGRAM, SERVICE_US, ReceiverDesk


@pytest.fixture
def desk() -> ReceiverDesk:
    return ReceiverDesk()


def collections(events: list[Event]) -> list[ImageCollected]:
    return [event for event in events if isinstance(event, ImageCollected)]


def finals(events: list[Event]) -> list[ImageCollected]:
    return [event for event in collections(events) if event.final]


def only(events: list[Event]) -> ImageCollected:
    (collected,) = collections(events)
    return collected


def collect(desk: ReceiverDesk) -> ImageCollected:
    """Return an image of three packets, of camera 2, at its final moment."""
    desk.arrive(0, 7, 3, source=2, remaining_ms=100)
    collected = collections(desk.wait(100_000))[-1]
    assert collected.final
    desk.heard()
    return collected


def answer(desk: ReceiverDesk, collected: ImageCollected, **fields: object) -> Result:
    """Answer an image and return the result that the board received."""
    usual: dict[str, object] = {"classes": [], "service_us": SERVICE_US, "used": list(collected.arrived_us)}
    desk.heard()
    desk.receiver.answer(desk.now_us, collected, **(usual | fields))  # type: ignore[arg-type]
    desk.at(desk.now_us)
    (result,) = desk.heard(Result)
    assert isinstance(result, Result)
    return result


# Provisional moments


def test_there_is_an_answer_as_soon_as_the_first_packet_is_there(desk: ReceiverDesk) -> None:
    early = only(desk.arrive(4, remaining_ms=500))
    assert (early.final, early.whole, [packet.rank for packet in early.packets]) == (False, False, [4])
    assert early.deadline_us == desk.now_us + 500_000
    assert collections(desk.arrive(5, remaining_ms=500)) == []


def moments(desk: ReceiverDesk, duration_us: int, step_us: int) -> list[tuple[int, bool, int]]:
    """Let a new packet arrive at each step; return time, finality and packets of each report."""
    number = desk.due(duration_us // 1000)
    found: list[tuple[int, bool, int]] = []

    def note(events: list[Event]) -> None:
        found.extend((desk.now_us, event.final, len(event.packets)) for event in collections(events))

    assert duration_us // step_us < 255
    for rank in range(duration_us // step_us):
        note(desk.arrive(rank, image=number, last=255))
        desk.credit()
        end_us = desk.now_us + step_us
        while (wake_us := desk.machine.wake_at()) is not None and wake_us < end_us:
            note(desk.at(wake_us))
        note(desk.at(end_us))
    return found


@pytest.mark.parametrize("interval_us", [None, 15_000])
def test_provisional_answers_begin_some_intervals_before_the_final_one(
    desk: ReceiverDesk, interval_us: int | None
) -> None:
    if interval_us:
        desk.say(Link(state=LinkState.UP, interval_us=interval_us))
    apart_us = interval_us or UNKNOWN_INTERVAL_US
    due_us = desk.now_us + 120_000 + 24 * apart_us
    first, *later = moments(desk, due_us - desk.now_us, apart_us // 5)
    assert first[1:] == (False, 1)
    assert [was_final for _, was_final, _ in later] == [False] * len(PROVISIONAL) + [True]
    final_us = due_us - SERVICE_US
    leads = [(final_us - at_us) / apart_us for at_us, _, _ in later]
    assert leads[-3:] == [2, 1, 0]
    phases = [lead - least for lead, least in zip(leads[-4::-1], PROVISIONAL[2:], strict=True)]
    assert all(0 <= phase <= 1 for phase in phases)
    counts = [count for _, _, count in later]
    assert counts == sorted(set(counts))


def test_the_phases_of_the_earlier_provisional_answers_differ_from_image_to_image(desk: ReceiverDesk) -> None:
    phases = set()
    for _ in range(8):
        due_us = desk.now_us + 300_000
        at_us, _, _ = moments(desk, 300_000, 1_500)[1]
        phases.add((due_us - at_us) % UNKNOWN_INTERVAL_US // 500)
    assert len(phases) >= 6


def test_without_new_packets_there_is_no_new_provisional_answer(desk: ReceiverDesk) -> None:
    desk.arrive(0, 1, remaining_ms=400)  # the first report rests on rank 0, the next one on both
    reports = collections(desk.wait(200_000)) + (desk.credit() and []) + collections(desk.wait(200_000))
    assert [(len(event.packets), event.final) for event in reports] == [(2, False), (2, True)]


@pytest.mark.parametrize("end", ["answer", "skip"])
def test_a_server_with_one_worker_is_asked_only_while_it_is_idle(end: str) -> None:
    desk = ReceiverDesk(Receiver(nonce=8, service_us=SERVICE_US, workers=1))
    number = desk.due(300)  # provisional answers would begin about 230, 140, 72 and 36 ms before the final one
    assert collections(desk.arrive(0, image=number)) == []  # on a good link it would be whole soon
    (first,) = collections(desk.wait(170_000))
    assert not first.final
    desk.arrive(1, image=number)
    assert collections(desk.wait(30_000)) == []  # the worker is busy with the first one
    if end == "answer":
        answer(desk, first)
    else:
        desk.receiver.skip(first)
    (second,) = collections(desk.wait(36_000))
    assert (second.final, len(second.packets)) == (False, 2)


@pytest.mark.parametrize("needed", [True, False])
def test_a_worker_that_a_final_answer_needs_soon_is_not_given_a_provisional_one(needed: bool) -> None:
    desk = ReceiverDesk(Receiver(nonce=8, service_us=SERVICE_US, workers=1))
    if needed:
        desk.arrive(0, image=desk.due(330))
    number = desk.due(356)
    desk.arrive(0, image=number)
    for event in collections(desk.wait(280_000)):
        answer(desk, event)
    reports = collections(desk.arrive(1, image=number))  # the other image's final answer begins before 300
    reports += collections(desk.wait(14_000))
    assert [(event.image, event.final) for event in reports] == ([] if needed else [(number, False)])


def busy(desk: ReceiverDesk, *due_ms: int, source: int = 0) -> list[int]:
    """Open images that are due at these times; return their numbers."""
    numbers = [desk.due(each) for each in due_ms]
    for number in numbers:
        desk.arrive(0, image=number, source=source)
    return numbers


def test_final_answers_are_asked_for_whether_a_worker_is_idle_or_not() -> None:
    desk = ReceiverDesk(Receiver(nonce=8, service_us=SERVICE_US, workers=1))
    due = busy(desk, 100, 110)
    asked = collections(desk.wait(100_000))
    assert [event.image for event in asked if event.final] == due


def test_workers_that_are_needed_at_the_same_time_begin_early() -> None:
    desk = ReceiverDesk(Receiver(nonce=8, service_us=SERVICE_US, workers=1))
    busy(desk, 110, 100)
    begun = []
    while desk.receiver._open:
        wake_us = desk.machine.wake_at()
        assert wake_us is not None
        begun += [(desk.now_us, event.deadline_us) for event in collections(desk.at(wake_us)) if event.final]
    (first_us, first_due_us), (second_us, second_due_us) = begun
    assert first_due_us < second_due_us == second_us + SERVICE_US
    assert first_us == second_us - SERVICE_US


@pytest.mark.parametrize("workers", [None, 1])
def test_a_server_that_seems_slow_still_waits_for_a_share_of_the_time(workers: int | None) -> None:
    desk = ReceiverDesk(Receiver(nonce=8, service_us=9_000_000, workers=workers))
    begun_us = desk.now_us
    number = desk.due(400)
    desk.arrive(0, image=number)
    desk.credit()
    assert finals(desk.wait(39_000)) == []
    desk.arrive(1, image=number)
    (closed,) = finals(desk.wait(2_000))
    assert (len(closed.packets), closed.deadline_us) == (2, begun_us + 400_000)


@settings(deadline=None, max_examples=50)
@given(
    workers=st.none() | st.integers(1, 4),
    pictures=st.lists(st.tuples(st.integers(0, 30), st.integers(40, 300), st.integers(0, 8)), min_size=1, max_size=20),
)
def test_a_final_report_comes_once_and_nothing_after_it(
    workers: int | None, pictures: list[tuple[int, int, int]]
) -> None:
    desk = ReceiverDesk(Receiver(nonce=8, service_us=SERVICE_US, workers=workers))
    for pause_ms, due_ms, last in pictures:
        desk.wait(pause_ms * 1000)
        desk.arrive(*range(0, 8, 2), image=desk.due(due_ms), last=last)
        desk.credit()
    for _ in range(4):
        desk.wait(100_000)
        desk.credit()
    by_image: dict[int, list[ImageCollected]] = {}
    for event in collections(desk.events):
        by_image.setdefault(event.image, []).append(event)
    for reports in by_image.values():
        assert [event.final for event in reports] == [False] * (len(reports) - 1) + [True]
        counts = [len(event.packets) for event in reports]
        assert counts == sorted(counts)
        assert len({event.deadline_us for event in reports}) == 1


# Enough


def test_finish_closes_an_image_and_its_answer_is_final(desk: ReceiverDesk) -> None:
    number = desk.due(500)
    early = only(desk.arrive(0, image=number))
    desk.arrive(1, image=number)
    desk.heard()
    done = desk.receiver.finish(desk.now_us, early)
    assert (done.final, done.packets, done.image) == (True, early.packets, number)
    desk.at(desk.now_us)
    assert desk.heard(Flush) == [Flush(image=number)]
    assert answer(desk, done).more == 0
    assert desk.arrive(2, image=number) == []
    assert desk.receiver.late == 1
    assert collections(desk.wait(400_000)) == []


def test_finish_of_an_image_that_was_closed_meanwhile_changes_nothing_else(desk: ReceiverDesk) -> None:
    number = desk.due(100)
    early = only(desk.arrive(0, image=number, last=1))
    assert only(desk.arrive(1, image=number, last=1)).final
    desk.heard()
    assert desk.receiver.finish(desk.now_us, early).final
    desk.at(desk.now_us)
    assert desk.heard() == []


# Results


def test_a_result_says_whether_another_answer_may_follow_and_what_the_clock_reads(desk: ReceiverDesk) -> None:
    number = desk.due(300)
    early = only(desk.arrive(0, image=number, source=4, program=3, last=1))
    result = answer(desk, early)
    assert (result.more, result.clock_us, result.program, result.peer) == (1, desk.now_us, 3, 4)
    desk.now_us += 70_000_000  # the clock in the packet has wrapped
    desk.machine.start(desk.now_us)
    desk.open()
    late = only(desk.arrive(1, image=number, source=4, program=3, last=1))
    result = answer(desk, late)
    assert (result.more, result.clock_us) == (0, desk.now_us - CLOCK_MODULO_US)


def test_an_answer_says_which_ranks_were_used_and_how_early_the_last_of_them_came(desk: ReceiverDesk) -> None:
    number = desk.due(100)
    desk.arrive(0, 7, source=2, image=number, last=255)
    desk.wait(60_000)
    desk.arrive(255, source=2, image=number, last=255, remaining_ms=40)
    collected = collections(desk.wait(40_000))[-1]
    first = answer(desk, collected, classes=[(3, "hen", 0.5)], service_us=1234, used=[0, 7])
    second = answer(desk, collected, service_us=0, used=[255])
    assert (first.peer, first.image, first.status, first.service_us) == (2, number, ResultStatus.OK, 1234)
    assert first.program == PROGRAM
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
    assert len(result.text) >= MAX_PACKET - Result.LAYOUT.size - 1


def test_a_margin_beyond_the_field_is_clipped(desk: ReceiverDesk) -> None:
    collected = only(desk.arrive(0, last=0, remaining_ms=65_535))
    assert answer(desk, collected, used=[0]).margin_ms == 32_767


def test_a_ping_is_answered_at_once_with_the_expected_service_time_and_the_clock(desk: ReceiverDesk) -> None:
    desk.say(Ping(hop=Hop.PEER_HOST, token=77, origin_us=123_456, peer=3))
    expected = Pong(hop=Hop.PEER_HOST, token=77, origin_us=123_456, service_us=SERVICE_US, clock_us=desk.now_us, peer=3)
    assert desk.heard() == [expected]


def test_answers_and_pongs_named_missing_are_sent_again(desk: ReceiverDesk) -> None:
    collected = collect(desk)
    desk.credit()
    desk.heard()
    desk.lose = lambda packet: isinstance(packet, Result | Pong)
    desk.receiver.answer(desk.now_us, collected, [(1, "cat", 1.0)], service_us=5, used=[0])
    desk.say(Ping(hop=Hop.PEER_HOST, token=4, peer=1))
    desk.lose = lambda _: False
    assert desk.heard((Result, Pong)) == []
    desk.wait(70_000)  # the probe after them shows the gap
    desk.heard()
    desk.credit()
    again = desk.heard((Result, Pong))
    assert [type(packet) for packet in again] == [Result, Pong]
    assert again[0].image == collected.image
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
