"""A flood of notices is one line and a number."""

from __future__ import annotations

import asyncio

import pytest

from host.cli.notices import BOARD_LINES, LISTED, PERIOD_S, Notices


class Clock:
    """A clock that the test turns."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def notices(clock: Clock) -> Notices:
    return Notices("recv", clock=clock)


def printed(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().err.splitlines()


def test_different_notices_are_printed(notices: Notices, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(100):
        notices(f"image {number} of camera 0: no result within 2.0 s")
    assert len(printed(capsys)) == 100


def test_equal_ones_are_counted(notices: Notices, clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(1000):
        notices("camera 0: its board speaks another protocol version")
    assert printed(capsys) == ["recv: camera 0: its board speaks another protocol version"]
    clock.now_s += PERIOD_S
    notices("something else")
    assert printed(capsys) == [
        "recv: camera 0: its board speaks another protocol version (999 more of these)",
        "recv: something else",
    ]


def test_a_flood_that_goes_on_has_a_line_a_second(
    notices: Notices, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    with notices:
        for _ in range(10_000):  # for 10 s
            notices("board: the queue is full")
            clock.now_s += 0.001
    lines = printed(capsys)
    assert 10 <= len(lines) <= 12
    assert sum(int(line.split("(")[1].split()[0].replace(",", "")) for line in lines[1:]) + 1 == 10_000


def test_what_comes_again_later_is_printed_again(
    notices: Notices, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(3):
        notices("the connection ended")
        clock.now_s += 2 * PERIOD_S
    assert printed(capsys) == ["recv: the connection ended"] * 3


def test_a_board_cannot_flood_with_texts_that_differ(
    notices: Notices, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    with notices:
        for number in range(5000):
            notices(f"board: packet {number} is damaged\x1b[2J\nrecv: all is well")
        notices("the connection ended")
    lines = printed(capsys)
    assert lines[0] == "recv: board: packet 0 is damaged\\x1b[2J\\nrecv: all is well"
    assert len(lines) == BOARD_LINES + 2
    assert lines[-2:] == [
        "recv: the connection ended",
        f"recv: board: it said more ({5000 - BOARD_LINES:,} more of these)",
    ]
    assert clock.now_s == 100.0


def test_a_picture_has_one_line_however_much_is_wrong_with_it(
    notices: Notices, capsys: pytest.CaptureFixture[str]
) -> None:
    notices.of_picture("image 7 of camera 0", [])
    notices.of_picture("image 8 of camera 0", ["not saved: out: No space left on device"])
    notices.of_picture("image 9 of camera 0", [f"packet {rank} is damaged" for rank in range(255)])
    assert printed(capsys) == [
        "recv: image 8 of camera 0: not saved: out: No space left on device",
        f"recv: image 9 of camera 0: {'; '.join(f'packet {n} is damaged' for n in range(LISTED))} (and 252 more)",
    ]


def test_the_count_of_a_flood_that_has_ended_is_printed_without_another_notice(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async def flood() -> list[str]:
        notices = Notices("recv")
        for _ in range(5):
            notices("board: reset")
        await asyncio.sleep(PERIOD_S * 1.3)
        return printed(capsys)

    assert asyncio.run(flood()) == ["recv: board: reset", "recv: board: reset (4 more of these)"]
