"""When the receiver asks for an answer, to the microsecond, and what its workers have time for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from host.link.events import Event, ImageCollected, Notice
from host.link.receiver import MOST_REMEMBERED, REMEMBER_US, Receiver
from host.wire import Configure, Hello, Hop, Link, LinkState, Log, Picture, Ping, Pong, Result, ResultStatus, Role
from tests.link.desk import SERVICE_US, ReceiverDesk

MS = 1_000
#: A deadline so far away that none of its moments comes in a test.
LONG_MS = 20_000


def reports(events: list[Event]) -> list[tuple[int, bool, int]]:
    """Return number, finality and packets of each report."""
    return [(each.image, each.final, len(each.packets)) for each in events if isinstance(each, ImageCollected)]


class Unopened(ReceiverDesk):
    """A desk whose board has said nothing yet; ``first`` is what the receiver said."""

    def open(self) -> None:
        self.first = self.heard()


def with_workers(workers: int | None, service_us: int = SERVICE_US) -> ReceiverDesk:
    return ReceiverDesk(Receiver(nonce=8, service_us=service_us, workers=workers))


def test_its_hello_names_it_and_a_board_without_a_role_is_made_an_edge_board() -> None:
    desk = Unopened(Receiver(nonce=0x5678))
    (hello,) = desk.first
    assert isinstance(hello, Hello)
    assert (hello.session, hello.name) == (0x5678, b"recv")
    desk.hello(role=Role.NONE)
    assert desk.heard(Configure) == [Configure(role=Role.EDGE, tx_power_dbm=127)]


def test_a_receiver_may_configure_its_board() -> None:
    wanted = Configure(role=Role.EDGE, tx_power_dbm=4, interval_us=15_000)
    desk = Unopened(Receiver(nonce=1, configure=wanted))
    desk.hello()
    assert desk.heard(Configure) == [wanted]


# Several images


def test_images_that_are_due_together_are_reported_by_their_deadline() -> None:
    desk = ReceiverDesk()
    desk.now_us = 65_380 * MS
    later, sooner = desk.due(200), desk.due(150)
    assert (later, sooner) == (44, 65_530)
    desk.arrive(0, image=later)
    desk.arrive(0, image=sooner)
    found = [image for image, final, _ in reports(desk.at(desk.now_us + 200 * MS)) if final]
    assert found == [sooner, later]


def test_the_receiver_wakes_for_the_image_that_is_due_first() -> None:
    desk = with_workers(1)
    begun_us = desk.now_us
    desk.arrive(0, image=desk.due(80))
    desk.arrive(0, image=desk.due(5_000))
    wake_us = desk.machine.wake_at()
    assert wake_us is not None
    assert wake_us <= begun_us + 50 * MS


@pytest.mark.parametrize(("age_us", "late"), [(REMEMBER_US - 1, 1), (REMEMBER_US, 0)])
def test_a_closed_image_is_remembered_for_ten_seconds(age_us: int, late: int) -> None:
    desk = ReceiverDesk()
    numbers = [(source, desk.due()) for source in (1, 2)]
    for source, number in numbers:
        desk.arrive(0, image=number, last=0, source=source)
    desk.at(desk.now_us + age_us)
    for source, number in numbers:
        desk.arrive(0, image=number, last=0, source=source)
    assert desk.receiver.late == 2 * late


def test_an_image_that_was_answered_is_forgotten_too() -> None:
    desk = ReceiverDesk()
    image = desk.due()
    (event,) = desk.arrive(0, image=image, last=0)
    assert isinstance(event, ImageCollected)
    desk.receiver.skip(event)
    desk.at(desk.now_us + REMEMBER_US)
    assert len(reports(desk.arrive(0, image=image, last=0))) == 1


def test_an_image_that_was_closed_later_is_remembered_longer() -> None:
    desk = ReceiverDesk()
    first = desk.due()
    desk.arrive(0, image=first, last=0)
    desk.at(desk.now_us + REMEMBER_US // 2)
    second = desk.due()
    desk.arrive(0, image=second, last=0)
    desk.at(desk.now_us + REMEMBER_US // 2)
    desk.arrive(0, image=second, last=0)
    assert desk.receiver.late == 1
    desk.arrive(0, image=first, last=0)
    assert desk.receiver.late == 1


def test_as_many_images_are_remembered_as_a_camera_can_send() -> None:
    desk = ReceiverDesk()
    for image in range(MOST_REMEMBERED + 1):
        desk.arrive(0, image=image, last=0)
    desk.at(desk.now_us)
    desk.arrive(0, image=0, last=0)
    assert desk.receiver.late == 0
    desk.arrive(0, image=1, last=0)
    assert desk.receiver.late == 1


# Workers


@pytest.mark.parametrize(("after_us", "asked"), [(2 * SERVICE_US - 1, 0), (2 * SERVICE_US, 1)])
def test_a_picture_with_a_long_deadline_gets_an_early_answer_after_two_service_times(after_us: int, asked: int) -> None:
    desk = with_workers(1)
    image = desk.due(LONG_MS)
    assert desk.arrive(0, image=image, remaining_ms=LONG_MS) == []
    desk.now_us += after_us
    assert len(reports(desk.arrive(1, image=image))) == asked


@pytest.mark.parametrize(("packets", "asked"), [(15, 0), (16, 1)])
def test_the_next_early_answer_needs_more_than_half_as_many_packets_again(packets: int, asked: int) -> None:
    desk = with_workers(1)
    image = desk.due(LONG_MS)
    desk.arrive(*range(9), image=image, last=99, remaining_ms=LONG_MS)
    desk.now_us += 2 * SERVICE_US
    ((_, final, count),) = reports(desk.arrive(9, image=image, last=99))
    assert (final, count) == (False, 10)
    for event in desk.events:
        if isinstance(event, ImageCollected):
            desk.receiver.skip(event)
    desk.now_us += 2 * SERVICE_US
    assert len(reports(desk.arrive(*range(10, packets), image=image, last=99))) == asked


def test_a_server_with_few_workers_gives_no_answer_before_one_can_be_made() -> None:
    desk = with_workers(2)
    image = desk.due(100)
    desk.arrive(0, image=image)
    begun_us = desk.now_us
    asked = []
    while desk.receiver._open:
        wake_us = desk.machine.wake_at()
        assert wake_us is not None
        asked += [desk.now_us - begun_us for _ in reports(desk.at(wake_us))]
    assert asked
    assert asked[0] > SERVICE_US


def test_as_many_provisional_answers_are_asked_for_at_a_time_as_there_are_workers() -> None:
    desk = with_workers(2)
    images = [desk.due(LONG_MS + each) for each in range(3)]
    for image in images:
        desk.arrive(0, image=image, remaining_ms=LONG_MS)
    desk.now_us += 2 * SERVICE_US
    asked = [reports(desk.arrive(1, image=image)) for image in images]
    assert [len(each) for each in asked] == [1, 1, 0]
    (first, *_) = [event for event in desk.events if isinstance(event, ImageCollected)]
    desk.receiver.answer(desk.now_us, first, [(1, "x", 0.5)], service_us=1, used=[0])
    assert len(reports(desk.arrive(2, image=images[2]))) == 1
    assert reports(desk.arrive(3, image=images[0])) == []


def test_a_refusal_frees_its_worker_too() -> None:
    desk = with_workers(1)
    images = [desk.due(LONG_MS + each) for each in range(2)]
    for image in images:
        desk.arrive(0, image=image, remaining_ms=LONG_MS)
    desk.now_us += 2 * SERVICE_US
    ((_, _, _),) = reports(desk.arrive(1, image=images[0]))
    assert reports(desk.arrive(1, image=images[1])) == []
    (event,) = [event for event in desk.events if isinstance(event, ImageCollected)]
    desk.receiver.refuse(desk.now_us, event, ResultStatus.FAILED)
    assert len(reports(desk.arrive(2, image=images[1]))) == 1


def test_an_image_that_is_asked_for_twice_keeps_its_workers_until_both_are_answered() -> None:
    desk = with_workers(1)
    first, second = desk.due(LONG_MS), desk.due(LONG_MS + 1)
    desk.arrive(0, image=first, last=2, remaining_ms=LONG_MS)
    desk.now_us += 2 * SERVICE_US
    desk.arrive(1, image=first, last=2)
    desk.arrive(2, image=first, last=2)  # it is whole: a provisional and a final answer are asked for
    events = [event for event in desk.events if isinstance(event, ImageCollected)]
    assert [event.final for event in events] == [False, True]
    desk.arrive(0, image=second, remaining_ms=LONG_MS)
    desk.now_us += 2 * SERVICE_US
    for rank, event in enumerate(events, 1):
        assert reports(desk.arrive(rank, image=second)) == []
        desk.receiver.skip(event)
    assert len(reports(desk.arrive(9, image=second, last=99))) == 1


def test_the_share_of_the_time_that_is_left_for_sending_is_a_tenth() -> None:
    desk = with_workers(None, service_us=9_000_000)
    begun_us = desk.now_us
    desk.arrive(0, image=desk.due(1_000))
    assert desk.receiver.wake_at() == begun_us + 8 * MS  # a ping first, of the session
    assert desk.receiver._open[0, desk.due(1_000), 2].next_us == begun_us + 100 * MS


def test_the_interval_of_each_camera_is_its_own() -> None:
    desk = ReceiverDesk()
    desk.say(Link(state=LinkState.UP, peer=2, interval_us=100 * MS))
    desk.say(Link(state=LinkState.UP, peer=3, interval_us=0))
    due_us = desk.now_us + 1_000 * MS - SERVICE_US
    seen = {}
    for source in (1, 2, 3):
        image = desk.due(1_000)
        desk.arrive(0, image=image, source=source)
        seen[source] = [due_us - at_us for at_us in desk.receiver._open[source, image, 2].early_us][:2]
    assert seen == {1: [7_500, 15_000], 2: [100 * MS, 200 * MS], 3: [7_500, 15_000]}


@pytest.mark.parametrize(("workers", "lead_us"), [(None, 7_500), (1, 36_000), (2, 18_000)])
def test_few_workers_begin_their_provisional_answers_a_service_time_and_more_apart(
    workers: int | None, lead_us: int
) -> None:
    desk = with_workers(workers)
    image = desk.due(1_000)
    desk.arrive(0, image=image, remaining_ms=1_000)
    collection = desk.receiver._open[0, image, 2]
    assert collection.final_us - collection.early_us[0] == lead_us


def test_an_answer_that_rests_on_nothing_has_no_margin() -> None:
    desk = ReceiverDesk()
    (event,) = desk.arrive(0, last=0)
    assert isinstance(event, ImageCollected)
    desk.receiver.answer(desk.now_us, event, [(1, "x", 0.5)], service_us=1, used=[])
    desk.at(desk.now_us)
    (result,) = desk.heard(Result)
    assert (result.margin_ms, result.ranks) == (0, bytes(32))
    assert desk.receiver.session.channel.border.counts == {}


def test_a_refusal_rests_on_all_that_arrived_and_took_no_time() -> None:
    desk = ReceiverDesk()
    (event,) = desk.arrive(0, last=0, remaining_ms=100)
    assert isinstance(event, ImageCollected)
    desk.receiver.refuse(desk.now_us, event, ResultStatus.NOTHING)
    desk.at(desk.now_us)
    (result,) = desk.heard(Result)
    assert (result.status, result.text, result.service_us) == (ResultStatus.NOTHING, b"", 0)
    assert (result.margin_ms, result.ranks) == (100, b"\x01" + bytes(31))


def test_a_margin_below_the_field_is_clipped() -> None:
    desk = ReceiverDesk()
    (event,) = desk.arrive(0, last=0)
    assert isinstance(event, ImageCollected)
    late = replace(event, arrived_us={0: event.deadline_us + 40_000 * MS})
    desk.receiver.answer(desk.now_us, late, [(1, "x", 0.5)], service_us=1, used=[0])
    desk.at(desk.now_us)
    (result,) = desk.heard(Result)
    assert result.margin_ms == -32_768


def test_one_camera_has_64_images_open_at_most() -> None:
    desk = with_workers(1)
    for at in range(64):
        assert reports(desk.arrive(0, image=desk.due(4_000 + at), remaining_ms=4_000)) == []
    assert reports(desk.arrive(0, image=desk.due(3_999), remaining_ms=4_000, source=1)) == []
    ((image, final, _),) = reports(desk.arrive(0, image=desk.due(4_999), remaining_ms=4_000))
    assert (image, final) == (desk.due(4_000), True)


def test_what_a_camera_sent_long_ago_is_forgotten_though_another_one_sent_lately() -> None:
    desk = ReceiverDesk()
    old = desk.due()
    for source in (1, 2):
        desk.arrive(0, image=old, last=0, source=source)
    desk.at(desk.now_us + REMEMBER_US // 2)
    desk.arrive(0, image=desk.due(), last=0, source=1)
    desk.at(desk.now_us + REMEMBER_US // 2)
    for source in (1, 2):
        desk.arrive(0, image=old, last=0, source=source)
    assert desk.receiver.late == 0


def test_an_image_that_is_due_now_is_closed_and_not_asked_for_before() -> None:
    desk = ReceiverDesk(Receiver(nonce=8))
    assert reports(desk.arrive(0, image=desk.due(0), remaining_ms=0)) == []
    assert [final for _, final, _ in reports(desk.at(desk.now_us))] == [True]


def test_a_provisional_answer_that_would_begin_now_is_that_of_the_first_packet() -> None:
    desk = ReceiverDesk()
    image = desk.due(45)  # the second last provisional answer would begin 30 + 15 ms before
    assert len(reports(desk.arrive(0, image=image, remaining_ms=45))) == 1
    desk.arrive(1, image=image)
    assert reports(desk.at(desk.now_us + 7_500)) == [(image, False, 2)]  # the last one, 30 + 7.5 ms before


def test_a_worker_is_free_for_an_answer_that_ends_when_a_final_one_begins() -> None:
    for early_us, asked in ((0, 1), (-1, 0)):
        desk = with_workers(1)
        far = desk.due(LONG_MS)
        desk.arrive(0, image=desk.due(1_000), remaining_ms=1_000)
        desk.now_us += 1_000 * MS - 2 * SERVICE_US - early_us
        assert len(reports(desk.arrive(0, image=far, remaining_ms=LONG_MS))) == 0  # it has just been opened
        desk.receiver._open[0, far, 2].reported_us -= 2 * SERVICE_US
        assert len(reports(desk.arrive(1, image=far))) == asked


def test_an_answer_that_is_given_twice_frees_no_second_worker() -> None:
    desk = with_workers(1)
    images = [desk.due(LONG_MS + each) for each in range(2)]
    for image in images:
        desk.arrive(0, image=image, remaining_ms=LONG_MS)
    desk.now_us += 2 * SERVICE_US
    desk.arrive(1, image=images[0])
    (event,) = [event for event in desk.events if isinstance(event, ImageCollected)]
    for _ in range(4):
        desk.receiver.skip(event)
    assert len(reports(desk.arrive(1, image=images[1]))) == 1
    assert reports(desk.arrive(2, image=images[0])) == []


def test_a_receiver_that_was_told_no_time_expects_none() -> None:
    desk = ReceiverDesk(Receiver(nonce=8))
    desk.say(Ping(hop=Hop.PEER_HOST, token=1))
    (pong,) = desk.heard(Pong)
    assert pong.service_us == 0


def test_of_too_many_images_the_one_that_is_due_first_is_closed_whatever_its_number() -> None:
    desk = with_workers(1)
    desk.now_us += 62_000 * MS
    first = desk.due(2_000)
    desk.arrive(0, image=first, remaining_ms=2_000)
    for at in range(63):
        desk.arrive(0, image=desk.due(4_000 + at), remaining_ms=4_000)
    assert first > desk.due(4_000)  # the numbers began anew
    ((image, _, _),) = reports(desk.arrive(0, image=desk.due(4_999), remaining_ms=4_000))
    assert image == first


def test_a_worker_that_never_answers_is_given_up_with_its_image() -> None:
    desk = with_workers(1)
    desk.arrive(0, last=0)  # whole, and reported
    image = desk.due(LONG_MS)
    desk.now_us += REMEMBER_US - 1
    desk.at(desk.now_us)
    desk.arrive(0, image=image, remaining_ms=LONG_MS)
    desk.receiver._open[0, image, 2].reported_us -= 2 * SERVICE_US
    assert reports(desk.arrive(1, image=image)) == []
    desk.at(desk.now_us + 1)
    assert len(reports(desk.arrive(2, image=image))) == 1


def test_all_events_of_what_comes_at_once_are_returned() -> None:
    desk = ReceiverDesk()
    pictures = [Picture(desk.due(), 0, 0, 100, b"x", last=True, source=source) for source in (1, 2)]
    events = desk.say(Log(level=3, text=b"a"), *pictures)
    assert [type(event) for event in events] == [Notice, ImageCollected, ImageCollected]
