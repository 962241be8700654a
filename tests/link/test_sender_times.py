"""What a sender does by the clock and by its estimates, to the last unit: pings, ends, parts, and what it foretells."""

from __future__ import annotations

from dataclasses import replace

import pytest

from host.link.border import Flaw
from host.link.events import Answer, Notice, Ready, Unanswered
from host.link.sender import FIRST_PING_EVERY_US, PING_EVERY_US, DeadlineInfeasibleError, Policy, Sender
from host.ranked import RankedPacket
from host.wire import (
    MAX_CODEC_BYTES,
    MAX_DEADLINE_MS,
    Configure,
    Credit,
    Flush,
    Hello,
    Hop,
    Link,
    LinkState,
    Log,
    Ping,
    Pong,
    Result,
    Role,
)
from tests.link.desk import PROGRAM, ROUND_TRIP_US, SERVICE_US, SenderDesk, ranked

MS = 1_000


@pytest.fixture
def desk() -> SenderDesk:
    made = SenderDesk()
    made.ready()
    return made


def server_pings(desk: SenderDesk) -> list[Ping]:
    return [ping for ping in desk.heard(Ping) if ping.hop == Hop.PEER_HOST]


def ping_times(desk: SenderDesk, duration_us: int) -> list[int]:
    """Return when the server is asked in a time, us from now. The board confirms all that it gets."""
    begun_us, found = desk.now_us, []
    while (wake_us := desk.machine.wake_at()) is not None and wake_us <= begun_us + duration_us:
        desk.at(wake_us)
        found += [desk.now_us - begun_us] * len(server_pings(desk))
        desk.credit()
    desk.now_us = begun_us + duration_us
    return found


# Who it is


def test_its_hello_names_it_and_a_board_without_a_role_is_made_a_camera_board() -> None:
    desk = SenderDesk(Sender(nonce=0x5678))
    (hello,) = desk.heard(Hello)
    assert (hello.session, hello.name) == (0x5678, b"send")
    desk.hello(role=Role.NONE)
    assert desk.heard(Configure) == [Configure(role=Role.CAMERA, tx_power_dbm=127)]


def test_before_anything_is_heard_nothing_is_ready_and_nothing_pending() -> None:
    sender = Sender(nonce=1)
    assert (sender.ready, sender.link, sender.pending, sender.policy) == (False, LinkState.DOWN, 0, Policy())
    assert sender.likely_bytes(0, 1_000_000) is None
    assert sender.wake_at() is None


@pytest.mark.parametrize("sessions", [4, 5, 6, 7])
def test_the_programs_number_is_that_of_the_boards_first_session(sessions: int) -> None:
    desk = SenderDesk()
    desk.hello(sessions=sessions)
    desk.machine.start(desk.now_us)
    desk.hello(sessions=sessions + 1)
    desk.credit()
    desk.submit(1, 500 * MS)
    assert [picture.program for picture in desk.pictures()] == [sessions % 4]


# Pings to the server


def test_the_server_is_asked_at_once_then_ten_times_a_second_until_it_answers() -> None:
    desk = SenderDesk()
    desk.open()
    assert server_pings(desk) == []
    desk.credit()
    assert ping_times(desk, 300 * MS) == [0, *range(FIRST_PING_EVERY_US, 300 * MS + 1, FIRST_PING_EVERY_US)]


def test_a_server_that_answered_is_asked_once_a_second(desk: SenderDesk) -> None:
    since_us = ROUND_TRIP_US  # the last ping went a round trip before now
    assert ping_times(desk, 2_500 * MS) == [PING_EVERY_US - since_us, 2 * PING_EVERY_US - since_us]


def test_a_ping_carries_the_nonce_and_the_time_modulo_32_bits() -> None:
    desk = SenderDesk(Sender(nonce=0x1234))
    desk.now_us = (5 << 32) + 99
    desk.machine.start(desk.now_us)
    desk.hello()
    desk.credit()
    desk.at(desk.now_us)
    (ping,) = server_pings(desk)
    assert ping == Ping(hop=Hop.PEER_HOST, token=0x1234, origin_us=99)
    assert desk.pong(ping, 12_000) == [Ready(12_000, SERVICE_US)]


@pytest.mark.parametrize("fields", [{"waiting": 1}, {"in_radio": 1}, {"waiting": 1, "in_radio": 1}])
def test_no_ping_queues_behind_pictures(desk: SenderDesk, fields: dict[str, int]) -> None:
    desk.credit(**fields)
    for _ in range(30):
        desk.wait(100 * MS)
        assert server_pings(desk) == []
        desk.credit(**fields)
    desk.credit()
    desk.at(desk.now_us)
    assert len(server_pings(desk)) == 1


def test_no_ping_queues_behind_pictures_before_the_server_was_heard_either() -> None:
    desk = SenderDesk()
    desk.open()
    desk.credit(waiting=1)
    desk.wait(100 * MS)
    assert server_pings(desk) == []


def test_all_events_of_what_comes_at_once_are_returned(desk: SenderDesk) -> None:
    numbers = [desk.submit(1, 500 * MS) for _ in range(2)]
    results = [Result(image=number, program=PROGRAM, clock_us=desk.clock_us(ROUND_TRIP_US // 2)) for number in numbers]
    events = desk.say(Log(level=3, text=b"a"), *results)
    assert [type(event) for event in events] == [Notice, Answer, Answer]


def test_a_board_that_came_back_is_asked_for_its_server_at_once(desk: SenderDesk) -> None:
    desk.machine.start(desk.now_us)
    desk.hello()
    assert desk.sender.link is LinkState.DOWN
    assert server_pings(desk) == []
    desk.credit()
    desk.at(desk.now_us)
    assert len(server_pings(desk)) == 1


def test_a_pong_across_the_wrap_of_the_clock_gives_the_round_trip() -> None:
    desk = SenderDesk()
    desk.now_us = (1 << 32) - 5_000
    desk.machine.start(desk.now_us)
    desk.hello()
    desk.credit()
    desk.at(desk.now_us)
    (ping,) = server_pings(desk)
    (ready,) = desk.pong(ping, 12_000, held_us=2_000)
    assert ready == Ready(10_000, SERVICE_US)


def test_a_pong_that_was_held_for_the_whole_round_trip_is_used(desk: SenderDesk) -> None:
    desk.wait(PING_EVERY_US)
    (ping,) = server_pings(desk)
    desk.pong(ping, 12 * MS, held_us=desk.now_us + 12 * MS - ping.origin_us)
    assert desk.sender.session.channel.border.counts == {}
    assert desk.sender.server.least_one_way_us == 0


def test_a_pong_is_as_old_as_a_picture_may_wait_at_most() -> None:
    for late_us, flaws in ((0, 0), (1, 1)):
        desk = SenderDesk()
        desk.open()
        desk.credit()
        desk.at(desk.now_us)
        (ping,) = server_pings(desk)
        desk.now_us += MAX_DEADLINE_MS * MS + late_us
        desk.say(Pong(hop=Hop.PEER_HOST, token=ping.token, origin_us=ping.origin_us))
        assert desk.sender.session.channel.border.counts.total() == flaws


def test_only_the_last_256_pings_can_be_answered() -> None:
    desk = SenderDesk()
    desk.open()
    desk.credit()
    desk.at(desk.now_us)
    found = server_pings(desk)
    while len(found) < 257:
        desk.wait(FIRST_PING_EVERY_US)
        found += server_pings(desk)
        desk.credit()
    for ping, flaws in ((found[0], 1), (found[1], 1)):
        desk.say(Pong(hop=Hop.PEER_HOST, token=ping.token, origin_us=ping.origin_us))
        assert desk.sender.session.channel.border.counts.total() == flaws


# The end of a picture


def test_a_picture_ends_at_its_deadline_and_the_grace_and_wakes_the_sender_then(desk: SenderDesk) -> None:
    desk.credit(link=LinkState.DOWN)
    number = desk.submit(1, 300 * MS)
    end_us = desk.now_us + 300 * MS + Policy().grace_us
    (image,) = desk.sender._images.values()
    while desk.now_us < image.send_by_us:
        wake_us = desk.machine.wake_at()
        assert wake_us is not None
        assert wake_us <= image.send_by_us
        desk.at(wake_us)
        desk.credit(link=LinkState.DOWN)
    assert image.flushed
    assert desk.heard(Flush) == []  # the board has nothing of it
    found = []
    while not found:
        wake_us = desk.machine.wake_at()
        assert wake_us is not None
        assert wake_us <= end_us
        found = [event for event in desk.at(wake_us) if isinstance(event, Unanswered)]
        desk.credit(link=LinkState.DOWN)
    assert (desk.now_us, found) == (end_us, [Unanswered(number, 0, 0)])


def test_an_answer_exactly_at_the_deadline_is_in_time(desk: SenderDesk) -> None:
    number = desk.submit(1, 200 * MS)
    desk.now_us += 200 * MS
    (answer,) = desk.result(number)
    assert isinstance(answer, Answer)
    assert not answer.late


# What is refused


def test_a_deadline_of_the_longest_time_is_taken(desk: SenderDesk) -> None:
    desk.sender.submit(desk.now_us, ranked(1), desk.now_us + MAX_DEADLINE_MS * MS)
    with pytest.raises(ValueError, match=r"^a deadline is at most 65535 ms away$"):
        desk.sender.submit(desk.now_us, ranked(1), desk.now_us + MAX_DEADLINE_MS * MS + 1)


def test_each_refusal_says_why(desk: SenderDesk) -> None:
    with pytest.raises(ValueError, match=r"^a picture's packets must have the ranks 0, 1, 2, \.\.\. in this order$"):
        desk.sender.submit(desk.now_us, [RankedPacket(1, 0, b"x")], desk.now_us + 500 * MS)
    with pytest.raises(DeadlineInfeasibleError, match=r"^this link needs at least 50 ms, 30 of them to decode and cl"):
        desk.sender.submit(desk.now_us, ranked(1), desk.now_us + 49_999)
    for _ in range(64):
        desk.sender.submit(desk.now_us, ranked(1), desk.now_us + 500 * MS)
    with pytest.raises(ValueError, match=r"^64 images already wait for their answer$"):
        desk.sender.submit(desk.now_us, ranked(1), desk.now_us + 500 * MS)


def test_a_deadline_that_is_past_is_refused_before_anything_is_known() -> None:
    with pytest.raises(DeadlineInfeasibleError, match=r"^this link needs at least 0 ms, 0 of them to decode and class"):
        Sender(nonce=1).submit(1_000, ranked(1), 999)


# What it foretells


@pytest.mark.parametrize(("left_ms", "expected"), [(400, 20_000), (0, 0), (-100, 0)])
def test_the_likely_bytes_are_those_of_the_time_for_sending(desk: SenderDesk, left_ms: int, expected: int) -> None:
    desk.measure(50_000)
    server = desk.sender.server
    server._margin_us = 0.0
    deadline_us = desk.now_us + left_ms * MS + round(server.service_us + server.way_back_us)
    assert desk.sender.likely_bytes(desk.now_us, deadline_us) == expected


def test_no_bytes_are_likely_in_no_time_on_the_fastest_link(desk: SenderDesk) -> None:
    desk.measure(5_000_000)
    assert desk.sender.likely_bytes(desk.now_us, desk.now_us) == 0


def test_parts_are_asked_for_where_a_packet_takes_as_long_as_an_interval_or_25_ms() -> None:
    desk = SenderDesk(Sender(nonce=1, policy=replace(Policy(), first_bytes=50, slow_packet_us=236)))
    desk.open()
    whole = (MAX_CODEC_BYTES, MAX_CODEC_BYTES)
    assert desk.sender.part_bytes() == whole
    for at in range(2):  # a microsecond a byte
        desk.credit(acked_packets=at, acked_bytes=236 * at, busy_us=236 * at)
    assert desk.sender.byte_time.slow_us() == 1
    assert desk.sender.part_bytes() == (50, 236)
    desk.say(Link(state=LinkState.UP, interval_us=7_500))
    assert desk.sender.part_bytes() == whole
    assert desk.sender.server.events._interval_us == 7_500


def test_the_way_of_a_credit_to_its_estimates(desk: SenderDesk) -> None:
    desk.say(Credit(next_seq=desk.reader.next_seq, link=LinkState.UP, free=3))
    assert desk.sender.link is LinkState.UP
    desk.say(Credit(next_seq=desk.reader.next_seq, link=200, free=3))
    assert desk.sender.link is LinkState.DOWN


# The board's room


def test_the_frames_in_flight_are_24_at_most() -> None:
    desk = SenderDesk(Sender(nonce=7, policy=replace(Policy(), least_ahead=99)))
    desk.ready()
    desk.submit(60, 2_000 * MS)
    assert len(desk.pictures()) == 24
    desk.credit(next_seq=(desk.reader.next_seq - 22) % 256)
    assert len(desk.pictures()) == 2


def test_of_pictures_of_one_rank_and_deadline_the_first_submitted_goes_first(desk: SenderDesk) -> None:
    desk.credit(free=0)
    numbers = [desk.submit(2, 500 * MS) for _ in range(3)]
    desk.credit()
    assert [picture.image for picture in desk.pictures()] == numbers * 2


def test_the_board_may_hold_what_it_sends_in_150_ms_and_eight_packets(desk: SenderDesk) -> None:
    desk.measure(4_720)  # three packets of 236 bytes in 150 ms
    desk.submit(60, 2_000 * MS)
    assert len(desk.pictures()) == 11


def test_a_picture_that_no_board_asked_for_ends_and_is_not_recalled() -> None:
    desk = SenderDesk()
    number = desk.submit(1, 200 * MS)
    desk.wait(1_000 * MS)
    assert [event for event in desk.events if isinstance(event, Unanswered)] == [Unanswered(number, 0, 0)]
    assert desk.heard(Flush) == []


def test_a_server_that_seems_to_need_all_the_time_leaves_a_tenth_for_sending() -> None:
    desk = SenderDesk()
    desk.open()
    desk.credit()
    desk.at(desk.now_us)
    (ping,) = server_pings(desk)
    desk.pong(ping, service_us=9_000 * MS)
    desk.submit(1, 9_500 * MS)
    (image,) = desk.sender._images.values()
    assert image.send_by_us == desk.now_us + round(0.1 * (image.leaves_by_us - desk.now_us))


# What it learns from a result


def learnt(
    desk: SenderDesk, number: int, way_us: int = ROUND_TRIP_US // 2, **fields: int
) -> tuple[int, dict[Flaw, int]]:
    """Return how many readings of the server's clock a result added, and the flaws that were found in it."""
    server = desk.sender.server
    before = len(server._differences)
    desk.result(number, way_us=way_us, **fields)
    return len(server._differences) - before, dict(desk.sender.session.channel.border.counts)


def test_a_server_may_take_as_long_as_a_picture_may_wait(desk: SenderDesk) -> None:
    number = desk.submit(1, 300 * MS)
    assert learnt(desk, number, service_us=65_535_000) == (1, {})
    assert len(desk.sender.server._service) == 2
    number = desk.submit(1, 300 * MS)
    assert learnt(desk, number, service_us=65_535_001) == (1, {Flaw.RESULT_SERVICE: 1})
    assert len(desk.sender.server._service) == 2


@pytest.mark.parametrize(
    ("behind_us", "readings", "flaws"),
    [
        (2_000_000, 1, 0),
        (2_000_001, 0, 0),  # it was long on its way, since the picture has waited as long
        (3_000_000, 0, 0),
        (3_000_001, 0, 1),  # no picture can be answered before it was submitted
        (-40_000, 1, 0),  # a round trip and 20 ms of drift before it left
        (-40_001, 0, 1),
    ],
)
def test_a_result_with_another_clock_is_not_learnt_from(
    desk: SenderDesk, behind_us: int, readings: int, flaws: int
) -> None:
    number = desk.submit(1, 60_000 * MS)
    desk.now_us += 3_000 * MS
    found, counts = learnt(desk, number, way_us=ROUND_TRIP_US // 2 + behind_us)
    assert (found, counts.get(Flaw.RESULT_CLOCK, 0)) == (readings, flaws)


def test_a_clock_beyond_its_modulo_is_no_clock(desk: SenderDesk) -> None:
    number = desk.submit(1, 300 * MS)
    assert learnt(desk, number, clock_us=65_536_000)[1] == {Flaw.RESULT_CLOCK: 1}


def test_a_clock_of_the_modulo_itself_is_none_though_it_would_be_plausible_as_0(desk: SenderDesk) -> None:
    late_us = 5 * MS
    desk.submit(1, 65_000 * MS)
    (number,) = desk.sender._images
    desk.now_us += (-desk.clock_us()) % 65_536_000 + ROUND_TRIP_US // 2 + late_us
    readings, flaws = learnt(desk, number, clock_us=65_536_000)
    assert (readings, flaws[Flaw.RESULT_CLOCK]) == (0, 1)
