"""Every picture ends in one outcome: the best answer in time, else a late one, else none."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host.link.events import Answer, Event, Failed, Unanswered
from host.link.image_number import LEAST_SHARE
from host.link.sender import MAX_PENDING, DeadlineInfeasibleError, Policy
from host.link.server_clock import IN_TIME_FOR_ONE_LATE, LATER_US
from host.wire import Error, ErrorCode, Flush, Hop, LinkState, Ping, ResultStatus, Role
from tests.link.desk import PROGRAM, ROUND_TRIP_US, SERVICE_US, SenderDesk, ranked, ranks

GRACE_US = Policy().grace_us


@pytest.fixture
def desk() -> SenderDesk:
    made = SenderDesk()
    made.ready()
    return made


def answers(events: list[Event]) -> list[tuple[bool, int]]:
    """Return of each answer whether it is final, and its number of ranks; -1 for no answer."""
    found: list[tuple[bool, int]] = []
    for event in events:
        match event:
            case Answer():
                found.append((event.final, len(event.ranks)))
            case Unanswered():
                found.append((True, -1))
    return found


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("submit"), st.integers(1, 12), st.integers(20, 600)),
        st.tuples(st.just("wait"), st.integers(0, 250), st.just(0)),
        # which of the pictures so far; how many ranks, and whether more follows
        st.tuples(st.just("result"), st.integers(0, 30), st.integers(0, 25)),
        st.tuples(st.just("foreign"), st.integers(0, 30), st.integers(0, 25)),
        st.tuples(st.just("credit"), st.integers(0, 64), st.integers(0, 2)),
        st.tuples(st.just("pong"), st.integers(0, 300), st.integers(0, 300)),
        st.tuples(st.just("reset"), st.just(0), st.just(0)),
        st.tuples(st.just("hello"), st.just(0), st.just(0)),
        st.tuples(st.just("replugged"), st.just(0), st.just(0)),
    ),
    max_size=50,
)


@settings(max_examples=200, deadline=None)
@given(steps=STEPS, lossy=st.booleans())
def test_every_picture_ends_once(steps: list[tuple[str, int, int]], lossy: bool) -> None:
    desk = SenderDesk()
    desk.ready()
    if lossy:
        desk.lose = lambda packet: hash(packet) % 3 == 0
    numbers: list[int] = []
    for kind, value, extra in steps:
        match kind:
            case "submit" if desk.sender.pending < MAX_PENDING:
                try:
                    numbers.append(desk.submit(value, extra * 1000))
                except DeadlineInfeasibleError:
                    assert extra * 1000 < ROUND_TRIP_US + SERVICE_US
            case "wait":
                desk.wait(value * 1000)
            case "result" if numbers:
                more, count = divmod(extra, 13)
                desk.result(numbers[value % len(numbers)], range(count), more=more)
            case "foreign" if numbers:
                more, count = divmod(extra, 13)
                desk.result(numbers[value % len(numbers)], range(count), more=more, program=(PROGRAM + 1) % 4)
            case "credit":
                desk.credit(free=value, link=extra)
            case "pong":
                for ping in [ping for ping in desk.heard(Ping) if ping.hop == Hop.PEER_HOST][-1:]:
                    desk.pong(ping, value * 1000, service_us=extra * 1000)
            case "reset":
                desk.say(Error(code=ErrorCode.NOT_READY, detail=Role.CAMERA))
            case "hello":
                desk.hello()
            case "replugged":
                desk.machine.start(desk.now_us)
                desk.at(desk.now_us)
    desk.lose = lambda _: False
    for _ in range(20):
        desk.wait(60_000)
        desk.credit(free=0)
    assert desk.sender.pending == 0
    ended = [e.image for e in desk.events if isinstance(e, Unanswered) or (isinstance(e, Answer) and e.final)]
    assert sorted(ended) == sorted(numbers)
    for number in numbers:
        events = [e for e in desk.events if isinstance(e, Answer | Unanswered) and e.image == number]
        assert isinstance(events[-1], Unanswered) or events[-1].final
        in_time = [e for e in events[:-1] if isinstance(e, Answer) and not e.late]
        assert len(in_time) == len(events) - 1
        if in_time:
            outcome = events[-1]
            assert isinstance(outcome, Answer)
            assert not outcome.late
            assert len(outcome.ranks) >= max(len(e.ranks) for e in in_time)


def test_a_provisional_answer_is_reported_and_the_final_one_ends_the_picture(desk: SenderDesk) -> None:
    number = desk.submit(8, 500_000)
    assert answers(desk.result(number, range(2), more=1)) == [(False, 2)]
    assert answers(desk.result(number, range(5), more=1)) == [(False, 5)]
    assert desk.sender.pending == 1
    assert answers(desk.result(number, range(8))) == [(True, 8)]
    assert desk.sender.pending == 0
    assert desk.result(number, range(8)) == []


def test_the_best_answer_in_time_counts_whatever_their_order(desk: SenderDesk) -> None:
    number = desk.submit(8, 500_000)
    desk.result(number, range(6), [(1, "cat", 0.5)], more=1)
    answered_us = desk.now_us
    desk.now_us += 5_000
    desk.credit()
    assert answers(desk.result(number, range(2), [(2, "dog", 0.5)], more=1)) == [(False, 2)]
    (final,) = desk.result(number, range(4), [(3, "hen", 0.5)])
    assert isinstance(final, Answer)
    assert (final.final, final.late, len(final.ranks), final.answered_us) == (True, False, 6, answered_us)
    assert [label for _, label, _ in final.classes] == ["cat"]


def test_of_two_answers_for_the_same_ranks_the_later_one_counts(desk: SenderDesk) -> None:
    number = desk.submit(8, 500_000)
    desk.result(number, range(6), [(1, "cat", 0.5)], more=1)
    (final,) = desk.result(number, range(6), [(3, "hen", 0.5)])
    assert isinstance(final, Answer)
    assert [label for _, label, _ in final.classes] == ["hen"]


def test_a_late_final_answer_does_not_replace_a_provisional_one_in_time(desk: SenderDesk) -> None:
    number = desk.submit(8, 200_000)
    due_us = desk.now_us + 200_000
    desk.result(number, range(3), more=1)
    answered_us = desk.now_us
    desk.credit()
    desk.now_us = due_us + 1  # the result is read before the tick of the deadline
    assert desk.result(number, range(8)) == []
    (final,) = desk.at(desk.now_us)
    assert isinstance(final, Answer)
    assert (final.final, final.late, len(final.ranks), final.answered_us) == (True, False, 3, answered_us)
    assert desk.result(number, range(8)) == []


def test_a_provisional_answer_becomes_final_at_the_deadline_without_grace(desk: SenderDesk) -> None:
    number = desk.submit(8, 200_000)
    due_us = desk.now_us + 200_000
    desk.result(number, range(3), more=1)
    desk.credit()
    assert answers(desk.wait(199_999)) == []
    desk.credit()
    assert desk.machine.wake_at() == due_us
    assert answers(desk.at(due_us)) == [(True, 3)]


@pytest.mark.parametrize("more", [0, 1])
@pytest.mark.parametrize("status", [ResultStatus.FAILED, ResultStatus.NOTHING])
def test_a_refusal_does_not_replace_an_answer_in_time(desk: SenderDesk, status: ResultStatus, more: int) -> None:
    """A server that is too busy for the final answer names all ranks that it had."""
    number = desk.submit(8, 200_000)
    desk.result(number, range(2), [(1, "cat", 0.5)], more=1)
    desk.result(number, range(8), status=status, text=b"the server is busy", more=more)
    desk.credit()
    desk.wait(200_000)
    *_, final = [event for event in desk.events if isinstance(event, Answer)]
    assert (final.final, final.status, len(final.ranks)) == (True, ResultStatus.OK, 2)
    assert [label for _, label, _ in final.classes] == ["cat"]


def test_any_answer_replaces_a_refusal(desk: SenderDesk) -> None:
    number = desk.submit(8, 200_000)
    desk.result(number, range(8), status=ResultStatus.FAILED, more=1)
    (final,) = desk.result(number, range(2), [(1, "cat", 0.5)])
    assert isinstance(final, Answer)
    assert (final.status, len(final.ranks)) == (ResultStatus.OK, 2)


def test_a_late_provisional_answer_is_the_outcome_if_there_is_no_other(desk: SenderDesk) -> None:
    number = desk.submit(8, 200_000)
    desk.wait(200_001)
    desk.credit()
    (late,) = desk.result(number, range(3), more=1)
    assert isinstance(late, Answer)
    assert (late.final, late.late) == (True, True)
    assert desk.sender.pending == 0


def test_after_the_final_answer_no_more_of_the_picture_is_sent(desk: SenderDesk) -> None:
    number = desk.submit(30, 900_000)
    sent = ranks(desk.pictures())
    desk.result(number, range(3), more=1)
    desk.credit(waiting=4)
    more = ranks(desk.pictures())
    assert more == list(range(len(sent), len(sent) + len(more)))
    assert more
    desk.result(number, range(4))
    assert desk.heard() == [Flush(image=number)]
    desk.credit()
    assert desk.pictures() == []


def test_a_picture_of_which_nothing_was_given_to_the_board_is_unsent(desk: SenderDesk) -> None:
    desk.credit(link=LinkState.DOWN)
    number = desk.submit(8, 200_000)
    for _ in range(20):
        desk.wait(50_000)
        desk.credit(link=LinkState.DOWN)
    assert [e for e in desk.events if isinstance(e, Unanswered)] == [Unanswered(number, 0, 0)]


def test_a_picture_outlives_a_reset_and_counts_what_was_sent_again(desk: SenderDesk) -> None:
    number = desk.submit(4, 900_000)
    assert ranks(desk.pictures()) == [0, 1, 2, 3]
    desk.say(Error(code=ErrorCode.NOT_READY, detail=Role.CAMERA))
    desk.hello(session=6, sessions=9)
    desk.credit()
    again = desk.pictures()
    assert ranks(again) == [0, 1, 2, 3]
    # results of the first session still count, and the program's number stays
    assert {picture.program for picture in again} == {PROGRAM}
    (answer,) = desk.result(number, range(4))
    assert isinstance(answer, Answer)
    assert (answer.sent, answer.resent) == (4, 4)


def test_a_pong_for_another_program_is_ignored() -> None:
    desk = SenderDesk()
    desk.open()
    desk.credit()
    desk.at(desk.now_us)
    (ping,) = [packet for packet in desk.heard(Ping) if packet.hop == Hop.PEER_HOST]
    assert desk.pong(ping, token=ping.token + 1) == []
    assert not desk.sender.ready
    assert not desk.sender.server.known
    assert len(desk.pong(ping)) == 1
    assert desk.sender.ready
    known = desk.sender.server.service_us
    for _ in range(8):
        desk.pong(ping, token=ping.token ^ (1 << 31), service_us=9_000_000)
    assert desk.sender.server.service_us == known


def test_answers_that_the_way_back_made_late_make_the_next_ones_leave_earlier(desk: SenderDesk) -> None:
    server = desk.sender.server

    def moved_us(late_us: int, left_late_us: int, **fields: int) -> float:
        """Return how much earlier answers have to leave after one that was late here, and left the server late."""
        before_us = server.leaves_by_us(0, desk.now_us) - desk.now_us + server.way_back_us
        number = desk.submit(3, 300_000)
        (image,) = desk.sender._images.values()
        desk.credit()
        left_us = image.leaves_by_us + left_late_us
        desk.now_us = image.answer_by_us + late_us
        desk.result(number, range(3), way_us=desk.now_us - left_us, **fields)
        assert desk.sender.pending == 0
        return before_us - (server.leaves_by_us(0, desk.now_us) - desk.now_us + server.way_back_us)

    assert moved_us(-5_000, -6_000) == pytest.approx(-LATER_US / IN_TIME_FOR_ONE_LATE)  # in time
    assert moved_us(5_000, -1_000) == 5_000 + LATER_US
    assert moved_us(5_000, 3_000) == 0  # the server was late, not the way back
    assert moved_us(5_000, -1_000, status=ResultStatus.FAILED) == 0
    assert moved_us(400_000, -1_000) == 0  # no margin would help
    assert moved_us(-5_000, -6_000) == pytest.approx(-LATER_US / IN_TIME_FOR_ONE_LATE)


# A hiccup


def serve(desk: SenderDesk, number: int) -> None:
    """Answer a picture wholly and at once."""
    sent = desk.pictures()
    assert {picture.image for picture in sent} == {number}
    assert ranks(sent) == [0, 1, 2]
    desk.credit()
    (answer,) = desk.result(number, range(3))
    assert isinstance(answer, Answer)
    assert not answer.late


def next_ping(desk: SenderDesk) -> Ping:
    """Let the time pass on an idle link until the sender asks the server again."""
    for _ in range(120):
        for ping in desk.heard(Ping):
            if ping.hop == Hop.PEER_HOST:
                assert isinstance(ping, Ping)
                return ping
        desk.wait(20_000)
        desk.credit()
    raise AssertionError("no ping")


@pytest.mark.parametrize("times", [1, 2])
def test_a_picture_that_took_the_server_nine_seconds_does_not_stop_the_next_ones(desk: SenderDesk, times: int) -> None:
    for _ in range(5):
        desk.now_us += 100_000
        serve(desk, desk.submit(3, 300_000))
    for _ in range(times):
        number = desk.submit(3, 300_000)
        desk.heard()
        for _ in range(100):
            desk.wait(90_000)
            desk.credit(free=64)
        assert desk.sender.pending == 0
        assert desk.result(number, range(3), service_us=9_000_000) == []
    for _ in range(5):
        serve(desk, desk.submit(3, 300_000))


@pytest.mark.parametrize("before", [0, 1, 5])
def test_a_server_that_says_nine_seconds_once_stops_nothing(desk: SenderDesk, before: int) -> None:
    for _ in range(before):
        desk.pong(next_ping(desk))
    desk.pong(next_ping(desk), service_us=9_000_000)
    for _ in range(5):
        serve(desk, desk.submit(3, 300_000))
    desk.pong(next_ping(desk))
    serve(desk, desk.submit(3, 300_000))


def test_a_server_that_was_slow_many_times_is_tried_again(desk: SenderDesk) -> None:
    for _ in range(12):
        desk.result(desk.submit(3, 300_000), range(3), service_us=9_000_000)
        desk.credit()
        desk.heard()
    assert desk.sender.server.service_us == 9_000_000
    number = desk.submit(3, 300_000)
    (image,) = desk.sender._images.values()
    assert image.send_by_us == desk.now_us + (image.leaves_by_us - desk.now_us) * LEAST_SHARE > desk.now_us
    serve(desk, number)


@pytest.mark.parametrize("freeze_ms", [300, 1000, 2000])
def test_after_a_freeze_of_the_server_the_first_picture_is_in_time(desk: SenderDesk, freeze_ms: int) -> None:
    """The results of the pictures before it, all late and long on their way, must not count as the usual way back."""
    for _ in range(8):
        desk.now_us += 100_000
        serve(desk, desk.submit(3, 300_000))
    frozen: list[int] = []
    for _ in range(freeze_ms // 100):
        frozen.append(desk.submit(3, 300_000))
        desk.wait(50_000)
        desk.credit()
        desk.wait(50_000)
        desk.credit()
    desk.heard()
    desk.credit()
    for number in frozen:
        desk.result(number, range(3), service_us=freeze_ms * 1000, way_us=12_000)
    for _ in range(10):
        serve(desk, desk.submit(3, 300_000))
    assert not [event for event in desk.events if isinstance(event, Failed)]


def test_a_round_trip_that_took_long_once_costs_no_time(desk: SenderDesk) -> None:
    before_us = desk.sender.server.way_back_us
    for _ in range(6):
        desk.pong(next_ping(desk))
    desk.pong(next_ping(desk), 400_000)
    desk.credit()
    assert desk.sender.server.way_back_us == before_us
    serve(desk, desk.submit(3, ROUND_TRIP_US + SERVICE_US + 10_000))


def test_a_first_measurement_that_took_long_does_not_bind_for_ever() -> None:
    """A warm-up on a busy machine made the first round trip and the first service time long."""
    desk = SenderDesk()
    desk.open()
    desk.credit()
    desk.at(desk.now_us)
    desk.pong(next_ping(desk), 400_000, service_us=2_000_000)
    desk.credit()
    with pytest.raises(DeadlineInfeasibleError, match="at least 2400 ms, 2000 of them"):
        desk.sender.submit(desk.now_us, ranked(1), desk.now_us + 300_000)
    desk.pong(next_ping(desk))
    desk.credit()
    for _ in range(5):
        serve(desk, desk.submit(3, 300_000))
