"""In any world nothing raises, every picture has one outcome, and every packet is accounted for."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from host.link.events import Failed, ImageCollected
from host.link.receiver import REMEMBER_US
from host.link.sender import DeadlineInfeasibleError
from host.sim.radio import RadioParameters
from host.sim.trace import ChannelState, Trace
from host.sim.world import WorldSettings
from host.wire import Phy
from tests.sim.scene import SECOND_US, Scene, is_outcome, picture

AIRS = st.builds(ChannelState, st.none() | st.floats(5_000, 2e6), st.just(0.0) | st.floats(0, 0.6))
TRACES = st.lists(AIRS, min_size=1, max_size=5).map(lambda airs: Trace([k * 700_000 for k in range(len(airs))], airs))
WORLDS = st.builds(
    WorldSettings,
    cameras=st.sampled_from([1, 1, 1, 2, 3]),
    parameters=st.builds(
        RadioParameters,
        st.sampled_from([Phy.LE_1M, Phy.LE_2M, Phy.CODED_S2, Phy.CODED_S8]),
        st.sampled_from([7_500, 15_000, 22_500, 50_000, 100_000]),
    ).filter(lambda parameters: parameters.possible),
    trace=TRACES,
    bytes_per_s=st.sampled_from([10_000, 100_000, 300_000]),
    noise=st.sampled_from([0.0, 0.0, 1e-5, 1e-4]),
    in_flight=st.integers(1, 8),
    seed=st.integers(0, 10_000),
)
PICTURES = st.lists(
    st.tuples(st.integers(1, 40), st.integers(1, 236), st.integers(50, 2_000), st.integers(0, 600), st.integers(0, 2)),
    min_size=1,
    max_size=12,
)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(world=WORLDS, pictures=PICTURES, resets=st.lists(st.integers(0, 11), max_size=2))
def test_every_picture_ends_once_and_every_packet_is_accounted_for(
    world: WorldSettings, pictures: list[tuple[int, int, int, int, int]], resets: list[int]
) -> None:
    scene = Scene(world)
    scene.ready(8 * SECOND_US)
    submitted = 0
    sent: dict[tuple[int, int], list] = {}  # type: ignore[type-arg]
    for turn, (count, size, deadline_ms, pause_ms, chosen) in enumerate(pictures):
        camera = chosen % world.cameras
        try:
            packets = picture(count, seed=turn, size=max(size, 4))
            sent[camera, scene.submit(packets, deadline_ms * 1000, camera)] = packets
            submitted += 1
        except DeadlineInfeasibleError:
            pass
        scene.run(pause_ms * 1000)
        if turn in resets:
            scene.world.reset(scene.world.nodes[turn % len(scene.world.nodes)])
        assert scene.adds_up()
    scene.run(4 * SECOND_US)
    assert scene.adds_up()
    assert scene.ended == submitted
    assert all(sender.pending == 0 for sender in scene.senders)
    outcomes = [event for _, _, event in scene.log if is_outcome(event)]
    assert len(outcomes) == submitted
    for machine in (*scene.senders, scene.receiver):
        assert not machine.session.channel.border.counts, "an honest end was not believed"
    for event in scene.collected:
        expected = sent[event.source, event.image]
        assert all(packet == expected[packet.rank] for packet in event.packets)
    reported: dict[tuple[int, int], int] = {}
    for at_us, _, event in scene.log:
        if isinstance(event, ImageCollected) and event.final:
            # Packets that a bad link held in the radio for longer than the receiver remembers look like a new image.
            before_us = reported.get((event.source, event.image), -REMEMBER_US)
            assert at_us - before_us >= REMEMBER_US, "an image was reported twice"
            reported[event.source, event.image] = at_us
    if not world.noise and not resets:
        assert not [event for _, _, event in scene.log if isinstance(event, Failed)]
