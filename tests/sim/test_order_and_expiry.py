"""Packets on the air: important ones first, none after its deadline, few of an image past its deadline."""

from __future__ import annotations

import pytest

from host.link.events import Answer
from host.sim.trace import ChannelState, Trace
from host.sim.world import World, WorldSettings
from host.wire import MAX_CODEC_BYTES, Flush, Picture
from tests.sim.scene import NO_LINE, SECOND_US, BareHost, Bulk, Scene, Tap, air, picture


@pytest.mark.parametrize("in_flight", [1, 2, 4, 8])
@pytest.mark.parametrize("loss", [0.0, 0.3])
def test_on_a_saturated_link_the_best_packet_waits_for_those_in_the_radio_only(in_flight: int, loss: float) -> None:
    bulk = Bulk(air(loss=loss, in_flight=in_flight, bytes_per_s=NO_LINE))
    assert bulk.connected()
    for turn in range(20):
        bulk.run(53_000)
        assert bulk.world.cameras[0].board.totals.waiting > 20
        heard = len(bulk.tap.on_air)
        best = Picture(image=2, rank=0, position=turn, remaining_ms=10_000, data=b"best")
        bulk.cameras[0].say(best)
        line_us = 50
        bulk.run(line_us)
        passed = len(bulk.tap.on_air) - heard  # while it was on the serial line
        bulk.run(SECOND_US)
        ranks = [h.packet.rank for h in bulk.tap.on_air[heard:]]
        assert ranks.index(0) - passed <= in_flight


@pytest.mark.parametrize("settings", [air(rate_bps=80_000), air(loss=0.5), air(interval_us=50_000, loss=0.3)])
def test_nothing_leaves_the_queue_after_its_deadline_and_what_leaves_says_what_remains(settings: WorldSettings) -> None:
    world = World(settings)
    tap = Tap().listen(world)
    host = BareHost(world, world.cameras[0])
    due_us: dict[tuple[int, int], int] = {}  # of each packet, latest possible
    world.schedule.run_until(3 * SECOND_US)
    for image in range(40):
        remaining_ms = (20, 60, 150, 400)[image % 4]
        host.say(*(Picture(image, rank, 0, remaining_ms, bytes(200)) for rank in range(8)))
        # The last byte is there once the line has carried all of it.
        arrival_us = world.schedule.now_us + 8 * 213 * 10 + 2_000
        due_us |= {(image, rank): arrival_us + remaining_ms * 1000 for rank in range(8)}
        world.schedule.run_until(world.schedule.now_us + 50_000)
    world.schedule.run_until(world.schedule.now_us + SECOND_US)
    totals = world.cameras[0].board.totals
    assert totals.accepted == 40 * 8
    assert totals.expired > 20, "no packet came near its deadline: the claim was not tried"
    assert tap.handed
    for heard in tap.handed:
        packet = heard.packet
        assert packet.remaining_ms >= 1
        assert heard.at_us + packet.remaining_ms * 1000 <= due_us[packet.image, packet.rank]


@pytest.mark.parametrize(
    "settings",
    [air(), air(rate_bps=60_000), air(loss=0.4), air(loss=0.2, interval_us=30_000), air(rate_bps=40_000, in_flight=1)],
)
def test_after_an_images_deadline_only_what_the_radio_held_still_goes_on_the_air(settings: WorldSettings) -> None:
    scene = Scene(settings)
    assert scene.ready()
    by_us: dict[int, int] = {}
    for seed in range(40):
        number = scene.submit(picture(30, seed), 300_000)
        by_us[number] = scene.senders[0]._images[number].send_by_us
        scene.run(320_000)
    scene.run(SECOND_US)
    assert len(by_us) == 40
    at_deadline = dict.fromkeys(by_us, 0)
    for heard in scene.tap.on_air:
        at_deadline[heard.packet.image] += heard.at_us > by_us[heard.packet.image]
    assert max(at_deadline.values()) <= min(4, settings.in_flight)
    assert not [heard for heard in scene.tap.handed if heard.at_us >= by_us[heard.packet.image]]


def test_a_link_that_dies_in_the_middle_keeps_nothing_of_the_old_image_for_later() -> None:
    """After an outage of two seconds the air carries only images before their deadline, except packets in the radio."""
    times = [0, 2 * SECOND_US, 4 * SECOND_US, 500 * SECOND_US]
    scene = Scene(
        WorldSettings(
            trace=Trace(
                times, [ChannelState(150_000), ChannelState(150_000, 1.0), ChannelState(150_000), ChannelState()]
            )
        )
    )
    assert scene.ready()
    by_us: dict[int, int] = {}
    while scene.now_us < 6 * SECOND_US:
        number = scene.submit(picture(30, len(by_us)), 400_000)
        by_us[number] = scene.senders[0]._images[number].send_by_us
        scene.run(200_000)
    late: dict[int, int] = {}
    for heard in scene.tap.on_air:
        if heard.at_us > by_us[heard.packet.image]:
            late[heard.packet.image] = late.get(heard.packet.image, 0) + 1
    assert all(count <= 4 for count in late.values())
    assert sum(late.values()) <= 8
    scene.run(SECOND_US)
    answer = scene.send(picture(3, 77), 300_000)
    assert isinstance(answer, Answer)
    assert answer.ranks == {0, 1, 2}


def test_flush_empties_an_image_at_once_and_touches_no_other() -> None:
    world = World(air(rate_bps=20_000))
    tap = Tap().listen(world)
    host = BareHost(world, world.cameras[0])
    world.schedule.run_until(SECOND_US)
    for image in (5, 6):
        host.say(*(Picture(image, rank, 0, 30_000, bytes(MAX_CODEC_BYTES)) for rank in range(20)))
    world.schedule.run_until(world.schedule.now_us + 150_000)
    waiting = world.cameras[0].board.totals.waiting
    host.say(Flush(image=5))
    world.schedule.run_until(world.schedule.now_us + 5_000)
    before = len(tap.handed)
    totals = world.cameras[0].board.totals
    assert totals.flushed > 10
    assert totals.waiting <= waiting - totals.flushed
    world.schedule.run_until(world.schedule.now_us + 20 * SECOND_US)
    assert {heard.packet.image for heard in tap.handed[before:]} == {6}
    assert [h.packet.image for h in tap.handed].count(6) == 20


def test_in_every_run_ranks_leave_in_order_among_those_that_wait() -> None:
    """No packet handed to the radio has a higher rank number than one that waits at that time."""
    world = World(air(rate_bps=150_000, loss=0.1, bytes_per_s=NO_LINE))
    tap = Tap().listen(world)
    host = BareHost(world, world.cameras[0])
    world.schedule.run_until(3 * SECOND_US)
    order = [17 * k % 41 for k in range(41)]
    host.say(*(Picture(1, rank, 0, 60_000, bytes(MAX_CODEC_BYTES)) for rank in order))
    world.schedule.run_until(world.schedule.now_us + 2_000)
    waiting = sorted(set(order) - {heard.packet.rank for heard in tap.handed})
    assert len(waiting) > 30
    assert world.cameras[0].board.totals.waiting == len(waiting)
    before = len(tap.handed)
    world.schedule.run_until(world.schedule.now_us + 10 * SECOND_US)
    assert [heard.packet.rank for heard in tap.handed[before:]] == waiting
