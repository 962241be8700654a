"""Sealed pictures over real board cores and a modelled radio, in virtual time: whatever works without a key, works."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

pytest.importorskip("cryptography", reason="cryptography is not installed (extra sealed)")

from host.link.border import Flaw
from host.link.events import Answer, KeyFault, KeyMismatch, Unanswered
from host.ranked import RankedPacket, split
from host.seal.camera_seal import KeyedCamera
from host.seal.cipher import FIRST_ROOM, ROOM
from host.seal.key import Key
from host.seal.server_seal import KeyedServer
from host.sim.world import WorldSettings
from host.wire import MAX_CODEC_BYTES, MAX_PACKET, Control, Picture, Result, ResultStatus, parse
from tests.seal.ends import KEY
from tests.sim.scene import SECOND_US, Scene, air, picture

OTHER = Key(bytes(range(1, 17)), "other")
#: Codec bytes of what the tests send.
SMALL = 200


def sealed_scene(
    settings: WorldSettings | None = None, cameras: Sequence[Key | None] = (KEY,), server: Sequence[Key] = (KEY,)
) -> Scene:
    """Return a scene with keys; None: a camera without one."""
    return Scene(
        settings or air(cameras=len(cameras)),
        camera_seals=[None if key is None else KeyedCamera(key) for key in cameras],
        server_seal=KeyedServer(server) if server else None,
    )


def mismatches(scene: Scene) -> list[tuple[str, str]]:
    return [(where, str(event)) for _, where, event in scene.log if isinstance(event, KeyMismatch)]


def collected_bytes(scene: Scene) -> list[list[bytes]]:
    return [[packet.data for packet in each.packets] for each in scene.collected]


def test_a_picture_and_its_answer_arrive_and_no_board_sees_them() -> None:
    scene = sealed_scene()
    assert scene.ready()
    packets = [RankedPacket(rank, rank, b"secret%d" % rank * 10) for rank in range(8)]
    answer = scene.send(packets, 300_000)
    assert isinstance(answer, Answer)
    assert (answer.status, answer.late, answer.ranks) == (ResultStatus.OK, False, frozenset(range(8)))
    assert [label for _, label, _ in answer.classes] == ["tench", "goldfish"]
    assert collected_bytes(scene) == [[packet.data for packet in packets]]
    assert len(scene.tap.on_air) == 8
    assert not any(b"secret" in heard.packet.data for heard in scene.tap.on_air)
    assert scene.adds_up()


def test_a_full_packet_carries_93_percent_codec_bytes() -> None:
    assert (FIRST_ROOM, ROOM) == (220, 228)
    assert round(ROOM / MAX_PACKET, 4) == 0.9344
    scene = sealed_scene()
    assert scene.ready()
    full = [RankedPacket(rank, rank, bytes(ROOM if rank else FIRST_ROOM)) for rank in range(5)]
    assert isinstance(scene.send(full, 300_000), Answer)
    assert {len(heard.packet.pack()) for heard in scene.tap.on_air} == {MAX_PACKET}
    for rank in (0, 1):
        longer = [replace(p, data=p.data + b"x") if p.rank == rank else p for p in full]
        with pytest.raises(ValueError, match=f"packet {rank} .* can be sealed"):
            scene.submit(longer, 300_000)


def test_damage_on_the_serial_lines_is_repaired() -> None:
    scene = sealed_scene(air(noise=4e-5, seed=5))
    assert scene.ready()
    answers = [scene.send(picture(9, seed, SMALL), 500_000) for seed in range(30)]
    assert all(isinstance(answer, Answer) and len(answer.ranks) == 9 for answer in answers)
    assert sum(answer.resent for answer in answers) > 5
    assert collected_bytes(scene) == [[packet.data for packet in picture(9, seed, SMALL)] for seed in range(30)]
    assert not scene.receiver.session.channel.border.counts


def test_parts_and_lazy_packets_and_late_cuts() -> None:
    scene = sealed_scene(air(rate_bps=20_000))
    assert scene.ready()
    parts = split(picture(8, 1, SMALL), 40, 100)
    rest = [parts[3:9], parts[9:], []]
    number = scene.submit(parts[:3], 400_000, more=lambda: rest.pop(0))
    assert scene.run_until(lambda: number in scene.outcomes[0], 2 * SECOND_US)
    answer = scene.outcomes[0][number]
    assert isinstance(answer, Answer)
    assert 2 < len(answer.ranks) < len(parts)
    (arrived,) = collected_bytes(scene)
    assert arrived == [part.data for part in parts[: len(arrived)]]
    assert answer.ranks <= frozenset(range(len(arrived)))


def test_a_picture_whose_first_packet_never_arrives_is_answered_as_without_a_key() -> None:
    scene = sealed_scene()
    assert scene.ready()
    assert isinstance(scene.send(picture(3, 0, SMALL), 300_000), Answer)
    hear = scene.world.edge.board.radio_rx

    def deaf_to_the_first(now_us: int, peer: int, packet: bytes) -> None:
        found = parse(packet)
        if not (isinstance(found, Picture) and found.rank == 0):
            hear(now_us, peer, packet)

    scene.world.edge.board.radio_rx = deaf_to_the_first  # type: ignore[method-assign]
    answer = scene.send(picture(5, 1, SMALL), 300_000)
    assert isinstance(answer, Answer)
    assert answer.ranks == {1, 2, 3, 4}
    assert len(scene.collected) == 2
    scene.world.edge.board.radio_rx = hear  # type: ignore[method-assign]
    assert isinstance(scene.send(picture(5, 2, SMALL), 300_000), Answer)
    assert not scene.receiver.session.channel.border.counts


def test_cameras_with_a_key_each() -> None:
    keys = [Key.random(str(number)) for number in range(4)]
    scene = sealed_scene(cameras=keys, server=keys)
    assert scene.ready()
    for turn in range(5):
        numbers = [scene.submit(picture(6, 10 * turn + camera, SMALL), 500_000, camera) for camera in range(4)]
        scene.run(SECOND_US)
        for camera, number in enumerate(numbers):
            outcome = scene.outcomes[camera][number]
            assert isinstance(outcome, Answer)
            assert len(outcome.ranks) == 6
    assert mismatches(scene) == []


@pytest.mark.parametrize(
    ("camera", "server", "at_camera", "at_server"),
    [
        (KEY, [OTHER], KeyFault.OTHER, KeyFault.OTHER),
        (KEY, [], KeyFault.NONE_THERE, KeyFault.NONE_HERE),
        (None, [KEY], KeyFault.NONE_HERE, KeyFault.NONE_THERE),
    ],
)
def test_different_keys_are_said_plainly_at_both_ends_and_once(
    camera: Key | None, server: list[Key], at_camera: KeyFault, at_server: KeyFault
) -> None:
    scene = sealed_scene(cameras=[camera], server=server)
    assert not scene.ready(limit_us=5 * SECOND_US)
    assert sorted(mismatches(scene)) == [
        ("camera 0", f"the edge server {at_camera.value}"),
        ("edge", f"camera 0 {at_server.value}"),
    ]
    scene.submit(picture(3, 0, SMALL), 300_000)
    scene.run(SECOND_US)
    assert scene.collected == []


def test_one_camera_without_the_key_does_not_disturb_the_other() -> None:
    scene = sealed_scene(cameras=[KEY, None], server=[KEY])
    assert scene.run_until(lambda: scene.senders[0].ready, 5 * SECOND_US)
    assert isinstance(scene.send(picture(6, 0, SMALL), 300_000), Answer)
    scene.submit(picture(6, 1, SMALL), 300_000, camera=1)
    scene.run(SECOND_US)
    assert len(scene.collected) == 1


class Hop:
    """What a hostile board between the two ends does with what the camera sends."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.recorded: list[Picture] = []
        self._deliver = scene.receiver.session.channel.receive
        self.extra: list[Picture] = []
        scene.receiver.session.channel.receive = self._receive  # type: ignore[method-assign]

    def _receive(self, data: bytes) -> list[Picture | Control]:
        packets = self._deliver(data)
        self.recorded += [packet for packet in packets if isinstance(packet, Picture)]
        extra, self.extra = self.extra, []
        return [*packets, *extra]


def test_a_hop_that_replays_pictures_has_none_decoded_twice() -> None:
    scene = sealed_scene()
    hop = Hop(scene)
    assert scene.ready()
    scene.send(picture(6, 0, SMALL), 300_000)
    old = list(hop.recorded)
    assert len(scene.collected) == 1
    for wait_s in (0, 11, 30, 60):  # also when its number has come round
        scene.run(wait_s * SECOND_US)
        hop.extra = [replace(packet, remaining_ms=200) for packet in old]
        scene.run(2 * SECOND_US)
    assert len(scene.collected) == 1
    assert scene.receiver.session.channel.border.counts == {Flaw.SEALED_REPLAY: 1}
    assert isinstance(scene.send(picture(6, 1, SMALL), 300_000), Answer)


def test_a_hop_that_forges_packets_changes_no_picture() -> None:
    scene = sealed_scene()
    hop = Hop(scene)
    assert scene.ready()
    scene.send(picture(6, 0, SMALL), 300_000)
    old = list(hop.recorded)
    for seed in range(1, 11):
        number = scene.submit(picture(6, seed, SMALL), 300_000)
        hop.extra = [replace(packet, image=number, last=seed % 2 == 0) for packet in old]
        hop.extra += [replace(packet, image=(number + 1) % 65536) for packet in old]
        assert scene.run_until(lambda: number in scene.outcomes[0], SECOND_US)  # noqa: B023
        answer = scene.outcomes[0][number]
        assert isinstance(answer, Answer)
        assert len(answer.ranks) == 6
    assert collected_bytes(scene) == [[packet.data for packet in picture(6, seed, SMALL)] for seed in range(11)]
    assert scene.receiver.session.channel.border.counts[Flaw.SEALED_PICTURE] > 0


def test_a_hop_that_forges_answers_is_not_believed() -> None:
    scene = sealed_scene()
    assert scene.ready()
    write = scene.receiver.session.channel.write

    def forging(now_us: int, packet: Picture | Control) -> None:
        if isinstance(packet, Result):
            packet = replace(packet, status=0, text=b"\0\0\xff\xff\3dog", ranks=b"\xff" * 32)
        write(now_us, packet)

    scene.receiver.session.channel.write = forging  # type: ignore[method-assign]
    assert isinstance(scene.send(picture(6, 0, SMALL), 300_000), Unanswered)
    assert scene.senders[0].session.channel.border.counts[Flaw.SEALED_RESULT] > 0
    scene.receiver.session.channel.write = write  # type: ignore[method-assign]
    assert isinstance(scene.send(picture(6, 1, SMALL), 300_000), Answer)


@pytest.mark.parametrize("is_lost", [True, False])
def test_a_server_that_starts_again_is_served_again(is_lost: bool) -> None:
    """The camera takes the salt of the new one, without pictures sealed for the old one being of use."""
    scene = sealed_scene()
    assert scene.ready()
    assert isinstance(scene.send(picture(6, 0, SMALL), 300_000), Answer)
    scene.receiver._seal = KeyedServer([KEY])
    if is_lost:
        number = scene.submit(picture(6, 1, SMALL), 300_000)
        scene.run(SECOND_US)
        assert number in scene.outcomes[0]
    else:
        scene.run(2 * SECOND_US)  # a ping a second tells the camera
    scene.run(2 * SECOND_US)
    answer = scene.send(picture(6, 2, SMALL), 300_000)
    assert isinstance(answer, Answer)
    assert len(answer.ranks) == 6


def test_a_stream_goes_on_within_a_second_after_the_server_started_again() -> None:
    scene = sealed_scene(air(rate_bps=100_000))
    assert scene.ready()
    ends: list[bool] = []
    for turn in range(40):
        if turn == 10:
            scene.receiver._seal = KeyedServer([KEY])
        number = scene.submit(picture(20, turn, SMALL), 400_000)
        scene.run(200_000)
        ends.append(number in scene.outcomes[0])
    scene.run(2 * SECOND_US)
    answered = [isinstance(outcome, Answer) for outcome in scene.outcomes[0].values()]
    assert all(answered[:8])
    assert all(answered[18:])


def test_a_whole_packet_of_the_codec_does_not_fit_with_a_seal() -> None:
    scene = sealed_scene()
    assert scene.ready()
    with pytest.raises(ValueError, match="can be sealed"):
        scene.submit(picture(3, 0, MAX_CODEC_BYTES), 300_000)
