"""Packets that the sender asks for: just when it needs them, each once, in their order."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from host.ranked import RankedPacket
from host.wire import Picture
from tests.link.desk import SenderDesk, ranked


class Source:
    """Packets that are given out some at a time."""

    def __init__(self, packets: Sequence[RankedPacket], first: int, step: int) -> None:
        self.packets, self.given, self.step = packets, first, step
        self.asked_at_the_end = 0

    def more(self) -> Sequence[RankedPacket]:
        new = self.packets[self.given : self.given + self.step]
        self.given += len(new)
        self.asked_at_the_end += not new
        return new


@pytest.fixture
def desk() -> SenderDesk:
    desk = SenderDesk()
    desk.ready()
    return desk


def submitted(desk: SenderDesk, count: int, first: int, step: int) -> Source:
    source = Source(ranked(count), first, step)
    desk.sender.submit(desk.now_us, source.packets[:first], desk.now_us + 2_000_000, source.more)
    desk.at(desk.now_us)
    return source


@pytest.mark.parametrize(("count", "first", "step"), [(60, 1, 1), (60, 4, 2), (60, 59, 5), (60, 60, 5), (1, 1, 1)])
def test_all_packets_are_sent_and_the_last_one_says_so(desk: SenderDesk, count: int, first: int, step: int) -> None:
    source = submitted(desk, count, first, step)
    heard: list[Picture] = []
    while new := desk.pictures():
        heard += new
        assert source.given <= max(first, len(heard) + step)
        desk.credit()
    assert [packet.rank for packet in heard] == list(range(count))
    assert [packet.last for packet in heard] == [False] * (count - 1) + [True]
    assert source.asked_at_the_end == 1


def test_nothing_is_asked_for_that_the_link_has_no_room_for(desk: SenderDesk) -> None:
    source = submitted(desk, 60, 1, 1)
    sent = len(desk.pictures())
    assert sent < 30
    desk.wait(3_000_000)
    assert source.given == sent + len(desk.pictures()) + 1


def test_what_was_lost_is_sent_again_before_more_is_asked_for(desk: SenderDesk) -> None:
    desk.lose = lambda packet: isinstance(packet, Picture) and packet.rank == 0
    source = submitted(desk, 60, 4, 2)
    first = [packet.rank for packet in desk.pictures()]
    assert first[0] == 1
    desk.lose = lambda _: False
    desk.credit()
    assert desk.pictures()[0].rank == 0
    assert source.given < 60
