"""Every frame that is written counts from its own moment, so that one without a trace is asked after in time."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from host.link.events import ImageCollected
from host.link.receiver import Receiver
from host.link.session import PROBE_US
from host.wire import (
    Configure,
    Control,
    Error,
    ErrorCode,
    Flush,
    Hop,
    LinkState,
    Picture,
    Ping,
    Pong,
    Repeat,
    Result,
    Role,
)
from tests.link.desk import SERVICE_US, ReceiverDesk, SenderDesk
from tests.link.line import BOARD, Line

MS = 1_000
Desk = ReceiverDesk | SenderDesk


def quiet(desk: Desk) -> None:
    """Let some time pass, and the board confirm all frames."""
    desk.wait(30 * MS)
    for _ in range(3):
        desk.credit(link=LinkState.UP)
    desk.heard()
    assert desk.machine.session.channel.frames_in_flight == 0  # type: ignore[attr-defined]


def assert_timed(desk: Desk, kind: type[Control | Picture]) -> None:
    """Fail unless the only frame in flight is of this kind and from now."""
    channel = desk.machine.session.channel  # type: ignore[attr-defined]
    assert len(desk.heard(kind)) == channel.frames_in_flight == 1
    assert channel.oldest_us() == desk.now_us
    wake_us = desk.machine.wake_at()
    assert wake_us is not None
    assert wake_us <= desk.now_us + PROBE_US[0]


def collected(desk: ReceiverDesk) -> ImageCollected:
    (event,) = [event for event in desk.arrive(0, last=0) if isinstance(event, ImageCollected)]
    return event


def flush_at_the_end(desk: ReceiverDesk) -> None:
    desk.arrive(0, remaining_ms=30)
    desk.at(desk.now_us + 3 * MS)


def flush_of_what_is_enough(desk: ReceiverDesk) -> None:
    (event,) = desk.arrive(0)
    assert isinstance(event, ImageCollected)
    desk.receiver.finish(desk.now_us, event)
    desk.at(desk.now_us)


def answer(desk: ReceiverDesk) -> None:
    desk.receiver.answer(desk.now_us, collected(desk), [(1, "x", 0.5)], service_us=1, used=[0])
    desk.at(desk.now_us)


def pong(desk: ReceiverDesk) -> None:
    desk.say(Ping(hop=Hop.PEER_HOST, token=1))


def request(desk: ReceiverDesk) -> None:
    desk._seq += 1
    desk.say(Pong(hop=Hop.PEER_HOST))


def again_after_a_credit(desk: ReceiverDesk) -> None:
    event = collected(desk)
    desk.lose = lambda packet: isinstance(packet, Result)
    desk.receiver.answer(desk.now_us, event, [(1, "x", 0.5)], service_us=1, used=[0])
    desk.at(desk.now_us)
    desk.lose = lambda _: False
    desk.now_us += 5 * MS
    desk.credit(next_seq=desk.reader.next_seq + 1, missing=1)


def request_again(desk: ReceiverDesk) -> None:
    desk.lose = lambda packet: isinstance(packet, Repeat)
    request(desk)
    desk.lose = lambda _: False
    desk.now_us += 5 * MS
    desk.credit(next_seq=desk.reader.next_seq + 1, missing=1)


@pytest.mark.parametrize(
    ("act", "kind"),
    [
        (request_again, Repeat),
        (flush_at_the_end, Flush),
        (flush_of_what_is_enough, Flush),
        (answer, Result),
        (pong, Pong),
        (request, Repeat),
        (again_after_a_credit, Result),
    ],
)
def test_a_receivers_frames_count_from_now(act: Callable[[ReceiverDesk], None], kind: type[Control]) -> None:
    desk = ReceiverDesk(Receiver(nonce=8, service_us=SERVICE_US))
    quiet(desk)
    act(desk)
    assert_timed(desk, kind)


def test_an_answer_that_is_given_again_after_a_silence_counts_from_now() -> None:
    desk = ReceiverDesk()
    quiet(desk)
    answer(desk)
    desk.say(Error(code=ErrorCode.NOT_READY))
    desk.now_us += 40 * MS
    desk.hello()
    written = list(desk.receiver.session.channel._in_flight.values())
    assert [type(sent.packet) for sent in written][-2:] == [Ping, Result]
    assert {sent.written_us for sent in written[-2:]} == {desk.now_us}


def picture(desk: SenderDesk) -> None:
    desk.submit(1, 500 * MS)


def flush_after_the_answer(desk: SenderDesk) -> None:
    number = desk.submit(1, 500 * MS)
    desk.credit(waiting=1)
    desk.heard()
    desk.now_us += 5 * MS
    desk.result(number)


@pytest.mark.parametrize(("act", "kind"), [(picture, Picture), (flush_after_the_answer, Flush)])
def test_a_senders_frames_count_from_now(act: Callable[[SenderDesk], None], kind: type[Control]) -> None:
    desk = SenderDesk()
    desk.ready()
    quiet(desk)
    act(desk)
    assert_timed(desk, kind)


def test_a_senders_request_that_is_made_again_counts_from_now() -> None:
    desk = SenderDesk()
    desk.ready()
    quiet(desk)
    desk._seq += 1
    desk.lose = lambda packet: isinstance(packet, Repeat)
    desk.say(Pong(hop=Hop.PEER_HOST))
    desk.lose = lambda _: False
    desk.now_us += 5 * MS
    desk.credit(next_seq=desk.reader.next_seq + 1, missing=1)
    assert_timed(desk, Repeat)


def test_a_senders_ping_to_the_server_counts_from_now() -> None:
    desk = SenderDesk()
    desk.ready()
    quiet(desk)
    due_us = desk.sender._ping_at()
    assert due_us is not None
    desk.at(due_us)
    written = list(desk.sender.session.channel._in_flight.values())
    assert Hop.PEER_HOST in [sent.packet.hop for sent in written if isinstance(sent.packet, Ping)]
    assert {sent.written_us for sent in written} == {due_us}


def test_a_senders_recall_at_the_moment_and_again_counts_from_now() -> None:
    desk = SenderDesk()
    desk.ready()
    desk.submit(1, 200 * MS)
    (image,) = desk.sender._images.values()
    desk.credit(waiting=1)
    desk.heard()
    desk.lose = lambda packet: isinstance(packet, Flush)
    desk.at(image.send_by_us)
    desk.lose = lambda _: False
    in_flight = desk.sender.session.channel._in_flight.values()
    assert [sent.written_us for sent in in_flight if isinstance(sent.packet, Flush)] == [desk.now_us]
    desk.now_us += 3 * MS
    desk.credit(next_seq=desk.reader.next_seq + 1, missing=1, waiting=1)
    assert_timed(desk, Flush)


def test_the_frames_of_a_session_count_from_now() -> None:
    line = Line(Configure(role=Role.CAMERA, interval_us=30 * MS))
    assert line.session.channel.oldest_us() == line.now_us
    line.until(line.now_us + 200 * MS)
    channel = line.session.channel
    assert channel.oldest_us() == line.now_us  # the second hello
    line.now_us += 3 * MS
    line.say(BOARD)
    assert [sent.written_us for sent in channel._in_flight.values()] == [line.now_us - 3 * MS, line.now_us]
    line.now_us += 200 * MS
    line.until(line.now_us)
    line.say(BOARD)
    assert [sent.written_us for sent in channel._in_flight.values()][-2:] == [line.now_us] * 2  # configure, ping
