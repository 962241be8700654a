"""Answers to the sender, and the end of its wait for one."""

from __future__ import annotations

import pytest

from host.link.answers import pack_classes
from host.link.events import Answer, Unanswered
from host.wire import Result, ResultStatus
from tests.link.desk import SenderDesk

CLASSES = [(1, "goldfish", 0.75), (999, "Klöße", 0.125)]


@pytest.fixture
def desk() -> SenderDesk:
    made = SenderDesk()
    made.ready()
    return made


def bitmap(*ranks: int) -> bytes:
    bits = bytearray(32)
    for rank in ranks:
        bits[rank // 8] |= 1 << rank % 8
    return bytes(bits)


def test_an_answer_carries_classes_ranks_margin_and_times(desk: SenderDesk) -> None:
    number = desk.submit(4, 500_000)
    desk.credit()
    desk.wait(100_000)
    result = Result(
        image=number, status=0, margin_ms=-3, service_us=25_000, ranks=bitmap(0, 3, 255), text=pack_classes(CLASSES)
    )
    (answer,) = desk.say(result)
    assert isinstance(answer, Answer)
    assert answer.ranks == {0, 3, 255}
    assert (answer.margin_us, answer.service_us, answer.answered_us) == (-3_000, 25_000, desk.now_us)
    assert (answer.late, answer.status, answer.text, answer.sent, answer.resent) == (False, ResultStatus.OK, "", 4, 0)
    assert [(index, label) for index, label, _ in answer.classes] == [(1, "goldfish"), (999, "Klöße")]
    assert [share for *_, share in answer.classes] == pytest.approx([0.75, 0.125], abs=1 / 65535)


def test_an_answer_after_the_deadline_is_reported_as_late(desk: SenderDesk) -> None:
    number = desk.submit(2, 200_000)
    desk.credit()
    desk.wait(200_001)
    desk.credit()
    (answer,) = desk.say(Result(image=number, status=ResultStatus.OK))
    assert answer.late


def test_an_answer_is_reported_once(desk: SenderDesk) -> None:
    number = desk.submit(2, 200_000)
    result = Result(image=number, status=ResultStatus.OK)
    assert len(desk.say(result, result)) == 1
    assert desk.say(Result(image=(number + 1) % 256)) == []


@pytest.mark.parametrize("status", [ResultStatus.NOTHING, ResultStatus.FAILED])
def test_an_answer_without_classes_gives_the_servers_words(desk: SenderDesk, status: ResultStatus) -> None:
    number = desk.submit(2, 200_000)
    (answer,) = desk.say(Result(image=number, status=status, text=b"all d\xc3\xbcst\xff"))
    assert (answer.status, answer.text, answer.classes) == (status, "all düst\ufffd", ())


def test_an_unknown_status_counts_as_failed(desk: SenderDesk) -> None:
    number = desk.submit(2, 200_000)
    (answer,) = desk.say(Result(image=number, status=200, text=b"new words"))
    assert (answer.status, answer.text) == (ResultStatus.FAILED, "new words")


@pytest.mark.parametrize("cut", range(1, len(pack_classes(CLASSES[:1]))))
def test_classes_that_are_cut_short_count_as_failed(desk: SenderDesk, cut: int) -> None:
    number = desk.submit(2, 200_000)
    (answer,) = desk.say(Result(image=number, status=ResultStatus.OK, text=pack_classes(CLASSES[:1])[:cut]))
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
    assert desk.say(Result(image=number, status=ResultStatus.OK)) == []
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
        desk.say(Result(image=number, status=ResultStatus.OK, service_us=90_000))
    assert sends_by_us() < before_us - 50_000
