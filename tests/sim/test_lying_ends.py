"""An edge server, or one of two cameras, that lies, behind real board cores: it costs at most what it touches."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from host.link.border import Flaw
from host.link.events import Answer, Event, ImageCollected, Implausible, Unanswered
from host.link.receiver import Receiver
from host.link.sender import Sender
from host.ranked import RankedPacket
from host.sim.virtual import VirtualHost
from host.sim.world import World, WorldSettings
from host.wire import Control, Picture, Ping, Pong, Result

RANKS = 12
PICTURES = 25
SERVICE_US = 20_000
Lie = Callable[[random.Random], dict[str, int]]

#: What the server says instead, by the packet in which it lies.
LIES: dict[str, tuple[type[Control], Lie, Flaw]] = {
    "ranks": (Result, lambda _: {"ranks": b"\xff" * 32}, Flaw.RESULT_RANKS),  # type: ignore[dict-item]
    "service of an hour": (Result, lambda _: {"service_us": 3_600_000_000}, Flaw.RESULT_SERVICE),
    "margin": (Result, lambda draw: {"margin_ms": draw.choice([-32_768, 32_767])}, Flaw.RESULT_MARGIN),
    "clock": (Result, lambda draw: {"clock_us": draw.randrange(1 << 32)}, Flaw.RESULT_CLOCK),
    "text": (Result, lambda _: {"text": b"\xff\xff\xff"}, Flaw.MALFORMED),  # type: ignore[dict-item]
    "status": (Result, lambda draw: {"status": draw.randrange(3, 256)}, Flaw.RESULT_STATUS),
    "held": (Pong, lambda _: {"held_us": 0x2FFFFFF}, Flaw.PONG_HELD),
    "held for an hour": (Pong, lambda _: {"held_us": 0xFFFFFFFF}, Flaw.PONG_TIME),
    "future": (Pong, lambda draw: {"origin_us": draw.randrange(1 << 32)}, Flaw.PONG_ORIGIN),
    "pong's service": (Pong, lambda _: {"service_us": 0xFFFFFFFF}, Flaw.PONG_TIME),
}


class Table:
    """A world of boards with a server and cameras; every picture's final outcome is kept, by camera."""

    def __init__(self, cameras: int = 1) -> None:
        self.world = World(WorldSettings(cameras=cameras, seed=4))
        self.receiver = Receiver(nonce=9, service_us=SERVICE_US)
        self.outcomes: list[list[Event]] = [[] for _ in range(cameras)]
        self.reports: list[Implausible] = []
        self.server = VirtualHost(self.schedule, self.world.edge.line, self.receiver, self._at_server)
        self.senders = [Sender(nonce=11 + index) for index in range(cameras)]
        self.hosts = [
            VirtualHost(self.schedule, node.line, sender, lambda event, kept=kept: self._at_camera(kept, event))  # type: ignore[misc]
            for node, sender, kept in zip(self.world.cameras, self.senders, self.outcomes, strict=True)
        ]
        self.run(2_000_000)
        assert all(sender.ready for sender in self.senders)

    @property
    def schedule(self) -> Any:
        return self.world.schedule

    def run(self, duration_us: int) -> None:
        self.schedule.run_until(self.schedule.now_us + duration_us)

    def send(self, camera: int = 0) -> None:
        """Send a picture and wait for its end."""
        packets = [RankedPacket(rank, rank, bytes([rank]) * 200) for rank in range(RANKS)]
        self.senders[camera].submit(self.schedule.now_us, packets, self.schedule.now_us + 400_000)
        self.hosts[camera].wake()
        self.run(1_200_000)

    def _at_server(self, event: Event) -> None:
        if isinstance(event, ImageCollected):
            used = [packet.rank for packet in event.packets]
            self.receiver.answer(self.schedule.now_us, event, [(5, "cat", 0.5)], service_us=SERVICE_US, used=used)

    def _at_camera(self, kept: list[Event], event: Event) -> None:
        if isinstance(event, Unanswered) or (isinstance(event, Answer) and event.final):
            kept.append(event)
        if isinstance(event, Implausible):
            self.reports.append(event)


def is_right(event: Event) -> bool:
    return (
        isinstance(event, Answer)
        and not event.late
        and event.ranks == frozenset(range(RANKS))
        and event.classes[:1] == ((5, "cat", pytest.approx(0.5, abs=1e-4)),)
        and 0 <= event.service_us <= 400_000
    )


@pytest.mark.parametrize("lie", LIES)
def test_a_server_that_lies_now_and_then_costs_only_the_pictures_it_lies_about(lie: str) -> None:
    kind, changes, flaw = LIES[lie]
    draw = random.Random(lie)
    table = Table()
    lied: list[bool] = []
    write = table.receiver.session.channel.write

    def lying(now_us: int, packet: Picture | Control) -> None:
        if isinstance(packet, kind) and draw.random() < 0.3:
            lied[-1:] = [True]
            packet = replace(packet, **changes(draw))  # type: ignore[arg-type]
        write(now_us, packet)

    table.receiver.session.channel.write = lying  # type: ignore[method-assign]
    for _ in range(PICTURES):
        lied.append(False)
        table.send()
    right = [is_right(event) for event in table.outcomes[0]]
    assert len(right) == PICTURES
    assert all(right[at] for at in range(PICTURES) if not lied[at]), "a picture without a lie was lost"
    assert 3 < sum(lied) < PICTURES
    if kind is Pong:
        assert all(right)
    assert set(table.senders[0].session.channel.border.counts) == {flaw}
    assert sum(report.times for report in table.reports) <= table.senders[0].session.channel.border.counts[flaw]
    assert table.reports


def test_a_camera_that_sends_anything_costs_the_other_one_nothing() -> None:
    draw = random.Random(3)
    table = Table(cameras=2)
    evil, host = table.senders[1], table.hosts[1]

    def flood() -> None:
        for _ in range(4):
            image = draw.choice([draw.randrange(65_536), table.schedule.now_us // 1000 // 500 * 500 + 900]) % 65_536
            rank, remaining_ms, last = draw.randrange(256), draw.choice([0, 200, 65_535]), draw.random() < 0.3
            packet: Picture | Control = Picture(image, rank, 7, remaining_ms, b"\x24" * 9, last, draw.randrange(4))
            if draw.random() < 0.2:
                packet = draw.choice([Ping(hop=2, token=1, origin_us=9), Pong(hop=2, token=11), Result(image=image)])
            if evil.session.channel.frames_in_flight < 20:
                evil.session.channel.write(table.schedule.now_us, packet)
        host._flush()
        table.schedule.at(table.schedule.now_us + 5_000, flood)

    flood()
    for _ in range(PICTURES):
        table.send(0)
    assert [is_right(event) for event in table.outcomes[0]] == [True] * PICTURES
    assert table.receiver.session.channel.border.counts[Flaw.LAST] > 0
