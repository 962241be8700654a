"""The bytes of an answer, and what the sender makes of one, to the last unit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from host.link.answer_of import answer_of
from host.link.answers import Class, cut_text, pack_classes, pack_ranks, sound_class, unpack_classes, unpack_ranks
from host.link.border import Border, Flaw
from host.link.events import Answer
from host.link.outgoing import OutgoingImage
from host.wire import MAX_PACKET, Result, ResultStatus
from tests.link.desk import ranked

MS = 1_000


def test_ranks_are_bits() -> None:
    assert pack_ranks([]) == bytes(32)
    assert pack_ranks([0, 1, 9, 255, 1]) == bytes([3, 2]) + bytes(29) + bytes([0x80])
    assert unpack_ranks(bytes([3, 2]) + bytes(29) + bytes([0x80])) == {0, 1, 9, 255}


@pytest.mark.parametrize(
    ("each", "can"),
    [
        ((0, "", 0.0), True),
        ((65_535, "", 1.0), True),
        ((-1, "", 0.5), False),
        ((65_536, "", 0.5), False),
        ((1, "", float("nan")), False),
        ((1, "", float("-inf")), False),
        ((1, None, 0.5), False),
        ((1, b"cat", 0.5), False),
        ((5.5, "", 0.5), False),
        (("1", "", 0.5), False),
        ((1, "", None), False),
        ((1, "", 10**400), False),
        ((1, "", 1j), False),
        ((1, ""), False),
        ((1, "", 0.5, 7), False),
        (None, False),
    ],
)
def test_a_class_fits_16_bits_and_has_a_label_and_a_finite_probability(each: Class, can: bool) -> None:
    assert (sound_class(each) is not None) == can


def test_numbers_of_other_kinds_are_taken_as_what_they_mean() -> None:
    found = sound_class((np.int64(3), "hen", np.float32(0.25)))
    assert found == (3, "hen", 0.25)
    assert [type(each) for each in found or ()] == [int, str, float]


@pytest.mark.parametrize("count", [2, 20, 300, 100_000])
def test_of_too_many_classes_the_first_ones_are_carried(count: int) -> None:
    found = unpack_classes(pack_classes([(number % 65_536, "x" * 300, 0.5) for number in range(count)]))
    assert [index for index, _, _ in found] == list(range(len(found)))
    assert len(found) == min(count, (MAX_PACKET - Result.LAYOUT.size) // 9)
    assert all(len(label) >= 4 for _, label, _ in found)


def test_a_class_is_its_number_its_share_of_65535_and_its_label() -> None:
    assert pack_classes([(258, "ab", 1.0), (3, "", 0.5)]) == b"\x02\x01\xff\xff\x02ab" + b"\x03\x00\x00\x80\x00"
    assert unpack_classes(b"\x02\x01\xff\xff\x03a\xffb") == ((258, "a\ufffdb", 1.0),)
    assert unpack_classes(b"\x02\x01\x33\x33\x00") == ((258, "", 0.2),)


@pytest.mark.parametrize(
    ("labels", "room", "lengths"),
    [
        (["x" * 99] * 3, 30, [5, 5, 5]),
        (["x", "x" * 99, "x" * 99], 30, [1, 7, 7]),
        (["x" * 99, "x" * 99, "x"], 31, [5, 5, 1]),
        (["x" * 99], 5, [0]),
        (["x" * 99], 4, []),
        (["x" * 99] * 2, 9, [4]),
        (["x" * 300] * 2, 600, [255, 255]),
        (["x" * 300], 259, [254]),
    ],
)
def test_each_class_has_its_share_of_the_room(labels: list[str], room: int, lengths: list[int]) -> None:
    text = pack_classes([(1, label, 0.5) for label in labels], room)
    assert [len(label) for _, label, _ in unpack_classes(text)] == lengths
    assert len(text) <= room


def test_the_room_is_that_of_a_result() -> None:
    (found,) = unpack_classes(pack_classes([(1, "x" * 300, 0.5)]))
    assert len(found[1]) == MAX_PACKET - Result.LAYOUT.size - 5


def test_classes_that_no_result_can_carry_take_no_room() -> None:
    classes = [(-1, "x" * 99, 0.5), (1, "x" * 99, 0.5)]
    assert pack_classes(classes, 30) == pack_classes(classes[1:], 30)


@pytest.mark.parametrize(
    ("text", "length", "cut"),
    [("äöü", 3, "ä"), ("äöü", 4, "äö"), ("ab", 9, "ab"), ("a\ud800b", 9, "a?b"), ("a", 0, "")],
)
def test_a_text_is_cut_between_characters(text: str, length: int, cut: str) -> None:
    assert cut_text(text, length) == cut.encode()


# What the sender makes of it

SENT_US, SEND_BY_US, LEAVES_BY_US, ANSWER_BY_US = 10_000_000, 10_200_000, 10_240_000, 10_250_000
NOW_US = 10_245_000


def image() -> OutgoingImage:
    """Return a picture of which four of five packets were sent, and one of these again."""
    made = OutgoingImage(7, SENT_US, ranked(5), SEND_BY_US, LEAVES_BY_US, ANSWER_BY_US)
    for _ in range(4):
        made.take(SENT_US, 2, 0)
    made.requeue(1)
    made.take(SENT_US, 2, 0)
    return made


def answer(now_us: int = NOW_US, **fields: Any) -> tuple[Answer, dict[Flaw, int]]:
    """Return what a sender makes of a result, and the flaws that it found."""
    border = Border()
    usual = {"image": 7, "margin_ms": 60, "service_us": 30 * MS, "ranks": pack_ranks([0, 3])}
    found = answer_of(now_us, image(), Result(**(usual | fields)), border)
    return found, dict(border.counts)


def test_an_answer_has_all_that_the_result_says() -> None:
    text = pack_classes([(3, "hen", 0.2)])
    found, flaws = answer(text=text)
    assert found == Answer(
        image=7,
        status=ResultStatus.OK,
        text="",
        classes=((3, "hen", 0.2),),
        ranks=frozenset({0, 3}),
        send_by_us=SEND_BY_US,
        margin_us=20 * MS,  # of 60 ms before the answer left; the server began 40 ms before
        service_us=30 * MS,
        answered_us=NOW_US,
        late=False,
        final=False,
        sent=4,
        resent=1,
    )
    assert flaws == {}


def test_a_rank_that_was_never_sent_is_left_out_and_counted() -> None:
    found, flaws = answer(ranks=pack_ranks([0, 3, 4]))
    assert (found.ranks, flaws) == ({0, 3}, {Flaw.RESULT_RANKS: 1})


@pytest.mark.parametrize(("late_us", "late"), [(0, False), (1, True)])
def test_an_answer_is_late_after_its_deadline(late_us: int, late: bool) -> None:
    assert answer(ANSWER_BY_US + late_us)[0].late == late


@pytest.mark.parametrize(
    ("now_us", "service_us", "shown_us"),
    [(NOW_US, 245 * MS, 245 * MS), (NOW_US, 246 * MS, 245 * MS), (SENT_US - 5, 1, 0), (NOW_US, 0, 0)],
)
def test_a_server_took_no_longer_than_the_picture_has_waited(now_us: int, service_us: int, shown_us: int) -> None:
    assert answer(now_us, service_us=service_us)[0].service_us == shown_us


@pytest.mark.parametrize(
    ("margin_ms", "used_ms", "flaws"),
    [
        (-1_005, -1_005, 0),
        (-1_006, -1_005, 1),
        (1_240, 1_240, 0),
        (1_241, 1_240, 1),
    ],
)
def test_the_last_packet_came_between_submit_and_now_and_a_second(margin_ms: int, used_ms: int, flaws: int) -> None:
    found, counts = answer(margin_ms=margin_ms)
    assert found.margin_us == (used_ms - 40) * MS
    assert counts == ({Flaw.RESULT_MARGIN: 1} if flaws else {})


def test_the_margin_of_a_refusal_is_nobodys_lie() -> None:
    found, counts = answer(margin_ms=30_000, status=ResultStatus.NOTHING, text=b"none")
    assert (found.margin_us, found.text, counts) == (1_200 * MS, "none", {})


def test_classes_that_cannot_be_read_make_a_failed_answer_with_the_cause() -> None:
    found, counts = answer(text=b"\1\0\1")
    assert (found.status, found.text, found.classes) == (ResultStatus.FAILED, "result_class 0: cut short", ())
    assert counts == {Flaw.MALFORMED: 1}


@pytest.mark.parametrize(("status", "meant"), [(s.value, s) for s in ResultStatus] + [(99, ResultStatus.FAILED)])
def test_each_status_is_kept_and_an_unknown_one_is_a_failure(status: int, meant: ResultStatus) -> None:
    found, counts = answer(status=status)
    assert found.status is meant
    assert counts == ({} if status == meant else {Flaw.RESULT_STATUS: 1})


def test_the_words_of_a_refusal_are_read_as_far_as_they_are_text() -> None:
    assert answer(status=ResultStatus.FAILED, text=b"no \xff")[0].text == "no \ufffd"


def test_the_best_answer_is_given_as_the_final_one() -> None:
    made = image()
    assert made.final_answer() is None
    made.best, _ = answer()
    assert made.final_answer() == replace(made.best, final=True)
