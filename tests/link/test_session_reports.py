"""What a session reports of its board: openings, refusals, notices, the radio link, and frames that were lost."""

from __future__ import annotations

from typing import Any

import pytest

from host.link.border import Flaw
from host.link.events import Failed, FailureReason, Implausible, LinkChanged, Notice, Opened
from host.link.session import State
from host.wire import (
    VERSION,
    Configure,
    Control,
    Credit,
    Error,
    ErrorCode,
    Flush,
    Hello,
    Hop,
    Kind,
    Link,
    LinkState,
    Log,
    Phy,
    Picture,
    Ping,
    Pong,
    Repeat,
    Result,
    Role,
)
from tests.link.line import BOARD, CAMERA, Line

EDGE = Configure(role=Role.EDGE, tx_power_dbm=127)


@pytest.fixture
def line() -> Line:
    made = Line()
    made.open()
    return made


def hello(**fields: Any) -> Hello:
    return Hello(**({"version": VERSION, "kind": Kind.BOARD, "role": Role.CAMERA} | fields))


# Hello


def test_the_board_that_opened_is_known() -> None:
    line = Line()
    assert line.session.hello is None
    assert line.say(BOARD) == [Opened(BOARD, restarted=False)]
    assert line.session.hello == BOARD


def test_only_the_hello_of_a_board_opens() -> None:
    line = Line()
    assert line.say(hello(kind=Kind.HOST)) == []
    assert line.session.state is State.GREETING
    assert line.session.hello is None


def test_a_hello_in_an_open_session_opens_nothing_again(line: Line) -> None:
    assert line.say(BOARD) == []
    assert line.times(Ping) == []


def test_another_version_is_named_beside_ours_with_the_firmware() -> None:
    (event,) = Line().say(hello(version=77, firmware=bytes([1, 0, 12])))
    assert event == Failed(
        FailureReason.VERSION, f"it speaks version 77 (firmware 1.0.12), this program version {VERSION}"
    )


@pytest.mark.parametrize(
    ("configure", "role", "text"),
    [
        (CAMERA, Role.EDGE, "it is the edge board, and this needs the camera board"),
        (EDGE, Role.CAMERA, "it is the camera board, and this needs the edge board"),
    ],
)
def test_the_wrong_role_is_named_beside_the_right_one(configure: Configure, role: Role, text: str) -> None:
    assert Line(configure=configure).say(hello(role=role)) == [Failed(FailureReason.ROLE, text)]


def test_a_board_that_is_taken_over_opens_with_its_new_role() -> None:
    line = Line(configure=EDGE, take_over=True)
    assert line.say(hello(role=Role.CAMERA)) == []
    assert [packet for _, packet in line.spoken if isinstance(packet, Configure)] == [EDGE]
    (event,) = line.say(hello(role=Role.EDGE))
    assert isinstance(event, Opened)


@pytest.mark.parametrize("settings", [{"interval_us": 30_000}, {"phy": Phy.CODED_S8}])
def test_each_radio_setting_alone_configures_a_board_of_the_right_role_once(settings: dict[str, Any]) -> None:
    configure = Configure(role=Role.CAMERA, tx_power_dbm=127, **settings)
    line = Line(configure=configure)
    assert line.say(BOARD) == []
    assert len(line.times(Configure)) == 1
    assert [type(event) for event in line.say(BOARD)] == [Opened]
    assert len(line.times(Configure)) == 1


def test_a_board_that_keeps_its_old_role_is_not_told_again_by_each_hello() -> None:
    line = Line()
    for _ in range(3):
        assert line.say(hello(role=Role.NONE)) == []
    assert len(line.times(Configure)) == 1
    assert line.session.state is State.CONFIGURING


def test_after_a_reset_the_radio_settings_are_given_again() -> None:
    line = Line(configure=Configure(role=Role.CAMERA, tx_power_dbm=127, interval_us=30_000))
    line.say(BOARD, BOARD)
    line.say(Error(code=ErrorCode.NOT_READY))
    assert line.say(BOARD) == []
    assert len(line.times(Configure)) == 2
    assert line.say(BOARD) == [Opened(BOARD, restarted=True)]


# Errors and logs


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (Error(code=ErrorCode.OVERRUN, detail=5), Notice(2, f"error {ErrorCode.OVERRUN.value}, detail 5")),
        (Error(code=ErrorCode.OVERRUN, detail=5, text=b"queue \xff"), Notice(2, "queue \ufffd")),
        (Error(code=8), Notice(1, "fault (error 8, `boards doctor`)")),  # the first code of a fault
        (Error(code=7), Notice(2, "error 7, detail 0")),
        (Error(code=ErrorCode.STUCK), Notice(1, f"fault (error {ErrorCode.STUCK.value}, `boards doctor`)")),
        (Log(level=3, text=b"advertising \xff"), Notice(3, "advertising \ufffd")),
    ],
)
def test_what_the_board_says_is_a_notice(line: Line, error: Control, expected: Notice) -> None:
    assert line.say(error) == [expected]
    assert line.session.state is State.OPEN


def test_a_refused_configuration_without_words_is_explained(line: Line) -> None:
    assert line.say(Error(code=ErrorCode.CONFIGURE, detail=1)) == [
        Failed(FailureReason.CONFIGURE, "it cannot apply this radio setting")
    ]


def test_errors_that_belong_to_another_state_are_notices() -> None:
    line = Line()
    for code in (ErrorCode.CONFIGURE, ErrorCode.NOT_READY):
        assert line.say(Error(code=code, detail=7)) == [Notice(2, f"error {code.value}, detail 7")]
    assert line.session.state is State.GREETING
    assert len(line.times(Hello)) == 1


def test_an_error_about_the_version_waits_for_the_hello_that_names_it(line: Line) -> None:
    assert line.say(Error(code=ErrorCode.VERSION, text=b"version")) == []


# The radio link


def test_a_change_of_the_radio_link_is_reported_with_all_it_says(line: Line) -> None:
    link = Link(state=LinkState.UP, peer=3, phy=Phy.CODED_S8, mtu=247, interval_us=15_000, reason=8)
    assert line.say(link) == [LinkChanged(3, LinkState.UP, Phy.CODED_S8, 247, 15_000, 8)]


def test_an_unknown_state_is_down_and_an_unknown_phy_is_none(line: Line) -> None:
    (event,) = line.say(Link(state=99, phy=99))
    assert isinstance(event, LinkChanged)
    assert (event.state, event.phy, event.interval_us) == (LinkState.DOWN, Phy.KEEP, 0)
    assert line.session.channel.border.counts == {Flaw.LINK: 1}  # 0 is an interval that is not known


def test_all_that_comes_at_once_is_reported_in_order() -> None:
    line = Line()
    log = Log(level=3, text=b"a")
    assert line.say(log, BOARD) == [Notice(3, "a"), Opened(BOARD, restarted=False)]
    assert line.say(log, Error(code=3), log) == [Notice(3, "a"), Notice(2, "error 3, detail 0"), Notice(3, "a")]


# Packets for sender and receiver


def test_other_packets_are_passed_on_while_the_session_is_open(line: Line) -> None:
    packets = [Picture(1, 0, 0, 50, b"x", last=True), Result(image=1), Credit(), Pong(hop=Hop.PEER_HOST)]
    line.say(*packets)
    assert line.others == packets
    line.say(Error(code=ErrorCode.NOT_READY), *packets)
    assert line.others == []


def test_what_cannot_be_true_is_reported_in_every_state() -> None:
    line = Line()
    line.say(Ping(hop=9))
    line.until(line.now_us + 1)
    assert [event for event in line.events if isinstance(event, Implausible)] == [Implausible(Flaw.HOP.value, 1)]
    line.say(Ping(hop=9))
    due_us = line.now_us + 999_999
    line.until(due_us - 1)
    assert len(line.events) == 1
    line.until(due_us + 1)
    assert len(line.events) == 2


def test_what_cannot_be_true_is_reported_while_the_board_is_configured_too() -> None:
    line = Line()
    line.say(hello(role=Role.NONE), Ping(hop=9))
    line.until(line.now_us + 1)
    assert line.session.state is State.CONFIGURING
    assert line.events == [Implausible(Flaw.HOP.value, 1)]


# Frames that were lost


def test_frames_that_the_board_missed_are_named_but_those_of_the_session_are_not(line: Line) -> None:
    missed = [Flush(image=1), Ping(hop=Hop.PEER_HOST), CAMERA, Ping(hop=Hop.BOARD), Repeat(next_seq=0, missing=1)]
    first = line.board.reader.next_seq
    for packet in missed:
        line.session.channel.write(line.now_us, packet)
    lost = line.session.confirm(line.now_us, Credit(next_seq=first + len(missed), missing=(1 << len(missed)) - 1))
    assert [sent.packet for sent in lost] == missed[:2]


def test_what_a_board_that_was_reset_may_not_have_is_given_back_once_in_order(line: Line) -> None:
    for packet in (Flush(image=1), Ping(hop=Hop.BOARD), Flush(image=2)):
        line.write(packet)
    line.say(Error(code=ErrorCode.NOT_READY))
    line.say(BOARD)
    assert [sent.packet for sent in line.session.take_abandoned()] == [Flush(image=1), Flush(image=2)]
    assert line.session.take_abandoned() == []


def test_a_board_that_is_greeted_twice_keeps_what_was_abandoned_first(line: Line) -> None:
    line.write(Flush(image=1))
    line.say(Error(code=ErrorCode.NOT_READY))
    line.session.start(line.now_us)  # the cable came back, too
    line.say(BOARD)
    assert [sent.packet for sent in line.session.take_abandoned()] == [Flush(image=1)]
