"""No packet raises an exception, opens anything, or makes a server keep more than its bounds."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from host.link.border import Flaw
from host.seal.camera_seal import KeyedCamera
from host.seal.server_seal import MOST_PACKETS, MOST_PICTURES, MOST_SESSIONS, MOST_WAITING
from host.wire import MAX_CODEC_BYTES, Hop, Picture, Ping, Pong, Result
from tests.seal.ends import KEY, Pair, plain

seals = st.binary(max_size=40)
pictures = st.builds(
    Picture,
    image=st.integers(0, 9),
    rank=st.integers(0, 255),
    position=st.integers(0, 65535),
    remaining_ms=st.integers(0, 65535),
    data=st.binary(min_size=1, max_size=MAX_CODEC_BYTES),
    last=st.booleans(),
    program=st.integers(0, 3),
    source=st.integers(0, 15),
)
pings = st.builds(Ping, hop=st.just(Hop.PEER_HOST), token=st.integers(0, 9), seal=seals, peer=st.integers(0, 15))
pongs = st.builds(Pong, hop=st.just(Hop.PEER_HOST), token=st.integers(0, 9), seal=seals)
results = st.builds(Result, image=st.integers(0, 9), program=st.integers(0, 3), text=st.binary(max_size=195))


@given(st.lists(pictures | pings | pongs | results, max_size=60))
@example([Picture(1, rank, 0, 0, b"x") for rank in range(3)])
@example([Ping(hop=Hop.PEER_HOST, seal=b"short"), Pong(seal=b"short"), Result(text=b"")])
def test_no_packet_raises_or_is_taken(packets: list[Picture | Ping | Pong | Result]) -> None:
    pair = Pair()
    seal, sealed = pair.sealed(ranks=4)
    for number, packet in enumerate(packets):
        match packet:
            case Picture():
                assert pair.open(packet, now_us=1000 * number) == []
            case Ping():
                _, pong = pair.server.pong(packet, Pong())
                assert pong.seal == bytes(16)
            case Pong():
                pair.camera.pong(packet)
            case Result():
                assert seal.open(packet) is None
                assert pair.server.result(packet) is None
    assert pair.camera.is_ready
    assert sorted(each.rank for each in pair.open(*sealed)) == [0, 1, 2, 3]


def test_what_a_server_keeps_is_bounded() -> None:
    pair = Pair()
    for number in range(MOST_WAITING * 3):
        for rank in (1, 2):
            pair.open(plain(number, rank, data=b"forged"))
    for number in range(MOST_PACKETS * 2):
        pair.open(plain(60_000, 1 + number % 255, data=b"forged"))
    waiting = pair.server._waiting[0]
    assert len(waiting) == MOST_WAITING
    assert max(map(len, waiting.values())) == MOST_PACKETS
    for number in range(MOST_SESSIONS * 3):
        pair.server.pong(KeyedCamera(KEY).ping(Ping(token=number)), Pong())
    assert len(pair.server._sessions[0]) == MOST_SESSIONS
    pair.greet()
    for number in range(MOST_PICTURES + 50):
        assert len(pair.open(*pair.picture(number, ranks=1))) == 1
    assert len(pair.server._pictures[0]) == MOST_PICTURES
    assert set(pair.flaws) <= {Flaw.SEALED_PICTURE}


def test_a_camera_that_has_the_key_and_jumps_to_the_last_counter_harms_only_itself() -> None:
    pair = Pair()
    pair.camera._counter = (1 << 64) - 1
    assert len(pair.open(*pair.picture(1))) == 3
    pair.camera._counter = 0
    assert pair.open(*pair.picture(2)) == []
    assert pair.flaws == {Flaw.SEALED_REPLAY: 1}
