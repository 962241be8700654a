"""Whatever the other end sends, no exception leaves sender or receiver, and what cannot be true is not reported."""

from __future__ import annotations

import contextlib
import math
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from host.link.answers import unpack_classes
from host.link.border import LONGEST_INTERVAL_US, LONGEST_US, SHORTEST_INTERVAL_US
from host.link.events import Answer, Event, ImageCollected, Implausible, LinkChanged, Ready, Unanswered
from host.link.frames import write_frame
from host.link.image_number import CLOCK_MODULO_US, number_of
from host.link.receiver import MAX_OPEN, MOST_REMEMBERED, Receiver
from host.link.sender import MAX_PENDING, DeadlineInfeasibleError
from host.link.session import State
from host.wire import MAX_SOURCES, Hello, Hop, Log, Picture, Ping, Pong, Result, ResultStatus
from tests.link.desk import AHEAD_US, PROGRAM, ReceiverDesk, SenderDesk, ranked
from tests.link.hostile import PACKETS, PICTURES, aimed, control_packets, integers

ANYTHING = st.sampled_from([None, b"cat", "cat", 5.5, -1, math.nan, 10**400, 1j, (), [3], object()])
CLASS = st.one_of(
    st.tuples(st.sampled_from([-1, 0, 5, 65_535, 65_536, 1 << 40]), st.text(max_size=300), st.floats()),
    st.tuples(ANYTHING, ANYTHING, ANYTHING),
    st.tuples(st.integers(0, 9), ANYTHING, st.floats(0, 1)),
    st.tuples(ANYTHING, st.text(max_size=9), st.floats(0, 1)),
    ANYTHING,
)
LONG = st.tuples(st.integers(0, 9), st.text(min_size=90, max_size=300), st.floats(0, 1))
CLASSES = st.lists(CLASS, max_size=6) | st.lists(LONG, min_size=30, max_size=99)
PAUSES_US = st.sampled_from([0, 1, 500, 5_000, 20_000, 150_000, 1_100_000])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("packet"), PACKETS, st.booleans()),
        st.tuples(st.just("packet"), control_packets(Result) | control_packets(Pong), st.just(True)),
        st.tuples(st.just("bytes"), st.binary(max_size=400), st.booleans()),
        st.tuples(st.just("cut"), PACKETS, st.booleans()),
        st.tuples(st.just("submit"), st.integers(1, 30), st.booleans()),
        st.tuples(st.just("credit"), st.integers(0, 64), st.booleans()),
        st.tuples(st.just("wait"), PAUSES_US, st.booleans()),
    ),
    max_size=40,
)
ROOMY = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


class Submitted:
    """The pictures that a test gave to its sender: when, and the number of packets."""

    def __init__(self) -> None:
        self.by_number: dict[int, list[tuple[int, int]]] = {}
        self.count = 0

    def add(self, number: int, now_us: int, packets: int) -> None:
        self.by_number.setdefault(number, []).append((now_us, packets))
        self.count += 1


def check(desk: SenderDesk | ReceiverDesk, events: list[Event], submitted: Submitted) -> None:
    """Assert that the events say nothing that cannot be."""
    for event in events:
        match event:
            case Ready():
                assert 0 <= event.round_trip_us <= desk.now_us
                assert 0 <= event.service_us <= LONGEST_US
            case LinkChanged():
                assert 0 <= event.source < MAX_SOURCES
                assert event.interval_us in (0, *range(SHORTEST_INTERVAL_US, LONGEST_INTERVAL_US + 1))
            case Answer():
                at_us, packets = submitted.by_number[event.image][-1]
                assert max(event.ranks, default=-1) < packets
                assert len(event.ranks) <= event.sent + event.resent
                assert 0 <= event.service_us <= desk.now_us - at_us
                assert abs(event.margin_us) <= desk.now_us - at_us + LONGEST_US + 2_000_000
                assert all(0 <= index <= 65_535 and 0 <= probability <= 1 for index, _, probability in event.classes)
                assert isinstance(event.text, str)
            case ImageCollected():
                ranks = [packet.rank for packet in event.packets]
                assert ranks == sorted(set(ranks)) == sorted(event.arrived_us)
                assert event.deadline_us <= desk.now_us + LONGEST_US + 6_000_000


def outcomes(events: list[Event]) -> int:
    return sum(isinstance(event, Unanswered) or (isinstance(event, Answer) and event.final) for event in events)


def frame(packet: Picture | Hello | Log | Result | Pong | Ping) -> bytes:
    return write_frame(0, packet.pack())


@ROOMY
@given(steps=STEPS)
def test_no_bytes_break_a_sender_and_every_picture_ends_once(steps: list[tuple[str, object, bool]]) -> None:
    desk, submitted = SenderDesk(), Submitted()
    desk.ready()
    numbers: list[int] = []
    ping: Ping | None = None
    for kind, value, flag in steps:
        before = len(desk.events)
        if kind == "packet":
            packet = aimed(value, numbers, ping) if flag else value  # type: ignore[arg-type]
            desk.say(packet)  # type: ignore[arg-type]
        elif kind == "bytes":
            desk._record(desk.machine.receive(desk.now_us, value + (b"\0" if flag else b"")))  # type: ignore[operator]
        elif kind == "cut":
            cut = frame(value)[: 1 + len(value.pack()) // 2]  # type: ignore[arg-type, attr-defined]
            desk._record(desk.machine.receive(desk.now_us, cut + b"\0"))
        elif kind == "submit" and desk.sender.pending < MAX_PENDING:
            with contextlib.suppress(DeadlineInfeasibleError):
                number = desk.sender.submit(desk.now_us, ranked(value), desk.now_us + 400_000)  # type: ignore[arg-type]
                submitted.add(number, desk.now_us, value)  # type: ignore[arg-type]
                numbers.append(number)
                desk.at(desk.now_us)
        elif kind == "credit":
            desk.credit(waiting=value if flag else 0)
        elif kind == "wait":
            desk.wait(value)  # type: ignore[arg-type]
        pings = [packet for packet in desk.heard(Ping) if packet.hop == Hop.PEER_HOST]
        ping = pings[-1] if pings else ping
        check(desk, desk.events[before:], submitted)
    desk.wait(1_000_000)
    assert outcomes(desk.events) == submitted.count
    assert desk.sender.pending == 0
    rates = Counter(event.text for event in desk.events if isinstance(event, Implausible))
    passed_s = (desk.now_us - 1_000_000) // 1_000_000 + 2
    assert all(times <= passed_s for times in rates.values()), "a flaw was reported more often than once a second"


@ROOMY
@given(
    steps=st.lists(
        st.one_of(
            st.tuples(st.just("packet"), PACKETS),
            st.tuples(st.just("packet"), PICTURES),
            st.tuples(st.just("due"), PICTURES),
            st.tuples(st.just("bytes"), st.binary(max_size=400)),
            st.tuples(st.just("wait"), PAUSES_US),
        ),
        max_size=60,
    ),
    classes=CLASSES,
    service_us=st.sampled_from([0, 30_000, -5, 1 << 31, 1 << 40]),
    workers=st.sampled_from([None, 1, 3]),
)
def test_no_bytes_and_no_classifier_break_a_receiver(
    steps: list[tuple[str, object]],
    classes: list[Any],
    service_us: int,
    workers: int | None,
) -> None:
    desk = ReceiverDesk(Receiver(nonce=8, service_us=service_us, workers=workers))
    for kind, value in steps:
        before = len(desk.events)
        if kind == "packet":
            desk.say(value)  # type: ignore[arg-type]
        elif kind == "due":
            packet: Picture = value  # type: ignore[assignment]
            desk.arrive(packet.rank, image=desk.due(100), last=packet.rank if packet.last else 255)
        elif kind == "bytes":
            desk._record(desk.machine.receive(desk.now_us, value))  # type: ignore[arg-type]
        else:
            desk.wait(value)  # type: ignore[arg-type]
        events = desk.events[before:]
        check(desk, events, Submitted())
        for event in events:
            if isinstance(event, ImageCollected):
                used = [packet.rank for packet in event.packets]
                desk.receiver.answer(desk.now_us, event, classes, service_us=service_us, used=used)
        desk.at(desk.now_us)
        for packet in desk.heard((Result, Pong)):
            assert 0 <= packet.service_us <= LONGEST_US
            assert packet.clock_us < CLOCK_MODULO_US
            if isinstance(packet, Result) and packet.status == ResultStatus.OK:
                assert bool(unpack_classes(packet.text)) == bool(classes), "classes are given, and none is carried"
    for source in range(MAX_SOURCES):
        assert sum(key[0] == source for key in desk.receiver._open) <= MAX_OPEN
        assert len(desk.receiver._closed_us.get(source, ())) <= MOST_REMEMBERED + 1


@ROOMY
@given(lies=st.lists(control_packets(Pong) | control_packets(Result), max_size=12), pending=st.booleans())
def test_a_sender_works_as_before_once_the_server_is_honest_again(lies: list[Pong | Result], pending: bool) -> None:
    desk = SenderDesk()
    desk.ready()
    numbers = [desk.submit(3, 400_000)] if pending else []
    desk.credit()
    ping = Ping(hop=Hop.PEER_HOST, token=7, origin_us=desk.sender._origins[-1])
    for lie in lies:
        desk.say(aimed(lie, numbers, ping))
    for _ in range(12):
        desk.wait(500_000)
        desk.credit()
        for ping in [packet for packet in desk.heard(Ping) if packet.hop == Hop.PEER_HOST]:
            desk.pong(ping)
            desk.credit()
    number = desk.submit(3, 300_000)
    assert [packet.image for packet in desk.pictures()] == [number] * 3
    late_ms = (number - number_of(desk.now_us + 300_000 + AHEAD_US) + (1 << 15)) % (1 << 16) - (1 << 15)
    assert -60 <= late_ms <= 0  # it leaves the server by the deadline, and not much earlier
    (answer,) = desk.result(number, range(3), [(4, "cat", 0.5)])
    assert isinstance(answer, Answer)
    assert (answer.status, answer.ranks, answer.late) == (ResultStatus.OK, frozenset(range(3)), False)


@pytest.mark.parametrize("code", "BHIQbh")
def test_the_edges_of_a_field_are_tried(code: str) -> None:
    found: set[int] = set()

    @settings(max_examples=200, database=None)
    @given(integers(code))
    def collect(value: int) -> None:
        found.add(value)

    collect()
    assert len(found) > 8


def test_a_hostile_board_does_not_keep_a_failed_session_talking() -> None:
    desk = SenderDesk()
    desk.wait(2_000_000)
    assert desk.sender.session.state is State.FAILED
    desk.heard()
    for packet in (Hello(version=2, kind=1, role=200), Log(level=200, text=b"\xff"), Result(image=1, program=PROGRAM)):
        assert [event for event in desk.say(packet) if isinstance(event, Answer | Ready)] == []
    assert desk.heard() == []
