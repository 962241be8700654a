"""Damaged serial bytes: lost packets are sent again, and no damaged packet arrives."""

from __future__ import annotations

import pytest

from host.link.events import Answer
from tests.sim.scene import NO_LINE, SECOND_US, Scene, air, picture


@pytest.mark.parametrize("noise", [1e-4, 5e-4])
def test_pictures_arrive_whole_and_right_across_a_noisy_serial_line(noise: float) -> None:
    scene = Scene(air(noise=noise, bytes_per_s=300_000))
    assert scene.ready()
    expected = {}
    whole = answered = resent = 0
    for seed in range(320):
        packets = picture(8, seed)
        outcome = scene.send(packets, 1_000_000)
        expected[outcome.image] = packets
        found = [event for event in scene.collected if event.image == outcome.image]
        assert len(found) == 1
        assert list(found[0].packets) == packets
        whole += found[0].whole
        resent += outcome.resent
        answered += isinstance(outcome, Answer) and outcome.ranks == set(range(8))
        scene.collected.clear()
        scene.run(1_000)
    assert whole == answered == 320
    assert resent > 320 * 8 * 250 * noise / 3, "the noise broke next to nothing: the claim was not tried"
    scene.run(SECOND_US)
    assert scene.adds_up()
    assert scene.receiver.repeated == 0


def test_heavy_noise_never_brings_a_wrong_packet_and_nothing_goes_uncounted() -> None:
    scene = Scene(air(noise=4e-3, bytes_per_s=NO_LINE))  # two of three frames break
    assert scene.ready(60 * SECOND_US)
    sent = {}
    for seed in range(60):
        number = scene.submit(picture(10, seed), 400_000)
        sent[number] = picture(10, seed)
        scene.run(430_000)
    scene.run(2 * SECOND_US)
    assert scene.ended == 60
    arrived = [(event.image, packet) for event in scene.collected for packet in event.packets]
    assert len(arrived) > 200
    assert all(sent[image][packet.rank] == packet for image, packet in arrived)
    assert scene.adds_up()
