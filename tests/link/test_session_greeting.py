"""How long a session waits for its board: when it repeats itself, and when it gives up, to the microsecond."""

from __future__ import annotations

import pytest

from host.link.channel import Channel
from host.link.events import Failed, FailureReason
from host.link.frames import FrameReader
from host.link.session import (
    CONFIGURE_LIMIT_US,
    HELLO_EVERY_US,
    HELLO_LIMIT_US,
    LAST_WAIT_US,
    SILENCE_LIMIT_US,
    SILENCE_US,
    Session,
    State,
)
from host.wire import VERSION, Configure, Error, ErrorCode, Flush, Hello, Kind, Log, Role, parse
from tests.link.desk import BEGIN_US
from tests.link.line import Line


@pytest.fixture
def line() -> Line:
    made = Line()
    made.open()
    return made


def failures(line: Line) -> list[Failed]:
    return [event for event in line.events if isinstance(event, Failed)]


# Greeting


@pytest.mark.parametrize(("name", "kept"), [("send", b"send"), ("ä" * 12, "ä".encode() * 12), ("x" * 30, b"x" * 24)])
def test_hello_has_the_nonce_and_24_bytes_of_the_name(name: str, kept: bytes) -> None:
    session = Session(Configure(role=Role.CAMERA), nonce=0x1234, name=name)
    session.start(0)
    (frame,) = FrameReader().feed(session.channel.output())
    hello = parse(frame.packet)
    assert hello == Hello(version=VERSION, kind=Kind.HOST, session=0x1234, name=kept)


def test_a_session_that_was_not_started_wants_nothing() -> None:
    session = Session(Configure(role=Role.CAMERA), nonce=1)
    assert (session.state, session.wake_at(), session.channel.output()) == (State.CLOSED, None, b"")
    assert session.tick(10_000_000) == []


def test_hello_is_said_every_fifth_of_a_second_and_given_up_after_one_and_a_half() -> None:
    line = Line()
    line.until(BEGIN_US + HELLO_LIMIT_US - 1)
    assert line.times(Hello) == list(range(0, HELLO_LIMIT_US, HELLO_EVERY_US))
    assert line.events == []
    line.until(BEGIN_US + HELLO_LIMIT_US)
    assert line.events == [Failed(FailureReason.NO_BOARD, "no hello within 1.5 s")]
    assert line.session.wake_at() is None


def test_a_configuration_is_said_every_fifth_of_a_second_and_given_up_after_one() -> None:
    line = Line()
    line.until(BEGIN_US + 30_000)
    line.say(Hello(version=VERSION, kind=Kind.BOARD, role=Role.NONE))
    assert line.session.state is State.CONFIGURING
    line.until(BEGIN_US + 30_000 + CONFIGURE_LIMIT_US - 1)
    assert line.times(Configure) == [30_000 + at_us for at_us in range(0, CONFIGURE_LIMIT_US, HELLO_EVERY_US)]
    assert line.events == []
    line.until(BEGIN_US + 30_000 + CONFIGURE_LIMIT_US)
    assert line.events == [Failed(FailureReason.UNCONFIRMED, "no hello with it within 1 s")]


def test_a_configuration_after_late_hellos_has_its_full_time() -> None:
    line = Line()
    line.until(BEGIN_US + HELLO_LIMIT_US - 1)  # hello was said for the last time
    line.say(Hello(version=VERSION, kind=Kind.BOARD, role=Role.NONE))
    line.until(line.now_us + CONFIGURE_LIMIT_US - 1)
    assert len(line.times(Configure)) == CONFIGURE_LIMIT_US // HELLO_EVERY_US
    assert line.events == []


@pytest.mark.parametrize(("late_us", "hellos"), [(HELLO_LIMIT_US - HELLO_EVERY_US - 1, 2), (HELLO_LIMIT_US, 1)])
def test_a_board_that_was_asked_late_has_a_tenth_of_a_second_to_answer(late_us: int, hellos: int) -> None:
    line = Line()
    line._tick(BEGIN_US + late_us)
    line.until(BEGIN_US + late_us + HELLO_EVERY_US + LAST_WAIT_US - 1 if hellos > 1 else line.now_us + LAST_WAIT_US - 1)
    assert len(line.times(Hello)) == 1 + hellos
    assert line.events == []
    line.until(max(line.now_us + 1, BEGIN_US + HELLO_LIMIT_US))
    assert [failure.reason for failure in failures(line)] == [FailureReason.NO_BOARD]


def test_a_silent_board_is_greeted_anew_with_what_remains_of_five_seconds(line: Line) -> None:
    line.write(Flush(image=1))
    written_us = line.now_us
    line.until(written_us + SILENCE_US - 1)
    assert line.session.state is State.OPEN
    line.until(written_us + SILENCE_US)
    assert line.session.state is State.GREETING
    line.until(written_us + SILENCE_LIMIT_US - 1)
    assert line.events == []
    line.until(written_us + SILENCE_LIMIT_US)
    assert line.events == [Failed(FailureReason.SILENT, "no answer for 5 s")]


def test_after_a_reset_the_board_has_five_seconds(line: Line) -> None:
    line.say(Error(code=ErrorCode.NOT_READY))
    reset_us = line.now_us
    line.until(reset_us + SILENCE_LIMIT_US - 1)
    assert line.events == []
    line.until(reset_us + SILENCE_LIMIT_US)
    assert [failure.reason for failure in failures(line)] == [FailureReason.SILENT]


def test_a_session_has_no_name_unless_it_is_given_one() -> None:
    session = Session(Configure(role=Role.CAMERA), nonce=1)
    session.start(0)
    (hello,) = Channel().receive(session.channel.output())
    assert isinstance(hello, Hello)
    assert hello.name == b""


@pytest.mark.parametrize(("pause_us", "greeted_us"), [(SILENCE_US // 2 - 1, 500_000), (SILENCE_US // 2, 750_000)])
def test_a_computer_that_looked_away_for_a_quarter_of_a_second_reads_on_before_it_calls_a_board_silent(
    line: Line, pause_us: int, greeted_us: int
) -> None:
    line.write(Flush(image=1))
    begun_us = line.now_us
    line._tick(begun_us)
    line._tick(begun_us + pause_us)
    times_us = iter(range(begun_us + 300_000, begun_us + 1_000_000, 50_000))
    while line.session.state is State.OPEN:
        line._tick(next(times_us))
    assert line.now_us == begun_us + greeted_us


def test_silence_counts_from_the_last_packet_or_the_oldest_frame(line: Line) -> None:
    line.until(line.now_us + 400_000)
    line.write(Flush(image=1))
    written_us = line.now_us
    line.until(written_us + 100_000)
    line.say(Log(level=3, text=b"x"))
    heard_us = line.now_us
    line.until(heard_us + SILENCE_US - 1)
    assert line.session.state is State.OPEN
    line.until(heard_us + SILENCE_US)
    assert line.session.state is State.GREETING
