"""A machine's wake-up time is reliable and never causes a busy loop."""

from __future__ import annotations

import contextlib

from hypothesis import given, settings
from hypothesis import strategies as st

from host.link.sender import MAX_PENDING, DeadlineInfeasibleError
from host.wire import Error, ErrorCode, Hop, Ping, Pong, Role
from tests.link.desk import ReceiverDesk, SenderDesk

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("submit"), st.integers(1, 30), st.integers(100, 1500)),
        st.tuples(st.just("wake"), st.integers(1, 10), st.just(0)),
        st.tuples(st.just("credit"), st.integers(0, 64), st.integers(0, 2)),
        st.tuples(st.just("pong"), st.just(0), st.just(0)),
        st.tuples(st.just("result"), st.integers(0, 40), st.integers(0, 4)),
        st.tuples(st.just("reset"), st.just(0), st.just(0)),
        st.tuples(st.just("hello"), st.just(0), st.just(0)),
    ),
    max_size=40,
)


def settle(desk: SenderDesk | ReceiverDesk) -> None:
    """Repeated ticks at one time settle with the next wake-up in the future."""
    for _ in range(4):
        wake_us = desk.machine.wake_at()
        if wake_us is None or wake_us > desk.now_us:
            break
        desk.at(desk.now_us)
    else:
        raise AssertionError(f"wake_at {desk.machine.wake_at()} is not after {desk.now_us}: a busy loop")
    heard, events = len(desk._heard), len(desk.events)
    desk.at(desk.now_us)
    assert (len(desk._heard), len(desk.events)) == (heard, events), "a tick at rest did something"


@settings(max_examples=200, deadline=None)
@given(steps=STEPS)
def test_a_tick_at_wake_at_always_moves_the_next_one_into_the_future(steps: list[tuple[str, int, int]]) -> None:
    desk = SenderDesk()
    desk.ready()
    for kind, value, extra in steps:
        match kind:
            case "submit" if desk.sender.pending < MAX_PENDING:
                with contextlib.suppress(DeadlineInfeasibleError):
                    desk.submit(value, extra * 1000)
            case "wake":
                for _ in range(value):
                    wake_us = desk.machine.wake_at()
                    if wake_us is not None:
                        desk.at(wake_us)
                        settle(desk)
            case "credit":
                acked, busy_us = desk.totals.values()
                totals = {"acked_bytes": acked + 100 * value, "busy_us": busy_us + 5000 * extra}
                desk.credit(free=value, link=extra, waiting=value // 7, **totals)
            case "pong":
                desk.say(
                    *(
                        Pong(
                            hop=ping.hop,
                            token=ping.token,
                            origin_us=ping.origin_us,
                            service_us=1000,
                            clock_us=desk.clock_us(),
                        )
                        for ping in desk.heard(Ping)
                    )
                )
            case "result":
                numbers = [*desk.sender._images, value]
                desk.result(numbers[value % len(numbers)], range(value % 5), status=extra // 2, more=extra % 2)
            case "reset":
                desk.say(Error(code=ErrorCode.NOT_READY, detail=Role.CAMERA))
            case "hello":
                desk.hello()
        settle(desk)


@settings(max_examples=100, deadline=None)
@given(
    arrivals=st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 12), st.integers(0, 9), st.integers(0, 400), st.integers(0, 150)),
        max_size=60,
    )
)
def test_a_receiver_is_called_in_time_for_every_deadline(arrivals: list[tuple[int, int, int, int, int]]) -> None:
    desk = ReceiverDesk()
    desk.wait(1)
    for source, image, rank, remaining_ms, pause_ms in arrivals:
        desk.arrive(rank, source=source, image=desk.due(40 * image), remaining_ms=remaining_ms)
        settle(desk)
        end_us = desk.now_us + pause_ms * 1000
        while (wake_us := desk.machine.wake_at()) is not None and wake_us <= end_us:
            desk.at(wake_us)
            settle(desk)
            desk.credit()
        desk.now_us = end_us
        assert all(collection.next_us > desk.now_us for collection in desk.receiver._open.values())


def test_a_sender_with_nothing_to_do_is_called_once_a_second_at_most() -> None:
    desk = SenderDesk()
    desk.ready()
    start_us, calls = desk.now_us, 0
    while desk.now_us < start_us + 10_000_000:
        wake_us = desk.machine.wake_at()
        assert wake_us is not None
        desk.at(wake_us)
        calls += 1
        for ping in desk.heard(Ping):
            if ping.hop == Hop.BOARD or desk.sender.ready:
                desk.say(Pong(hop=ping.hop, token=ping.token, origin_us=ping.origin_us))
        desk.credit()
    assert calls <= 25  # two pings a second: the board and the server
