"""``-v``: which events become a line, and that the line says what it is about."""

from __future__ import annotations

import pytest

from host.cli.verbosity import describe
from host.link.events import (
    Answer,
    Event,
    Failed,
    FailureReason,
    ImageCollected,
    LinkChanged,
    Notice,
    Ready,
    Unanswered,
)
from host.ranked import RankedPacket
from host.wire import LinkState, Phy, ResultStatus


def answer(*, final: bool, classes: tuple[tuple[int, str, float], ...] = ((1, "cup", 0.5),)) -> Answer:
    return Answer(7, ResultStatus.OK, "", classes, frozenset({0, 1}), 0, 0, 0, 0, False, final, 5, 1)


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (
            LinkChanged(0, LinkState.UP, Phy.LE_2M, 247, 7500, 0),
            "radio link 0 is up: PHY LE_2M, 247 bytes a packet, an exchange every 7.5 ms",
        ),
        (LinkChanged(2, LinkState.DOWN, Phy.LE_2M, 247, 7500, 8), "radio link 2 is down (reason 8)"),
        (Ready(8_700, 185_800), "the edge server answers: 8.7 ms there and back, 185.8 ms for a picture"),
        (answer(final=False), "image 7: provisional answer: cup 50%, from 2 packets; 5 sent, 1 again"),
        (answer(final=True, classes=()), "image 7: answer: ok, from 2 packets; 5 sent, 1 again"),
        (Unanswered(7, 3, 2), "image 7: no answer; 3 packets sent, 2 again"),
        (
            ImageCollected(
                1, 9, 0, tuple(RankedPacket(rank, rank, b"x" * 200) for rank in range(6)), False, 0, final=False
            ),
            "image 9 of camera 1: so far: 6 packets, 1,200 bytes",
        ),
        (Notice(1, "said by the board"), ""),
        (Failed(FailureReason.SILENT, "for 2 s"), ""),
    ],
)
def test_an_event_is_a_line(event: Event, line: str) -> None:
    assert describe(event) == line
