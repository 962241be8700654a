"""Bit errors on the serial lines, in both directions: lost packets are sent again, and no damaged packet arrives."""

from __future__ import annotations

import pytest

from host.link.events import Answer
from host.sim.line import BitErrors
from tests.sim.scene import NO_LINE, SECOND_US, Scene, air, picture


def whole_by(scene: Scene, pictures: int, packets: int, deadline_us: int) -> int:
    """Send pictures, one every deadline; return how many are answered in time with all their packets."""
    count = 0
    for seed in range(pictures):
        end_us = scene.now_us + deadline_us
        outcome = scene.send(picture(packets, seed), deadline_us)
        count += isinstance(outcome, Answer) and not outcome.late and outcome.ranks == set(range(packets))
        scene.run(max(0, end_us - scene.now_us))
    return count


def test_at_1e_4_bit_errors_both_hops_repair_whole_pictures_within_300_ms() -> None:
    """18 % of full frames are damaged on each hop, and 19 packets (4.5 kB) take 45 ms of each line."""
    scene = Scene(air(noise=1e-4), service_us=50_000)
    assert scene.ready()
    assert whole_by(scene, 300, 19, 300_000) >= 297
    edge, camera = scene.receiver.session, scene.senders[0].session
    assert edge.channel.reader.damaged > 300 * 19 * 0.12, "the noise broke next to nothing: the claim was not tried"
    assert camera.channel.reader.damaged > 50
    assert sum(outcome.resent for outcome in scene.outcomes[0].values()) > 300 * 19 * 0.12
    assert edge._damaged, "no frame to the edge board was damaged"
    assert scene.receiver.repeated == 0
    scene.run(SECOND_US)
    assert scene.adds_up()


def test_repair_costs_no_picture_of_a_line_without_errors() -> None:
    scene = Scene(air(), service_us=50_000)
    assert scene.ready()
    assert whole_by(scene, 20, 19, 300_000) == 20
    for session in (scene.receiver.session, scene.senders[0].session):
        assert session.channel.reader.missed == 0
    assert scene.receiver.repeated == 0


@pytest.mark.parametrize("rate", [1e-4, 0.01, 0.5, 1.0])
def test_bits_are_flipped_at_the_given_rate_however_the_bytes_are_cut(rate: float) -> None:
    sent = bytes(40_000)
    whole, cut = BitErrors(rate, 7), BitErrors(rate, 7)
    arrived = whole.apply(sent)
    assert b"".join(cut.apply(sent[at : at + 63]) for at in range(0, len(sent), 63)) == arrived
    flipped = sum(byte.bit_count() for byte in arrived)
    expected = rate * 8 * len(sent)
    assert abs(flipped - expected) <= 5 * (expected * (1 - rate)) ** 0.5
    assert rate == 1.0 or BitErrors(rate, 8).apply(sent) != arrived


@pytest.mark.parametrize("noise", [1e-5, 1e-4])
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
    assert resent > 320 * 8 * 2000 * noise / 3, "the noise broke next to nothing: the claim was not tried"
    scene.run(SECOND_US)
    assert scene.adds_up()
    assert scene.receiver.repeated == 0


def test_heavy_noise_never_brings_a_wrong_packet_and_nothing_goes_uncounted() -> None:
    scene = Scene(air(noise=5e-4, bytes_per_s=NO_LINE))  # two of three full frames break, in each direction
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
