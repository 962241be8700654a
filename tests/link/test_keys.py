"""What sender and receiver make of keys: of an end that has one while they have none, and of their own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from host.link.border import Flaw
from host.link.camera_key import CameraKey
from host.link.events import Answer, KeyFault, KeyMismatch, Ready
from host.link.outgoing import OutgoingImage
from host.link.receiver import Receiver
from host.link.sealing import PictureSeal, Proof
from host.link.sender import Sender
from host.ranked import RankedPacket
from host.wire import MAX_CODEC_BYTES, Hop, Picture, Ping, Pong, Result
from tests.link.desk import PROGRAM, ReceiverDesk, SenderDesk, ranked

SEAL = b"0123456789abcdef"
MS = 1_000


def hello_of(source: int, seal: bytes = b"") -> Ping:
    return Ping(hop=Hop.PEER_HOST, token=5, origin_us=6, seal=seal, peer=source)


# Without a key


def test_pictures_of_a_camera_with_a_key_are_not_taken_until_it_has_none() -> None:
    desk = ReceiverDesk()
    assert desk.say(hello_of(2, SEAL)) == [KeyMismatch(2, KeyFault.NONE_HERE, at_camera=False)]
    assert [pong.seal for pong in desk.heard(Pong)] == [b""]
    assert desk.arrive(0, source=2, last=0) == []
    assert len(desk.arrive(0, source=3, last=0)) == 1
    assert desk.say(hello_of(2, SEAL)) == []  # it was reported
    assert desk.say(hello_of(2)) == []
    assert len(desk.arrive(0, source=2, last=0)) == 1
    assert len(desk.say(hello_of(2, SEAL))) == 1


def test_a_sender_whose_server_has_a_key_says_so_and_is_not_ready() -> None:
    desk = SenderDesk()
    desk.open()
    desk.credit()
    desk.at(desk.now_us)
    (ping,) = [packet for packet in desk.heard(Ping) if packet.hop == Hop.PEER_HOST]
    assert desk.pong(ping, seal=SEAL) == [KeyMismatch(0, KeyFault.NONE_HERE, at_camera=True)]
    assert not desk.sender.ready
    (event,) = desk.pong(ping)
    assert isinstance(event, Ready)


def test_without_a_key_everything_may_be_sent_whole_and_as_it_is() -> None:
    key = CameraKey(None)
    image = OutgoingImage(7, 0, ranked(1), 0, 0, 0)
    assert (key.may_send, key.is_doubtful, key.longer_parts, key.packet_bytes) == (True, False, 1.0, (236, 0))
    assert key.ping(Ping(token=1)) == Ping(token=1)
    assert key.prepare(image).seal is None
    assert key.opened(image, Result(image=7)) == Result(image=7)
    key.on_unanswered()
    assert not key.is_doubtful
    key.check_sizes([RankedPacket(0, 0, bytes(MAX_CODEC_BYTES))])


# With a word for a key: these seals hide nothing, so that a test can read what link makes of them


class Mark:
    """Seals a picture by a mark before its bytes."""

    def __init__(self, camera: WordAtCamera, word: bytes) -> None:
        self._camera = camera
        self._word = word

    @property
    def is_current(self) -> bool:
        return self._word == self._camera.server

    def seal(self, packet: Picture) -> Picture:
        return replace(packet, data=self._word + packet.data)

    def open(self, result: Result) -> Result | None:
        is_mine = result.text.startswith(self._word)
        return replace(result, text=result.text[len(self._word) :]) if is_mine else None


class WordAtCamera:
    """A camera's word, and the salt of the server that knows it."""

    room, first_room = 100, 90

    def __init__(self) -> None:
        self.server = b""

    @property
    def is_ready(self) -> bool:
        return bool(self.server)

    def ping(self, ping: Ping) -> Ping:
        return replace(ping, seal=SEAL)

    def pong(self, pong: Pong) -> Proof:
        if not pong.seal:
            return Proof.NO_KEY
        if pong.seal == bytes(16):
            return Proof.OTHER_KEY
        self.server = pong.seal
        return Proof.SAME_KEY

    def picture(self) -> PictureSeal:
        return Mark(self, self.server)


class WordAtServer:
    """A server's word."""

    text_room = 50

    def __init__(self) -> None:
        self.waiting: list[Picture] = []

    def pong(self, ping: Ping, pong: Pong) -> tuple[Proof, Pong]:
        proof = Proof.NO_KEY if not ping.seal else Proof.SAME_KEY if ping.seal == SEAL else Proof.OTHER_KEY
        return proof, replace(pong, seal=SEAL)

    def open(self, now_us: int, packet: Picture, refuse: Callable[[Flaw], None]) -> list[Picture]:
        assert now_us > 0
        if packet.data == b"early":
            self.waiting.append(packet)
            return []
        if not packet.data.startswith(SEAL):
            refuse(Flaw.SEALED_PICTURE)
            return []
        opened, self.waiting = [*self.waiting, replace(packet, data=packet.data[len(SEAL) :])], []
        return opened

    def result(self, result: Result) -> Result | None:
        return replace(result, text=SEAL + result.text) if result.image else None


@pytest.fixture
def camera() -> tuple[SenderDesk, Ping]:
    """A sender with a key, which has asked its server."""
    desk = SenderDesk(Sender(nonce=7, seal=WordAtCamera()))
    desk.open()
    desk.credit()
    desk.at(desk.now_us)
    (ping,) = [packet for packet in desk.heard(Ping) if packet.hop == Hop.PEER_HOST]
    assert ping.seal == SEAL
    return desk, ping


def test_a_sender_with_a_key_sends_nothing_before_its_server_has_it(camera: tuple[SenderDesk, Ping]) -> None:
    desk, ping = camera
    desk.submit(1, 2_000 * MS, size=50)
    assert desk.pictures() == []
    assert desk.pong(ping) == [KeyMismatch(0, KeyFault.NONE_THERE, at_camera=True)]
    assert desk.pong(ping, seal=bytes(16)) == [KeyMismatch(0, KeyFault.OTHER, at_camera=True)]
    desk.credit()
    assert desk.pictures() == []
    (event,) = desk.pong(ping, seal=SEAL)
    assert isinstance(event, Ready)
    assert [picture.data for picture in desk.pictures()] == [SEAL + bytes(50)]


def test_a_fault_that_was_mended_is_reported_when_it_comes_again(camera: tuple[SenderDesk, Ping]) -> None:
    desk, ping = camera
    assert [len(desk.pong(ping, 0, seal=seal)) for seal in (b"", b"", SEAL, b"")] == [1, 0, 1, 1]


def test_a_packet_that_cannot_be_sealed_is_refused_the_first_one_sooner(camera: tuple[SenderDesk, Ping]) -> None:
    sender = camera[0].sender
    sender.key.check_sizes([RankedPacket(0, 0, bytes(90)), RankedPacket(1, 0, bytes(100))])
    for sizes, refused, most in (((91,), 0, 90), ((90, 101), 1, 100)):
        packets = [RankedPacket(rank, 0, bytes(size)) for rank, size in enumerate(sizes)]
        with pytest.raises(ValueError, match=f"^packet {refused} has {sizes[-1]} codec bytes: {most} can be sealed$"):
            sender.submit(0, packets, 1_000 * MS)
    assert (sender.key.packet_bytes, sender.key.longer_parts) == ((100, 10), 1.5)


def test_with_a_key_parts_are_longer_and_fewer_bytes_are_likely(camera: tuple[SenderDesk, Ping]) -> None:
    desk, ping = camera
    desk.pong(ping, seal=SEAL)
    for packets, size in enumerate((0, 40, 276)):  # 200 us a byte
        desk.credit(acked_packets=packets, acked_bytes=size, busy_us=200 * size)
    assert desk.sender.part_bytes() == (60, int(25_000 * 1.5 / 200))
    server = desk.sender.server
    due_us = desk.now_us + 1_000 * MS
    left_us = server.leaves_by_us(desk.now_us, due_us) - server.service_us - desk.now_us
    assert desk.sender.likely_bytes(desk.now_us, due_us) == int(left_us / 200 * 100 / 236)


def test_an_answer_that_its_seal_does_not_open_is_none_and_the_server_is_asked_again(
    camera: tuple[SenderDesk, Ping],
) -> None:
    desk, ping = camera
    desk.pong(ping, seal=SEAL)
    number = desk.submit(1, 2_000 * MS, size=50)
    desk.heard()
    assert desk.result(number) == []
    assert desk.sender.session.channel.border.counts == {Flaw.SEALED_RESULT: 1}
    desk.credit(waiting=1)
    desk.wait(100 * MS)
    assert [packet.hop for packet in desk.heard(Ping)].count(Hop.PEER_HOST) == 1
    (answer,) = desk.result(number, text=SEAL)
    assert isinstance(answer, Answer)


def test_an_answer_to_a_picture_of_which_nothing_was_sent_is_none(camera: tuple[SenderDesk, Ping]) -> None:
    desk, ping = camera
    desk.pong(ping, seal=SEAL)
    desk.credit(free=0)
    number = desk.submit(1, 2_000 * MS, size=50)
    assert desk.result(number, text=SEAL) == []
    assert desk.sender.session.channel.border.counts == {Flaw.SEALED_RESULT: 1}


def test_pictures_for_a_server_that_has_gone_are_sealed_and_sent_again_for_the_new_one(
    camera: tuple[SenderDesk, Ping],
) -> None:
    desk, ping = camera
    desk.pong(ping, seal=SEAL)
    desk.submit(2, 60_000 * MS, size=50)
    assert len(desk.pictures()) == 2
    desk.credit()
    desk.pong(ping, seal=SEAL)  # the same server: nothing is sent again
    assert desk.pictures() == []
    other = SEAL[::-1]
    desk.pong(ping, seal=other)
    assert [picture.data for picture in desk.pictures()] == [other + bytes(50), other + b"\1" * 50]


def test_after_a_picture_without_an_answer_a_sender_with_a_key_asks_whether_its_server_is_the_same(
    camera: tuple[SenderDesk, Ping],
) -> None:
    desk, ping = camera
    desk.pong(ping, seal=SEAL)
    desk.submit(1, 100 * MS, size=50)
    while desk.sender.pending:
        desk.wait(50 * MS)
        desk.credit(waiting=1)
    assert desk.sender.key.is_doubtful
    assert [packet.hop for packet in desk.heard(Ping)].count(Hop.PEER_HOST) == 0
    pings: list[Ping] = []
    while not pings:  # pictures are outstanding all the time
        desk.wait(50 * MS)
        desk.credit(waiting=1)
        pings = [packet for packet in desk.heard(Ping) if packet.hop == Hop.PEER_HOST]
    desk.pong(pings[0], seal=SEAL)
    assert not desk.sender.key.is_doubtful


# The receiver


def test_a_receiver_with_a_key_takes_only_what_it_opens_and_seals_its_answers() -> None:
    desk = ReceiverDesk(Receiver(nonce=8, seal=WordAtServer()))
    assert desk.say(hello_of(1, SEAL)) == []
    assert [pong.seal for pong in desk.heard(Pong)] == [SEAL]
    assert desk.say(hello_of(1)) == [KeyMismatch(1, KeyFault.NONE_THERE, at_camera=False)]
    assert desk.say(hello_of(1, SEAL[::-1])) == [KeyMismatch(1, KeyFault.OTHER, at_camera=False)]
    assert desk.say(hello_of(1, SEAL)) == []
    assert len(desk.say(hello_of(1, SEAL[::-1]))) == 1  # it was fine meanwhile
    desk.heard()
    sealed = Picture(desk.due(), 0, 0, 100, SEAL + b"abc", last=True, program=PROGRAM)
    assert desk.say(replace(sealed, data=b"abc")) == []
    assert desk.receiver.session.channel.border.counts == {Flaw.SEALED_PICTURE: 1}
    (collected,) = desk.say(sealed)
    assert [packet.data for packet in collected.packets] == [b"abc"]  # type: ignore[union-attr]
    desk.receiver.answer(desk.now_us, collected, [(1, "x" * 200, 0.5)], service_us=1, used=[0])  # type: ignore[arg-type]
    desk.receiver.answer(desk.now_us, replace(collected, image=0), [], service_us=1, used=[0])  # type: ignore[arg-type, type-var]
    desk.at(desk.now_us)
    (result,) = desk.heard(Result)
    assert result.text.startswith(SEAL)
    assert len(result.text) == len(SEAL) + WordAtServer.text_room


def test_both_ends_report_no_more_than_four_changes_of_a_key_at_once(camera: tuple[SenderDesk, Ping]) -> None:
    desk, ping = camera
    at_camera = [len(desk.pong(ping, 0, seal=seal)) for seal in (b"", bytes(16)) * 3]
    server = ReceiverDesk(Receiver(nonce=8, seal=WordAtServer()))
    at_server = [len(server.say(hello_of(1, seal))) for seal in (b"", SEAL[::-1]) * 3]
    assert at_camera == at_server == [1, 1, 1, 1, 0, 0]


def test_packets_that_waited_for_another_one_are_collected_with_it() -> None:
    desk = ReceiverDesk(Receiver(nonce=8, seal=WordAtServer()))
    early = Picture(desk.due(), 0, 0, 100, b"early", last=True, source=1)
    assert desk.say(early) == []
    assert len(desk.say(replace(early, data=SEAL + b"x", source=2))) == 2
