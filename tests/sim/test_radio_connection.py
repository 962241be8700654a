"""Connections end and return with the radio channel, and every packet is counted."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from host.link.events import Answer, Event, Failed, LinkChanged, Unanswered
from host.link.sender import Sender
from host.sim.radio import RadioParameters
from host.sim.trace import ChannelState, Trace
from host.sim.virtual import VirtualHost
from host.sim.world import World, WorldSettings
from host.wire import (
    Configure,
    LinkState,
    Phy,
    Result,
    Role,
    parse,
)
from tests.sim.asker import Asker
from tests.sim.scene import NO_LINE, SECOND_US, Bulk, Scene, air, numbers, picture

ROOT = Path(__file__).resolve().parents[2]
GONE = ChannelState(loss=1.0)
AIR = ChannelState()


def outage(from_s: float, to_s: float) -> Trace:
    """Return a clear channel with one outage; it repeats late."""
    times = [0, round(from_s * SECOND_US), round(to_s * SECOND_US), 500 * SECOND_US]
    return Trace(times, [AIR, GONE, AIR, AIR])


def test_without_a_word_for_the_supervision_timeout_the_connection_is_down_on_both_sides() -> None:
    scene = Scene(WorldSettings(trace=outage(2, 60)))
    assert scene.ready()
    scene.run(40 * SECOND_US)
    changes = [(at, who, e.state, e.reason) for at, who, e in scene.log if isinstance(e, LinkChanged)]
    downs = [change for change in changes if change[0] > 2 * SECOND_US]
    assert sorted(who for _, who, *_ in downs) == ["camera 0", "edge"]
    for at_us, _, state, reason in downs:
        assert (state, reason) == (LinkState.DOWN, 0x08)
        parameters = scene.world.settings.parameters
        assert at_us - 2 * SECOND_US + parameters.interval_us >= parameters.supervision_timeout_us
        assert at_us - 2 * SECOND_US <= parameters.supervision_timeout_us + 2 * parameters.interval_us


@pytest.mark.parametrize(
    ("interval_us", "timeout_us"),
    [(7_500, 2 * SECOND_US), (80_000, 3.2 * SECOND_US), (400_000, 4 * SECOND_US), (4_000_000, 12 * SECOND_US)],
)
def test_the_supervision_timeout_follows_the_interval(interval_us: int, timeout_us: float) -> None:
    assert RadioParameters(interval_us=interval_us).supervision_timeout_us == timeout_us


def test_the_supervision_timeout_is_the_firmwares() -> None:
    text = (ROOT / "firmware" / "src" / "radio_parameters.c").read_text(encoding="utf-8")
    least_ms, most_ms, intervals = (
        int(re.findall(rf"^#define SUPERVISION_{name} ([0-9]+)u$", text, re.MULTILINE)[0])
        for name in ("LEAST_MS", "MOST_MS", "INTERVALS")
    )
    assert RadioParameters(interval_us=7_500).supervision_timeout_us == least_ms * 1000
    assert RadioParameters(interval_us=80_000).supervision_timeout_us == intervals * 80_000
    assert RadioParameters(interval_us=400_000).supervision_timeout_us == most_ms * 1000


def test_an_outage_shorter_than_the_timeout_only_makes_packets_late() -> None:
    bulk = Bulk(WorldSettings(trace=outage(1, 2.5), bytes_per_s=NO_LINE))
    assert bulk.connected()
    bulk.run(5 * SECOND_US)
    assert bulk.world.connections[0].up
    got = numbers(bulk.tap.on_air)
    assert got == list(range(len(got)))
    assert not [heard for heard in bulk.tap.on_air if SECOND_US < heard.at_us <= 2.5 * SECOND_US]
    assert [heard for heard in bulk.tap.on_air if heard.at_us > 2.5 * SECOND_US]


def test_the_boards_find_each_other_again_when_the_air_is_back_and_pictures_flow_again() -> None:
    scene = Scene(WorldSettings(trace=outage(2, 10)))
    assert scene.ready()
    assert isinstance(scene.send(picture(5), 300_000), Answer)
    scene.run(3 * SECOND_US)
    assert isinstance(scene.send(picture(5), 300_000), Unanswered)
    scene.run(10 * SECOND_US - scene.now_us)
    assert scene.run_until(lambda: scene.senders[0].link is LinkState.UP, SECOND_US)
    answer = scene.send(picture(5, seed=3), 300_000)
    assert isinstance(answer, Answer)
    assert answer.ranks == set(range(5))
    assert not [event for _, _, event in scene.log if isinstance(event, Failed)]


def test_accounting_adds_up_after_loss_a_disconnect_and_a_reconnect() -> None:
    trace = Trace(
        [0, 2 * SECOND_US, 9 * SECOND_US, 500 * SECOND_US], [ChannelState(loss=0.2), GONE, ChannelState(loss=0.3), AIR]
    )
    scene = Scene(WorldSettings(trace=trace))
    assert scene.ready()
    for number in range(60):
        scene.submit(picture(12, seed=number), 400_000)
        scene.run(250_000)
        assert scene.adds_up()
    scene.run(SECOND_US)
    assert scene.ended == 60
    camera, edge = (node.board.totals for node in scene.world.nodes)
    assert camera.waiting == edge.waiting == 0
    assert camera.accepted > edge.accepted > 0
    on_air = len(scene.tap.on_air)
    assert on_air == edge.accepted
    assert camera.sent == len(scene.tap.handed)
    collected = sum(len(event.packets) for event in scene.collected)
    assert collected + scene.receiver.late + scene.receiver.repeated == edge.sent


def test_what_was_in_the_radio_at_a_disconnect_is_counted_as_lost() -> None:
    bulk = Bulk(WorldSettings(trace=outage(1, 20), bytes_per_s=NO_LINE))
    assert bulk.connected()
    bulk.run(15 * SECOND_US)
    bulk.refilling = False
    statistics = Asker(bulk.world).statistics()
    assert statistics.links == 0
    assert statistics.lost == 4  # packets in flight
    assert statistics.sent == statistics.acked + statistics.lost
    out = statistics.sent + statistics.expired + statistics.evicted + statistics.flushed + statistics.waiting
    assert statistics.accepted == out > 100
    # A packet that was heard but whose acknowledgement was lost counts as lost here and has arrived there.
    assert statistics.acked <= len(bulk.tap.on_air) <= statistics.acked + 1


def test_every_answer_crosses_a_lossy_link_once() -> None:
    scene = Scene(air(loss=0.5))
    assert scene.ready()
    camera, heard = scene.world.cameras[0].board, list[int]()
    hear = camera.radio_rx

    def radio_rx(now_us: int, peer: int, packet: bytes) -> None:
        if isinstance(found := parse(packet), Result) and not found.more:
            heard.append(found.image)
        hear(now_us, peer, packet)

    camera.radio_rx = radio_rx  # type: ignore[method-assign]
    images = []
    for seed in range(50):
        images.append(scene.submit(picture(2, seed), 1_000_000))
        scene.run(300_000)
    scene.run(3 * SECOND_US)
    assert sorted(heard) == sorted(images)


def test_a_reset_of_the_edge_board_is_survived_by_both_hosts() -> None:
    scene = Scene(WorldSettings())
    assert scene.ready()
    for number in range(3):
        assert isinstance(scene.send(picture(6, seed=number), 300_000), Answer)
    scene.world.reset(scene.world.edge)
    scene.run(3 * SECOND_US)
    answer = scene.send(picture(6, seed=7), 300_000)
    assert isinstance(answer, Answer)
    assert answer.ranks == set(range(6))
    assert scene.adds_up()


def test_a_reset_of_the_camera_board_in_the_middle_of_a_picture_costs_time_not_the_picture() -> None:
    scene = Scene(WorldSettings())
    assert scene.ready()
    number = scene.submit(picture(40), 1_500_000)
    scene.run(50_000)
    assert scene.outcomes[0] == {}
    scene.world.reset(scene.world.cameras[0])
    assert scene.run_until(lambda: number in scene.outcomes[0], 2 * SECOND_US)
    answer = scene.outcomes[0][number]
    assert isinstance(answer, Answer)
    assert not answer.late
    assert answer.ranks == set(range(40))
    assert scene.adds_up()


@pytest.mark.parametrize(
    "wanted",
    [
        RadioParameters(Phy.CODED_S8, 7_500),
        RadioParameters(Phy.CODED_S8, 16_000),
        RadioParameters(Phy.LE_2M, 7_499),
        RadioParameters(Phy.LE_1M, 4_000_001),
    ],
)
def test_an_interval_that_cannot_carry_a_packet_is_refused(wanted: RadioParameters) -> None:
    world = World(WorldSettings())
    events = []
    configure = Configure(role=Role.CAMERA, phy=wanted.phy, interval_us=wanted.interval_us, tx_power_dbm=127)
    VirtualHost(world.schedule, world.cameras[0].line, Sender(nonce=1, configure=configure), events.append)
    world.schedule.run_until(SECOND_US)
    (failed,) = [event for event in events if isinstance(event, Failed)]
    assert "refused the configuration" in failed.reason.value
    assert world.connections[0].parameters == RadioParameters()


@pytest.mark.parametrize(("phy", "interval_us"), [(Phy.LE_1M, 50_000), (Phy.CODED_S8, 30_000), (Phy.LE_2M, 4_000_000)])
def test_a_possible_configuration_takes_effect_and_is_reported_to_both_hosts(phy: Phy, interval_us: int) -> None:
    scene = Scene(air())
    assert scene.ready()
    events: list[Event] = []
    configure = Configure(role=Role.CAMERA, phy=phy, interval_us=interval_us, tx_power_dbm=127)
    VirtualHost(scene.schedule, scene.world.cameras[0].line, Sender(nonce=1, configure=configure), events.append)
    scene.run(SECOND_US)
    assert scene.world.connections[0].parameters == RadioParameters(phy, interval_us)
    events += [event for _, who, event in scene.log if who == "edge"]
    reports = [(event.phy, event.interval_us) for event in events if isinstance(event, LinkChanged)]
    assert reports.count((phy, interval_us)) == 2
    assert scene.world.connections[0].up
