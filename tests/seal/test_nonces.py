"""No nonce is used for two messages: not in a picture, a session, or after a restart of either end."""

from __future__ import annotations

import random

import pytest

from host.link.border import Flaw
from host.link.sealing import Proof
from host.seal import cipher
from host.seal.camera_seal import KeyedCamera
from host.seal.cipher import Cipher
from host.seal.key import Key
from host.seal.replay import WINDOW, ReplayWindow
from host.seal.server_seal import MOST_SESSIONS, REACH, KeyedServer
from host.wire import Hop, Picture, Ping, Pong, Result, parse
from tests.seal.ends import KEY, Pair, plain

Used = dict[tuple[bytes, bytes], tuple[bytes, bytes]]


@pytest.fixture
def used(monkeypatch: pytest.MonkeyPatch) -> Used:
    """Every key and nonce with which something was sealed, and what; a second message with one of them fails."""
    found: Used = {}

    class Watched(Cipher):
        def __init__(self, key: bytes, salt: bytes) -> None:
            super().__init__(key, salt)
            self._key = key

        def seal(self, counter: int, part: int, data: bytes, associated: bytes) -> bytes:
            place = self._key, self._nonce(counter, part)
            assert found.setdefault(place, (data, associated)) == (data, associated), "a nonce was used twice"
            return super().seal(counter, part, data, associated)

    monkeypatch.setattr(cipher, "Cipher", Watched)
    return found


def test_pictures_ranks_answers_and_restarts_have_nonces_of_their_own(used: Used) -> None:
    sealed = 0
    for _ in range(20):  # programs one after the other, with one key
        pair = Pair()
        for image in range(5):
            _, packets = pair.sealed(image, ranks=4)
            pair.open(*packets)
            for more in (1, 1, 0):
                assert pair.server.result(Result(image=image, program=2, more=more, text=b"same"))
            sealed += 4 + 3
        pair.server = KeyedServer([KEY])  # the server starts again
        assert pair.greet() == (Proof.SAME_KEY, Proof.SAME_KEY)
        pair.open(*pair.picture(9, ranks=4))
        sealed += 4
    assert len(used) == sealed


def test_a_picture_sent_again_is_the_same_bytes(used: Used) -> None:
    pair = Pair()
    seal = pair.camera.picture()
    packets = [seal.seal(plain(rank=rank)) for rank in (0, 1, 0, 1)]
    assert packets[:2] == packets[2:]
    assert len(used) == 2


def test_salts_are_new_for_each_program_and_each_server() -> None:
    pings = [KeyedCamera(KEY).ping(Ping(hop=Hop.PEER_HOST)) for _ in range(50)]
    assert len({ping.seal[:8] for ping in pings}) == 50
    pongs = [KeyedServer([KEY]).pong(pings[0], Pong())[1] for _ in range(50)]
    assert len({pong.seal[:8] for pong in pongs}) == 50


def test_a_session_that_was_forgotten_begins_with_another_salt() -> None:
    """Else the pictures of the old one, of which nothing is known any more, could be sent again."""
    pair = Pair()
    old = pair.picture()
    assert len(pair.open(*old)) == 3
    for _ in range(MOST_SESSIONS):
        pair.server.pong(KeyedCamera(KEY).ping(Ping(hop=Hop.PEER_HOST)), Pong())
    before = pair.camera.ciphers
    pair.greet()
    assert pair.camera.ciphers is not before
    assert pair.open(*old) == []
    assert pair.flaws[Flaw.SEALED_PICTURE] >= 1


def test_pictures_are_refused_the_second_time() -> None:
    pair = Pair()
    packets = pair.picture()
    assert len(pair.open(*packets)) == 3
    assert pair.open(*packets) == []  # still remembered
    assert pair.open(*packets, now_us=66_000_000) == []  # forgotten, but not its counter
    assert pair.flaws == {Flaw.SEALED_REPLAY: 1}


def test_pictures_of_another_server_or_program_are_refused() -> None:
    pair = Pair()
    packets = pair.picture()
    pair.server = KeyedServer([KEY])
    assert pair.open(*packets) == []
    pair.greet()
    assert pair.open(*packets) == []
    assert len(pair.open(*pair.picture())) == 3


def test_packets_of_one_picture_are_refused_in_another() -> None:
    pair = Pair()
    one, other = pair.picture(7), pair.picture(8)
    pair.open(one[0], other[0])
    for packet in one[1:]:
        moved = parse_as(packet.pack(), image=8)
        assert pair.open(moved) == []
    assert pair.open(parse_as(one[0].pack(), image=9)) == []
    assert pair.flaws == {Flaw.SEALED_PICTURE: 3}
    assert len(pair.open(*one, *other)) == 4


def test_answers_to_one_picture_are_refused_for_another() -> None:
    pair = Pair()
    (one, first), (other, second) = pair.sealed(7), pair.sealed(8)
    pair.open(*first, *second)
    answer = pair.server.result(Result(image=7, program=2, text=b"cat"))
    assert answer is not None
    assert one.open(answer) is not None
    assert other.open(answer) is None
    assert other.open(Result.unpack(answer.pack()[:2] + bytes([8]) + answer.pack()[3:])) is None


def parse_as(data: bytes, image: int) -> Picture:
    packet = parse(data[:1] + image.to_bytes(2, "little") + data[3:])
    assert isinstance(packet, Picture)
    return packet


def test_packets_come_in_any_order() -> None:
    pair = Pair()
    packets = pair.picture(ranks=4)
    assert [each.rank for each in pair.open(packets[3], packets[1])] == [3, 1]
    assert [each.rank for each in pair.open(packets[0], packets[0])] == [0]
    assert [each.rank for each in pair.open(packets[2], packets[1])] == [2]
    assert not pair.flaws


@pytest.mark.parametrize("counter", [REACH, 1 << 40])
def test_packets_of_a_picture_far_ahead_wait_for_the_first_one(counter: int) -> None:
    pair = Pair()
    pair.camera._counter = counter
    packets = pair.picture(ranks=4)
    assert pair.open(packets[3], packets[1]) == []
    assert [each.rank for each in pair.open(packets[0])] == [0, 3, 1]
    assert [each.rank for each in pair.open(packets[2], packets[1])] == [2]
    assert not pair.flaws


def test_a_picture_whose_first_packet_is_lost_is_answered_with_nonces_of_its_own(used: Used) -> None:
    pair = Pair()
    texts = []
    for image, lost in ((1, 0), (9, REACH - 1)):  # also after pictures of which nothing arrived
        for other in range(image + 1, image + 1 + lost):
            pair.picture(other)
        seal, (first, *rest) = pair.sealed(image)
        assert [each.rank for each in pair.open(*rest)] == [1, 2]
        for late in ([], [first]):
            assert [each.rank for each in pair.open(*late, now_us=1000)] == [0] * len(late)
            answer = pair.server.result(Result(image=image, program=2, text=b"nothing"))
            assert answer is not None
            opened = seal.open(answer)
            assert opened is not None
            texts.append(opened.text)
        assert pair.open(first, *rest) == []
    assert texts == [b"nothing"] * 4
    assert not pair.flaws
    assert len(used) == 3 * (1 + REACH) + 4


def test_a_late_first_packet_of_a_picture_that_was_forgotten_is_refused() -> None:
    """Its answers would be numbered from 0 again."""
    pair = Pair()
    first, *rest = pair.picture()
    assert len(pair.open(*rest)) == 2
    assert pair.open(first, now_us=66_000_000) == []
    assert pair.flaws == {Flaw.SEALED_REPLAY: 1}


def test_a_picture_between_others_is_found_without_its_first_packet() -> None:
    pair = Pair()
    pictures = [pair.picture(image) for image in range(4)]
    for number in (0, 3):
        assert len(pair.open(*pictures[number])) == 3
    for number in (2, 1):
        assert [each.rank for each in pair.open(*pictures[number][1:])] == [1, 2]
        assert pair.open(*pictures[number][1:]) == []


def test_a_forged_packet_that_waits_does_not_displace_the_real_one() -> None:
    pair = Pair()
    packets = pair.picture()
    forged = plain(rank=1, data=b"forged bytes")
    assert pair.open(forged, packets[1]) == []
    assert [each.rank for each in pair.open(packets[0])] == [0, 1]
    assert pair.flaws == {Flaw.SEALED_PICTURE: 1}


def test_keys_of_several_cameras() -> None:
    keys = [Key.random(str(number)) for number in range(5)]
    server = KeyedServer(keys)
    for source, key in enumerate(keys):
        pair = Pair(key, source=source)
        pair.server = server
        assert pair.greet() == (Proof.SAME_KEY, Proof.SAME_KEY)
        assert len(pair.open(*pair.picture())) == 3
    stranger = Pair(Key.random())
    stranger.server = server
    assert stranger.greet() == (Proof.OTHER_KEY, Proof.OTHER_KEY)


def test_an_answer_to_no_ping_of_this_program_proves_nothing() -> None:
    old = KeyedCamera(KEY)
    _, pong = KeyedServer([KEY]).pong(old.ping(Ping(hop=Hop.PEER_HOST)), Pong(hop=Hop.PEER_HOST))
    assert old.pong(pong) is Proof.SAME_KEY
    assert KeyedCamera(KEY).pong(pong) is Proof.OTHER_KEY


@pytest.mark.parametrize("jump", [1, 2, 63, WINDOW - 1, WINDOW, WINDOW + 1, 1 << 40])
def test_a_window_takes_each_counter_once(jump: int) -> None:
    window = ReplayWindow()
    assert window.take(0)
    assert window.take(jump)
    assert not window.take(jump)
    assert not window.take(0)
    assert window.take(jump - 1) == (jump > 1)
    assert not window.take(jump - WINDOW) if jump >= WINDOW else True


def test_a_window_agrees_with_a_set() -> None:
    draw = random.Random(3)
    window, seen, latest = ReplayWindow(), set[int](), -1
    for _ in range(20_000):
        counter = max(0, latest + draw.randrange(-WINDOW - 20, 20))
        latest = max(latest, counter) if counter > latest - WINDOW else latest
        expected = counter not in seen and counter > latest - WINDOW
        assert window.take(counter) == expected
        if expected:
            seen.add(counter)


def test_the_likely_counters_of_a_window_are_unused_and_near() -> None:
    window = ReplayWindow()
    assert list(window.likely(3)) == [0, 1, 2]
    for counter in (0, 2, 5):
        window.take(counter)
    assert list(window.likely(3)) == [6, 7, 8, 4, 3]
    assert list(window.likely(8)) == [*range(6, 14), 4, 3, 1]
    window.take((1 << 64) - 2)
    assert list(window.likely(3)) == [(1 << 64) - 1, (1 << 64) - 3, (1 << 64) - 4]
