"""What cannot be true is not used, is counted, and is reported at most once a second: each kind of it."""

from __future__ import annotations

import math

import pytest

from host.link.border import LONGEST_US, Border, Flaw
from host.link.events import Answer, Event, ImageCollected, Implausible, LinkChanged, Ready
from host.link.receiver import MOST_REMEMBERED
from host.link.sender import FIRST_PING_EVERY_US
from host.wire import Hello, Hop, Kind, Link, LinkState, Ping, Pong, Result, ResultStatus
from tests.link.desk import PROGRAM, ROUND_TRIP_US, SERVICE_US, ReceiverDesk, SenderDesk

HOUR_US = 3_600_000_000


@pytest.fixture
def desk() -> SenderDesk:
    desk = SenderDesk()
    desk.ready()
    return desk


def flaws(desk: SenderDesk | ReceiverDesk) -> dict[Flaw, int]:
    machine = desk.machine
    assert hasattr(machine, "session")
    return dict(machine.session.channel.border.counts)


def next_ping(desk: SenderDesk) -> Ping:
    while True:
        desk.credit()
        desk.wait(100_000)
        for ping in desk.heard(Ping):
            if ping.hop == Hop.PEER_HOST:
                return ping  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("fields", "flaw"),
    [
        ({"held_us": ROUND_TRIP_US + 100_001}, Flaw.PONG_HELD),
        ({"held_us": 0xFFFFFFFF}, Flaw.PONG_TIME),
        ({"service_us": HOUR_US}, Flaw.PONG_TIME),
        ({"clock_us": 65_536_000}, Flaw.PONG_TIME),
        ({"hop": 3}, Flaw.HOP),
        ({"peer": 16}, Flaw.CAMERA),
        ({"peer": 1}, Flaw.OTHER_CAMERA),
    ],
)
def test_a_pong_that_cannot_be_true_changes_no_estimate(desk: SenderDesk, fields: dict[str, int], flaw: Flaw) -> None:
    server = desk.sender.server

    def known() -> tuple[float, ...]:
        return server.service_us, server.least_one_way_us, server.least_us, server.way_back_us

    before = known()
    desk.pong(next_ping(desk), **fields)
    assert flaws(desk) == {flaw: 1}
    assert known() == before
    desk.pong(next_ping(desk))
    assert flaws(desk) == {flaw: 1}


@pytest.mark.parametrize("ahead_us", [5_000_000, 1, -5_000_000])
def test_a_pong_to_a_ping_that_was_never_sent_is_not_used(desk: SenderDesk, ahead_us: int) -> None:
    ping = next_ping(desk)
    desk.pong(ping, origin_us=(ping.origin_us + ahead_us) % (1 << 32))
    assert flaws(desk) == {Flaw.PONG_ORIGIN: 1}
    assert desk.sender.server.least_one_way_us == ROUND_TRIP_US / 2


def test_a_server_that_only_lies_makes_no_sender_ready() -> None:
    desk = SenderDesk()
    desk.open()
    desk.credit()
    ping = next_ping(desk)
    assert [event for event in desk.pong(ping, held_us=ROUND_TRIP_US + 100_001) if isinstance(event, Ready)] == []
    assert not desk.sender.ready


def test_a_pong_of_the_board_to_no_ping_is_not_used(desk: SenderDesk) -> None:
    before = desk.sender.session.serial_round_trip.mean_us
    desk.say(Pong(hop=Hop.BOARD, token=1 << 31, origin_us=0))
    desk.say(Pong(hop=Hop.BOARD, token=1, origin_us=(desk.now_us + 5_000_000) % (1 << 32)))
    assert desk.sender.session.serial_round_trip.mean_us == before
    assert flaws(desk) == {Flaw.PONG_ORIGIN: 2}


def test_ranks_that_were_never_sent_are_no_part_of_an_answer(desk: SenderDesk) -> None:
    number = desk.submit(3, 300_000)
    (answer,) = desk.result(number, [0, 2, 3, 20, 255])
    assert isinstance(answer, Answer)
    assert answer.ranks == {0, 2}
    assert flaws(desk) == {Flaw.RESULT_RANKS: 1}


def test_ranks_beyond_the_picture_make_no_answer_the_better_one(desk: SenderDesk) -> None:
    number = desk.submit(3, 300_000)
    desk.result(number, range(256), [(1, "lie", 0.5)], more=1)
    (answer,) = desk.result(number, range(3), [(2, "truth", 0.5)])
    assert isinstance(answer, Answer)
    assert answer.classes[0][1] == "truth"


def test_a_service_time_of_an_hour_is_neither_learnt_nor_shown(desk: SenderDesk) -> None:
    for _ in range(20):
        number = desk.submit(1, 300_000)
        desk.credit()
        desk.now_us += 40_000
        (answer,) = desk.result(number, service_us=HOUR_US)
        assert isinstance(answer, Answer)
        assert answer.service_us == 40_000
    assert desk.sender.server.service_us == SERVICE_US
    assert flaws(desk) == {Flaw.RESULT_SERVICE: 20}


@pytest.mark.parametrize("margin_ms", [-32_768, 32_767])
def test_a_packet_arrived_after_submit_and_before_now(desk: SenderDesk, margin_ms: int) -> None:
    number = desk.submit(1, 300_000)
    desk.now_us += 50_000
    (answer,) = desk.result(number, margin_ms=margin_ms)
    assert isinstance(answer, Answer)
    assert -1_000_000 < answer.margin_us < 1_300_000
    assert flaws(desk) == {Flaw.RESULT_MARGIN: 1}


def test_a_result_for_another_camera_answers_nothing(desk: SenderDesk) -> None:
    number = desk.submit(1, 300_000)
    assert desk.result(number, peer=3) == []
    assert flaws(desk) == {Flaw.OTHER_CAMERA: 1}
    (answer,) = desk.result(number)
    assert isinstance(answer, Answer)


@pytest.mark.parametrize("off_us", [-3_000_000, 100_000, 1_900_000, 3_000_000, 30_000_000])
def test_one_result_with_another_clock_misnumbers_no_picture_and_a_pong_decides(desk: SenderDesk, off_us: int) -> None:
    first, second = desk.submit(1, 300_000), desk.submit(1, 300_000)
    clock_us = (desk.clock_us(ROUND_TRIP_US // 2) + off_us) % 65_536_000
    desk.result(first, clock_us=clock_us)
    assert flaws(desk) == {Flaw.RESULT_CLOCK: 1}
    third = desk.submit(1, 300_000)
    assert (second - third) % 65_536 <= 2
    desk.heard()
    desk.credit(waiting=3)  # pictures are outstanding, and the server is asked all the same
    desk.wait(FIRST_PING_EVERY_US)
    (ping,) = [packet for packet in desk.heard(Ping) if packet.hop == Hop.PEER_HOST]
    desk.pong(ping, clock_us=(desk.clock_us() + off_us - ROUND_TRIP_US // 2) % 65_536_000)
    fourth = desk.sender.server.number_for(desk.now_us)
    honest = desk.clock_us() // 1000
    assert abs((fourth - honest - off_us // 1000 + 32_768) % 65_536 - 32_768) <= ROUND_TRIP_US // 1000 + 1


def test_a_result_that_was_long_on_its_way_is_no_other_clock(desk: SenderDesk) -> None:
    number = desk.submit(1, 5_000_000)
    desk.now_us += 4_000_000
    desk.result(number, way_us=3_000_000)
    assert flaws(desk) == {}


def test_a_malformed_text_of_classes_is_a_failed_answer(desk: SenderDesk) -> None:
    (answer,) = desk.result(desk.submit(1, 300_000), text=b"\1\0\1")
    assert isinstance(answer, Answer)
    assert answer.status is ResultStatus.FAILED
    assert flaws(desk) == {Flaw.MALFORMED: 1}


@pytest.mark.parametrize("interval_us", [1, 7_499, 4_000_001, 0xFFFFFFFF])
def test_a_connection_interval_that_does_not_exist_is_unknown(interval_us: int) -> None:
    for desk in (SenderDesk(), ReceiverDesk()):
        desk.open()
        (event,) = desk.say(Link(state=LinkState.UP, interval_us=interval_us))
        assert isinstance(event, LinkChanged)
        assert event.interval_us == 0
        assert flaws(desk) == {Flaw.INTERVAL: 1}


@pytest.mark.parametrize("fields", [{"state": 3}, {"state": 255}, {"phy": 6}, {"state": 9, "phy": 9}])
def test_a_connection_in_no_state_or_with_no_phy_is_counted(fields: dict[str, int]) -> None:
    for desk in (SenderDesk(), ReceiverDesk()):
        desk.open()
        (event,) = desk.say(Link(**({"state": LinkState.UP} | fields)))  # type: ignore[arg-type]
        assert isinstance(event, LinkChanged)
        assert flaws(desk) == {Flaw.LINK: 1}


def test_a_credit_of_a_connection_in_no_state_is_counted_and_sends_nothing(desk: SenderDesk) -> None:
    desk.credit(link=3)
    desk.submit(1, 300_000)
    assert desk.pictures() == []
    assert flaws(desk) == {Flaw.LINK: 1}
    desk.credit()
    assert len(desk.pictures()) == 1


@pytest.mark.parametrize("fields", [{"role": 3}, {"role": 255}, {"kind": 2}])
def test_a_hello_of_an_unknown_role_or_kind_opens_nothing(fields: dict[str, int]) -> None:
    desk = SenderDesk()
    assert desk.hello(**fields) == []
    assert flaws(desk) == {Flaw.HELLO: 1}
    desk.hello()
    assert desk.heard()[-1].hop == Hop.BOARD


def test_a_hello_keeps_24_bytes_of_its_name() -> None:
    desk = SenderDesk()
    (opened,) = desk.hello(name=b"x" * 200)
    assert opened.hello.name == b"x" * 24  # type: ignore[union-attr]


def test_of_a_hello_of_another_version_only_the_version_is_looked_at() -> None:
    desk = SenderDesk()
    desk.say(Hello(version=9, kind=Kind.BOARD, role=77))
    assert "version 9" in str(desk.events[-1])


def test_each_kind_is_reported_at_once_and_then_once_a_second_with_its_number(desk: SenderDesk) -> None:
    def reports(events: list[Event]) -> list[tuple[str, int]]:
        return [(event.text, event.times) for event in events if isinstance(event, Implausible)]

    def lie(times: int) -> None:
        for _ in range(times):
            desk.say(Ping(hop=9))

    lie(3)
    assert reports(desk.at(desk.now_us)) == [(Flaw.HOP, 3)]
    lie(100)
    desk.say(Result(peer=200))
    assert reports(desk.at(desk.now_us)) == [(Flaw.CAMERA, 1)]
    assert reports(desk.wait(999_999)) == []
    assert reports(desk.wait(1)) == [(Flaw.HOP, 100)]
    lie(1)
    assert flaws(desk) == {Flaw.HOP: 104, Flaw.CAMERA: 1}


def test_a_report_is_one_line() -> None:
    border = Border()
    border.count(Flaw.PONG_HELD)
    border.count(Flaw.LAST)
    border.count(Flaw.LAST)
    assert [str(report) for report in border.report(5)] == [
        "not used, since it cannot be true: a pong that was held for longer than its round trip took",
        "not used, since it cannot be true: a picture whose packets do not agree which one is the last (2 times)",
    ]


# The receiver


def collected(desk: ReceiverDesk) -> ImageCollected:
    (event,) = [each for each in desk.arrive(0, last=0) if isinstance(each, ImageCollected)]
    return event


def test_classes_that_no_result_can_carry_are_left_out_and_counted() -> None:
    desk = ReceiverDesk()
    classes = [(70_000, "far", 0.5), (1, "nan", math.nan), (-1, "below", 0.1), (2, "sound", 0.4), (3, "\ud800", 2.0)]
    desk.receiver.answer(desk.now_us, collected(desk), classes, service_us=1000, used=[0])
    desk.at(desk.now_us)
    (result,) = desk.heard(Result)
    assert result.status == ResultStatus.OK
    assert b"sound" in result.text
    assert len(result.text) == 5 + 5 + 5 + 1
    assert flaws(desk) == {Flaw.CLASSES: 1}


def test_with_no_sound_class_the_image_is_refused() -> None:
    desk = ReceiverDesk()
    desk.receiver.answer(desk.now_us, collected(desk), [(1, "x", math.inf)], service_us=1000, used=[0])
    desk.at(desk.now_us)
    (result,) = desk.heard(Result)
    assert (result.status, result.text) == (ResultStatus.FAILED, b"the server found classes that no result can carry")


@pytest.mark.parametrize("service_us", [HOUR_US, 1 << 40, -1])
def test_a_server_states_no_time_that_a_camera_would_not_believe(service_us: int) -> None:
    desk = ReceiverDesk()
    desk.receiver.answer(desk.now_us, collected(desk), [(1, "x", 0.5)], service_us=service_us, used=[0])
    desk.receiver.service_us = service_us
    desk.say(Ping(hop=Hop.PEER_HOST, token=1, origin_us=1))
    assert all(0 <= packet.service_us <= LONGEST_US for packet in desk.heard((Result, Pong)))


def test_packets_that_disagree_which_one_is_the_last_are_counted() -> None:
    desk = ReceiverDesk()
    number = desk.due()
    desk.arrive(7, image=number, last=9)
    desk.arrive(3, image=number, last=3)
    assert flaws(desk) == {Flaw.LAST: 1}
    desk.arrive(8, image=number, last=9)
    assert flaws(desk) == {Flaw.LAST: 2}


def test_a_camera_that_floods_makes_a_server_forget_nothing_of_another() -> None:
    desk = ReceiverDesk()
    kept = desk.due()
    desk.arrive(0, image=kept, last=0, source=1, program=PROGRAM)
    for image in range(3 * MOST_REMEMBERED):
        desk.arrive(0, image=image % 65_536, last=0, source=2)
        if image % 64 == 0:
            desk.at(desk.now_us)
    desk.at(desk.now_us)
    assert len(desk.receiver._closed_us[2]) == MOST_REMEMBERED
    desk.arrive(0, image=kept, last=0, source=1)
    assert desk.receiver.late == 1


@pytest.mark.parametrize("off_us", [-1_900_000, -300_000, 300_000, 1_900_000])
def test_a_pong_with_another_clock_is_replaced_by_the_next_honest_one(desk: SenderDesk, off_us: int) -> None:
    def number() -> int:
        return (desk.sender.server.number_for(desk.now_us) - desk.clock_us() // 1000 + 32_768) % 65_536 - 32_768

    before, margin_us = number(), desk.now_us - desk.sender.server.leaves_by_us(0, desk.now_us)
    desk.pong(next_ping(desk), clock_us=(desk.clock_us() + ROUND_TRIP_US // 2 + off_us) % 65_536_000)
    desk.pong(next_ping(desk))
    assert abs(number() - before) <= 1
    assert desk.now_us - desk.sender.server.leaves_by_us(0, desk.now_us) == pytest.approx(margin_us, abs=10_000)
