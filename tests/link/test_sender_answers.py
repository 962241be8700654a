"""Answers to the sender, and the end of its wait for one."""

from __future__ import annotations

import pytest

from host.link.answers import pack_classes
from host.link.events import Answer, Unanswered
from host.wire import ResultStatus
from tests.link.desk import PROGRAM, ROUND_TRIP_US, SERVICE_US, SenderDesk

CLASSES = [(1, "goldfish", 0.75), (999, "Klöße", 0.125)]


@pytest.fixture
def desk() -> SenderDesk:
    made = SenderDesk()
    made.ready()
    return made


def test_an_answer_carries_classes_ranks_margin_and_times(desk: SenderDesk) -> None:
    number = desk.submit(4, 500_000)
    desk.credit()
    desk.wait(100_000)
    (answer,) = desk.result(number, (0, 3), CLASSES, margin_ms=22, service_us=25_000)
    assert isinstance(answer, Answer)
    assert answer.ranks == {0, 3}
    # the last of them came 22 ms before the answer had to leave, so 8 ms after the server should have begun
    assert (answer.margin_us, answer.service_us, answer.answered_us) == (22_000 - SERVICE_US, 25_000, desk.now_us)
    assert (answer.late, answer.status, answer.text, answer.sent, answer.resent) == (False, ResultStatus.OK, "", 4, 0)
    assert answer.final
    assert [(index, label) for index, label, _ in answer.classes] == [(1, "goldfish"), (999, "Klöße")]
    assert [share for *_, share in answer.classes] == pytest.approx([0.75, 0.125], abs=1 / 65535)


def test_ranks_that_the_picture_does_not_have_are_dropped(desk: SenderDesk) -> None:
    (answer,) = desk.result(desk.submit(4, 500_000), (0, 3, 4, 255))
    assert isinstance(answer, Answer)
    assert answer.ranks == {0, 3}


def test_an_answer_after_the_deadline_is_reported_as_late(desk: SenderDesk) -> None:
    number = desk.submit(2, 200_000)
    desk.credit()
    desk.wait(200_001)
    desk.credit()
    (answer,) = desk.result(number)
    assert isinstance(answer, Answer)
    assert answer.late
    assert answer.final


def test_an_answer_is_reported_once(desk: SenderDesk) -> None:
    number = desk.submit(2, 200_000)
    assert len(desk.result(number)) == 1
    assert desk.result(number) == []


@pytest.mark.parametrize("more", [0, 1])
def test_results_for_unknown_images_and_of_other_programs_are_ignored(desk: SenderDesk, more: int) -> None:
    number = desk.submit(2, 200_000)
    server = desk.sender.server
    before = server.service_us, server.way_back_us
    for other in (number + 1, number - 1, number ^ 256, number ^ 0x8000):
        assert desk.result(other, more=more, way_us=500_000, service_us=9_000_000) == []
    for program in {0, 1, 2, 3} - {PROGRAM}:
        assert desk.result(number, more=more, program=program, way_us=500_000, service_us=9_000_000) == []
    assert desk.sender.pending == 1
    assert (server.service_us, server.way_back_us) == before == (SERVICE_US, ROUND_TRIP_US / 2)
    (answer,) = desk.result(number)
    assert isinstance(answer, Answer)


@pytest.mark.parametrize("status", [ResultStatus.NOTHING, ResultStatus.FAILED])
def test_an_answer_without_classes_gives_the_servers_words(desk: SenderDesk, status: ResultStatus) -> None:
    number = desk.submit(2, 200_000)
    (answer,) = desk.result(number, status=status, text=b"all d\xc3\xbcst\xff")
    assert (answer.status, answer.text, answer.classes) == (status, "all düst\ufffd", ())


def test_an_unknown_status_counts_as_failed(desk: SenderDesk) -> None:
    number = desk.submit(2, 200_000)
    (answer,) = desk.result(number, status=200, text=b"new words")
    assert (answer.status, answer.text) == (ResultStatus.FAILED, "new words")


@pytest.mark.parametrize("cut", range(1, len(pack_classes(CLASSES[:1]))))
def test_classes_that_are_cut_short_count_as_failed(desk: SenderDesk, cut: int) -> None:
    number = desk.submit(2, 200_000)
    (answer,) = desk.result(number, text=pack_classes(CLASSES[:1])[:cut])
    assert answer.status is ResultStatus.FAILED
    assert "cut short" in answer.text
    assert answer.classes == ()


def test_without_an_answer_an_image_ends_as_unanswered_at_the_deadline_and_the_grace(desk: SenderDesk) -> None:
    number = desk.submit(3, 300_000)
    end_us = desk.now_us + 300_000 + desk.sender.policy.grace_us
    ended: list[tuple[int, Unanswered]] = []
    while desk.now_us < end_us + 100_000:
        wake_us = desk.machine.wake_at()
        assert wake_us is not None
        ended += [(desk.now_us, event) for event in desk.at(wake_us) if isinstance(event, Unanswered)]
        desk.credit(free=0)
    assert ended == [(end_us, Unanswered(number, 3, 0))]
    assert desk.result(number) == []
    assert desk.sender.pending == 0


def test_the_time_the_server_takes_is_learnt_and_left_free_before_the_deadline(desk: SenderDesk) -> None:
    def sends_by_us() -> int:
        desk.submit(1, 500_000)
        *_, image = desk.sender._images.values()
        return image.send_by_us - desk.now_us

    before_us = sends_by_us()
    for _ in range(20):
        number = desk.submit(1, 500_000)
        desk.credit()
        desk.result(number, service_us=90_000)
    assert sends_by_us() < before_us - 50_000
