"""Opening a session with a board, and detecting its loss."""

from __future__ import annotations

from itertools import pairwise

import pytest

from host.errors import Reason
from host.link.events import REASONS, Failed, FailureReason, ImageCollected, Notice, Opened, Ready
from host.link.sender import Sender
from host.link.session import (
    HELLO_EVERY_US,
    HELLO_LIMIT_US,
    LAST_WAIT_US,
    PROBE_US,
    SILENCE_LIMIT_US,
    SILENCE_US,
    Session,
    State,
)
from host.wire import VERSION, Configure, Error, ErrorCode, Hello, Hop, Kind, LinkState, Phy, Ping, Result, Role
from tests.link.desk import ReceiverDesk, SenderDesk, ranks


def troubles(desk: SenderDesk | ReceiverDesk) -> list[FailureReason]:
    return [event.reason for event in desk.events if isinstance(event, Failed)]


def test_the_first_thing_said_is_hello_in_our_version() -> None:
    (hello,) = SenderDesk().heard()
    assert (hello.version, hello.kind, hello.session) == (VERSION, Kind.HOST, 7)


def test_hello_is_repeated_until_the_limit_and_then_no_board_is_reported_once() -> None:
    desk = SenderDesk()
    desk.wait(HELLO_LIMIT_US - 1)
    assert not desk.events
    assert len(desk.heard(Hello)) > 3
    desk.wait(HELLO_LIMIT_US)
    assert troubles(desk) == [FailureReason.NO_BOARD]
    assert desk.heard() == []


def test_a_board_with_the_role_opens_the_session_without_a_configuration() -> None:
    desk = SenderDesk()
    (event,) = desk.hello(name=b"left")
    assert isinstance(event, Opened)
    assert event.hello.name == b"left"
    assert not event.restarted
    assert desk.heard(Configure) == []


@pytest.mark.parametrize("version", [0, VERSION + 1, 255])
def test_a_board_of_another_version_is_refused_and_both_versions_are_named(version: int) -> None:
    desk = SenderDesk()
    (event,) = desk.hello(version=version, firmware=bytes([3, 2, 1]))
    assert isinstance(event, Failed)
    assert event.reason is FailureReason.VERSION
    assert f"version {version}" in event.detail
    assert f"version {VERSION}" in event.detail
    assert "3.2.1" in event.detail


def test_a_board_of_the_other_role_is_refused_and_both_roles_are_named() -> None:
    desk = SenderDesk()
    (event,) = desk.hello(role=Role.EDGE)
    assert event == Failed(FailureReason.ROLE, "it is the edge board, and this needs the camera board")


def test_each_failure_is_one_line_and_has_the_reason_of_its_error() -> None:
    assert str(Failed(FailureReason.CONFIGURE, "too short an interval")) == (
        "the board refused the configuration: too short an interval"
    )
    assert REASONS == {
        FailureReason.NO_BOARD: Reason.NO_BOARD,
        FailureReason.SILENT: Reason.BOARD_SILENT,
        FailureReason.VERSION: Reason.WRONG_FIRMWARE,
        FailureReason.ROLE: Reason.WRONG_ROLE,
        FailureReason.CONFIGURE: Reason.REFUSED,
        FailureReason.UNCONFIRMED: Reason.NOT_READY,
    }


def test_a_board_of_the_other_role_is_taken_over_if_that_is_wanted() -> None:
    session = Session(Configure(role=Role.CAMERA), nonce=1, take_over=True)
    desk = SenderDesk()
    desk.sender.session = session
    desk.machine.start(desk.now_us)
    desk.hello(role=Role.EDGE)
    desk.at(desk.now_us)
    assert [packet.role for packet in desk.heard(Configure)] == [Role.CAMERA]
    assert not desk.events


def test_a_board_without_a_role_is_given_it_and_opens_with_its_second_hello() -> None:
    desk = SenderDesk()
    assert desk.hello(role=Role.NONE) == []
    assert [packet.role for packet in desk.heard(Configure)] == [Role.CAMERA]
    (event,) = desk.hello(role=Role.CAMERA)
    assert isinstance(event, Opened)


def test_radio_settings_are_asked_of_a_board_that_has_the_role_already() -> None:
    wanted = Configure(role=Role.CAMERA, phy=Phy.CODED_S8, interval_us=30_000, tx_power_dbm=127)
    desk = SenderDesk(configure=wanted)
    assert desk.hello() == []
    assert desk.heard(Configure) == [wanted]
    (event,) = desk.hello()
    assert isinstance(event, Opened)


def test_a_refused_configuration_fails_with_the_boards_words() -> None:
    desk = SenderDesk(configure=Configure(role=Role.CAMERA, interval_us=7_500))
    desk.hello()
    (event,) = desk.say(Error(code=ErrorCode.CONFIGURE, detail=5, text=b"too short an interval"))
    assert event == Failed(FailureReason.CONFIGURE, "too short an interval")


def test_a_fault_of_the_board_is_an_error_for_the_user_and_fails_nothing() -> None:
    desk = SenderDesk()
    desk.hello()
    (event,) = desk.say(Error(code=ErrorCode.STUCK, detail=1 << 16 | 5, text=b"the radio took no packet"))
    assert event == Notice(1, "the radio took no packet (error 15, `boards doctor`)")
    (event,) = desk.say(Error(code=ErrorCode.OVERRUN, detail=5, text=b"queue full"))
    assert event == Notice(2, "queue full")
    assert troubles(desk) == []


def test_a_configuration_that_is_never_confirmed_fails() -> None:
    desk = SenderDesk()
    desk.hello(role=Role.NONE)
    desk.wait(1_100_000)
    assert troubles(desk) == [FailureReason.UNCONFIRMED]


def test_the_server_across_is_asked_until_it_answers() -> None:
    desk = SenderDesk()
    desk.open()
    desk.credit(link=LinkState.DOWN)
    desk.wait(300_000)
    assert [ping for ping in desk.heard(Ping) if ping.hop == Hop.PEER_HOST] == []
    desk.credit()
    for _ in range(10):
        desk.wait(50_000)
        desk.credit()
    assert len([ping for ping in desk.heard(Ping) if ping.hop == Hop.PEER_HOST]) >= 4
    assert not desk.sender.ready


def test_the_first_pong_of_the_server_makes_the_sender_ready() -> None:
    desk = SenderDesk()
    desk.ready()
    (ready,) = [event for event in desk.events if isinstance(event, Ready)]
    assert (ready.round_trip_us, ready.service_us) == (20_000, 30_000)


def test_a_silent_board_is_greeted_again_and_given_up_after_five_seconds() -> None:
    desk = SenderDesk()
    desk.ready()
    desk.submit(8, 2_000_000)
    assert desk.pictures()
    silent_since_us = desk.now_us
    greeted_us = []
    while not troubles(desk):
        wake_us = desk.machine.wake_at()
        assert wake_us is not None
        desk.at(wake_us)
        greeted_us += [desk.now_us for _ in desk.heard(Hello)]
    assert troubles(desk) == [FailureReason.SILENT]
    assert str(desk.events[-1]) == "the board stopped answering: no answer for 5 s"
    assert SILENCE_US <= greeted_us[0] - silent_since_us <= SILENCE_US + PROBE_US[1]
    pauses_us = {later - earlier for earlier, later in pairwise(greeted_us)}
    assert pauses_us == {HELLO_EVERY_US}
    assert 0 <= desk.now_us - silent_since_us - SILENCE_LIMIT_US <= PROBE_US[1]


def test_a_board_that_answers_after_a_silence_gets_again_what_it_did_not_confirm() -> None:
    desk = SenderDesk()
    desk.ready()
    desk.submit(5, 9_000_000)
    assert ranks(desk.pictures()) == [0, 1, 2, 3, 4]
    desk.wait(3_000_000)
    assert desk.sender.session.state is State.GREETING
    (opened,) = desk.hello()
    assert isinstance(opened, Opened)
    assert opened.restarted
    desk.credit()
    assert ranks(desk.pictures()) == [0, 1, 2, 3, 4]
    desk.wait(400_000)
    assert troubles(desk) == []


def test_an_answer_that_a_silent_board_did_not_confirm_is_given_to_it_again() -> None:
    desk = ReceiverDesk()
    desk.credit()
    (collected,) = desk.arrive(0, last=0)
    assert isinstance(collected, ImageCollected)
    desk.receiver.answer(desk.now_us, collected, [(1, "cat", 0.5)], service_us=9, used=[0])
    desk.at(desk.now_us)
    (result,) = desk.heard(Result)
    desk.wait(1_000_000)
    assert desk.heard(Result) == []
    desk.hello()
    desk.at(desk.now_us)
    assert desk.heard(Result) == [result]
    desk.credit()
    desk.wait(2_000_000)
    assert desk.heard(Result) == []


def test_a_computer_that_slept_does_not_blame_its_board() -> None:
    desk = SenderDesk()
    desk.ready()
    desk.submit(5, 9_000_000)
    desk.wait(10_000)
    desk.heard()
    desk.at(desk.now_us + 2_000_000)
    assert desk.heard(Hello) == []
    assert desk.sender.session.state is State.OPEN
    desk.credit(waiting=5)
    desk.wait(SILENCE_US // 2)
    assert desk.heard(Hello) == []
    desk.wait(SILENCE_US)
    assert desk.heard(Hello)


def test_an_idle_board_that_goes_silent_is_noticed_too() -> None:
    for desk in (SenderDesk(), ReceiverDesk()):
        desk.open()
        desk.credit()
        desk.wait(2_000_000)
        assert len(desk.heard(Hello)) > 2
        assert troubles(desk) == []
        desk.wait(5_000_000)
        assert troubles(desk) == [FailureReason.SILENT]


def test_a_board_that_answers_probes_is_not_called_silent() -> None:
    desk = SenderDesk()
    desk.ready()
    desk.submit(8, 3_000_000)
    for _ in range(100):
        desk.wait(30_000)
        desk.credit(free=0)
    assert troubles(desk) == []


def test_after_a_reset_the_board_is_greeted_again_and_the_ranks_it_held_are_sent_again() -> None:
    desk = SenderDesk()
    desk.ready()
    desk.submit(5, 1_000_000)
    assert ranks(desk.pictures()) == [0, 1, 2, 3, 4]
    desk.credit(waiting=5)
    desk.say(Error(code=ErrorCode.NOT_READY, detail=Role.CAMERA))
    assert len(desk.heard(Hello)) == 1
    (opened,) = desk.hello(session=6)
    assert isinstance(opened, Opened)
    assert opened.restarted
    desk.at(desk.now_us)
    assert desk.pictures() == []  # no credit yet
    desk.credit()
    assert ranks(desk.pictures()) == [0, 1, 2, 3, 4]


def test_totals_that_start_from_zero_after_a_reset_do_not_spoil_the_rate() -> None:
    desk = SenderDesk()
    desk.ready()
    desk.measure(50_000)
    before = desk.sender.rate.bytes_per_s
    desk.say(Error(code=ErrorCode.NOT_READY, detail=Role.CAMERA))
    desk.hello(session=6)
    desk.credit(acked_bytes=0, busy_us=0)
    assert desk.sender.rate.bytes_per_s == before


def test_a_session_that_failed_says_nothing_more() -> None:
    sender = Sender(nonce=1)
    desk = SenderDesk(sender)
    desk.wait(HELLO_LIMIT_US + 1)
    assert sender.session.state is State.FAILED
    desk.heard()
    desk.hello()
    desk.credit()
    desk.wait(5_000_000)
    assert desk.heard() == []
    assert len(troubles(desk)) == 1


def test_a_configuration_that_broke_on_the_wire_is_said_again() -> None:
    desk = SenderDesk()
    desk.lose = lambda packet: isinstance(packet, Configure)
    desk.hello(role=Role.NONE)
    desk.lose = lambda _: False
    assert desk.heard(Configure) == []
    desk.wait(300_000)
    assert [packet.role for packet in desk.heard(Configure)] == [Role.CAMERA]
    (event,) = desk.hello(role=Role.CAMERA)
    assert isinstance(event, Opened)


def test_a_configuration_refused_after_a_second_hello_still_fails() -> None:
    desk = SenderDesk(configure=Configure(role=Role.CAMERA, interval_us=7_500))
    desk.wait(250_000)  # two hellos are on their way, and both are answered
    desk.hello()
    desk.hello()
    (event,) = desk.say(Error(code=ErrorCode.CONFIGURE, detail=5, text=b"too short an interval"))
    assert event == Failed(FailureReason.CONFIGURE, "too short an interval")


@pytest.mark.parametrize("asleep_us", [2_000_000, 60_000_000])
def test_after_a_pause_of_this_computer_the_board_is_asked_once_more_before_it_is_given_up(asleep_us: int) -> None:
    desk = SenderDesk()
    desk.wait(300_000)
    desk.heard()
    assert desk.at(desk.now_us + asleep_us) == []  # nothing looked at the clock or read the port meanwhile
    assert len(desk.heard(Hello)) == 1
    (event,) = desk.hello()
    assert isinstance(event, Opened)


def test_a_board_that_is_silent_after_a_pause_too_is_given_up_soon_and_once() -> None:
    desk = SenderDesk()
    desk.wait(300_000)
    desk.at(desk.now_us + 60_000_000)
    desk.wait(LAST_WAIT_US)
    assert troubles(desk) == [FailureReason.NO_BOARD]
    desk.wait(5_000_000)
    assert troubles(desk) == [FailureReason.NO_BOARD]


def test_a_pause_while_a_board_is_called_silent_gives_it_another_chance() -> None:
    desk = SenderDesk()
    desk.open()
    desk.credit()
    while not desk.heard(Hello):
        desk.wait(100_000)
    assert desk.at(desk.now_us + 30_000_000) == []
    assert len(desk.heard(Hello)) == 1
    (event,) = desk.hello()
    assert isinstance(event, Opened)
    assert event.restarted


def test_after_a_pause_the_configuration_is_said_once_more_too() -> None:
    desk = SenderDesk()
    desk.hello(role=Role.NONE)
    desk.heard()
    assert desk.at(desk.now_us + 30_000_000) == []
    assert len(desk.heard(Configure)) == 1
    (event,) = desk.hello(role=Role.CAMERA)
    assert isinstance(event, Opened)
