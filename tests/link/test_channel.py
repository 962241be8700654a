"""The account of frames in flight, and the requests for those of the board, frame by frame."""

from __future__ import annotations

import zlib

import pytest
from cobs import cobs

from host.link.border import Flaw
from host.link.channel import MAX_FRAMES_IN_FLIGHT, Channel, Sent
from host.link.frames import Frame, FrameReader, write_frame
from host.wire import MAX_PACKET, Control, Credit, Hello, Kind, Picture, Ping, Repeat, Result

HELLO = Hello(version=2, kind=Kind.BOARD, name=b"x" * 30)


def picture(rank: int) -> Picture:
    return Picture(1, rank, 0, 50, b"x", last=False)


def written(channel: Channel) -> list[Frame]:
    """Return the frames that the channel has for the transport."""
    return FrameReader().feed(channel.output())


def lost(channel: Channel, credit: Credit) -> list[Sent]:
    found: list[Sent] = []
    channel.confirm(credit, lost=found.append)
    return found


def ping(token: int) -> Ping:
    return Ping(token=token)


# To the board


def test_a_new_channel_has_nothing() -> None:
    channel = Channel()
    assert (channel.frames_in_flight, channel.pictures_in_flight(), channel.oldest_us()) == (0, 0, None)
    assert (channel.output(), channel.request(), channel.abandon()) == (b"", None, [])


def test_what_is_written_is_numbered_from_0_and_given_once() -> None:
    channel = Channel()
    channel.write(5, picture(0))
    channel.write(7, ping(1))
    assert written(channel) == [Frame(0, picture(0).pack()), Frame(1, ping(1).pack())]
    assert channel.output() == b""
    assert (channel.frames_in_flight, channel.pictures_in_flight(), channel.oldest_us()) == (2, 1, 5)


def test_numbers_wrap_after_255() -> None:
    channel = Channel()
    for token in range(258):
        channel.write(token, ping(token))
    assert [frame.seq for frame in written(channel)][-3:] == [255, 0, 1]
    assert channel.frames_in_flight == 256
    assert channel.oldest_us() == 2  # a number that comes again names the new frame, as the youngest


def test_a_hello_ends_what_came_before_it() -> None:
    channel = Channel()
    channel.write(1, ping(1))
    channel.output()
    channel.write(9, HELLO)
    data = channel.output()
    assert data[0] == 0
    assert data.count(0) == 2
    assert (channel.frames_in_flight, channel.oldest_us()) == (1, 9)


@pytest.mark.parametrize("next_seq", [0, 1, 3, 4])
def test_a_credit_accounts_for_the_frames_before_its_number(next_seq: int) -> None:
    channel = Channel()
    for token in range(4):
        channel.write(token, ping(token))
    assert lost(channel, Credit(next_seq=next_seq)) == []
    assert channel.frames_in_flight == 4 - next_seq
    assert channel.oldest_us() == (next_seq if next_seq < 4 else None)


def test_a_credit_names_the_frames_that_are_missing() -> None:
    channel = Channel()
    for token in range(5):
        channel.write(10 + token, ping(token))
    assert lost(channel, Credit(next_seq=4, missing=0b1001)) == [Sent(ping(0), 10), Sent(ping(3), 13)]
    assert channel.frames_in_flight == 1


@pytest.mark.parametrize(("age", "is_lost"), [(31, False), (32, True), (127, True)])
def test_what_a_credit_no_longer_looks_back_to_is_lost(age: int, is_lost: bool) -> None:
    channel = Channel()
    channel.write(1, ping(1))
    assert bool(lost(channel, Credit(next_seq=1 + age))) == is_lost
    assert channel.frames_in_flight == 0


def test_a_credit_from_before_a_frame_says_nothing_of_it() -> None:
    channel = Channel()
    channel.write(1, ping(1))
    assert lost(channel, Credit(next_seq=1 + 128)) == []
    assert channel.frames_in_flight == 1


def test_a_credit_accounts_for_frames_across_the_wrap_of_their_numbers() -> None:
    channel = Channel()
    for token in range(258):
        channel.write(token, ping(token))
        if token % 20 == 13:  # also after 253
            assert lost(channel, Credit(next_seq=token + 1)) == []
    assert lost(channel, Credit(next_seq=1, missing=0b100)) == [Sent(ping(254), 254)]
    assert channel.frames_in_flight == 1
    assert lost(channel, Credit(next_seq=2)) == []
    assert channel.frames_in_flight == 0


def test_what_is_abandoned_is_returned_in_order_and_forgotten() -> None:
    channel = Channel()
    for token in range(3):
        channel.write(token, ping(token))
    assert channel.abandon() == [Sent(ping(token), token) for token in range(3)]
    assert (channel.frames_in_flight, channel.abandon()) == (0, [])


def test_a_credit_can_name_all_frames_that_may_be_in_flight() -> None:
    assert MAX_FRAMES_IN_FLIGHT == 24


# From the board


def say(channel: Channel, *packets: Control | Picture | bytes, first: int = 0) -> list[Control | Picture]:
    data = b"".join(
        write_frame(first + at, packet if isinstance(packet, bytes) else packet.pack())
        for at, packet in enumerate(packets)
    )
    return channel.receive(data)


def test_packets_around_one_that_is_unknown_malformed_or_implausible_are_received() -> None:
    channel = Channel()
    bad = [b"\x7f?", b"\x09", Result(peer=200), Ping(hop=9)]
    assert say(channel, ping(1), *bad, ping(2)) == [ping(1), ping(2)]
    assert channel.border.counts == {Flaw.MALFORMED: 1, Flaw.CAMERA: 1, Flaw.HOP: 1}


def test_a_hello_starts_the_boards_numbers_anew_and_keeps_24_bytes_of_its_name() -> None:
    channel = Channel()
    (hello,) = say(channel, HELLO, first=77)
    assert isinstance(hello, Hello)
    assert hello.name == b"x" * 24
    assert channel.request() is None
    say(channel, ping(1), first=79)
    assert channel.request() == Repeat(next_seq=80, missing=0b10)


def test_missing_frames_are_asked_for_once_and_again_if_the_request_is_lost() -> None:
    channel = Channel()
    say(channel, ping(1), first=2)
    request = channel.request()
    assert request == Repeat(next_seq=3, missing=0b110)
    assert channel.request() is None
    say(channel, ping(2), first=4)
    second = channel.request()
    assert second == Repeat(next_seq=5, missing=0b10)
    channel.forget(request)
    assert channel.request() == Repeat(next_seq=5, missing=0b11000)
    channel.forget(Repeat(next_seq=5, missing=0b11010))
    assert channel.request() == Repeat(next_seq=5, missing=0b11010)


def test_a_frame_that_was_asked_for_before_the_wrap_is_not_asked_for_after_it() -> None:
    channel = Channel()
    channel.reader.restart(249)
    say(channel, ping(1), first=251)
    assert channel.request() == Repeat(next_seq=252, missing=0b10)
    for seq in (*range(252, 256), 0, 1):
        say(channel, ping(1), first=seq)
        assert channel.request() is None


def test_after_a_hello_frames_of_the_same_numbers_are_asked_for_again() -> None:
    channel = Channel()
    say(channel, ping(1), first=1)
    assert channel.request() == Repeat(next_seq=2, missing=0b10)
    say(channel, HELLO, first=255)
    say(channel, ping(1), first=1)
    assert channel.request() == Repeat(next_seq=2, missing=0b10)


def test_a_frame_is_asked_for_though_one_of_the_same_number_was_256_frames_before() -> None:
    channel = Channel()
    say(channel, ping(1), first=1)
    assert channel.request() == Repeat(next_seq=2, missing=0b10)
    for seq in range(2, 256):
        say(channel, ping(seq), first=seq)
        channel.request()
    say(channel, ping(1), first=1)
    assert channel.request() == Repeat(next_seq=2, missing=0b10)


def test_the_oldest_frame_that_can_be_asked_for_is_31_numbers_before() -> None:
    channel = Channel()
    say(channel, ping(1), first=200)
    assert channel.request() == Repeat(next_seq=201, missing=0xFFFFFFFE)
    assert channel.reader.missed == 200


# Frames


def test_a_frame_is_its_number_modulo_256_its_packet_and_the_crc() -> None:
    assert write_frame(0x105, b"a") == write_frame(5, b"a")
    assert write_frame(5, b"a") == b"\x07\x05a" + zlib.crc32(b"\x05a").to_bytes(4, "little") + b"\0"
    assert len(write_frame(1, bytes([1]) * MAX_PACKET)) == 251


@pytest.mark.parametrize("length", [0, MAX_PACKET + 1])
def test_the_length_that_is_refused_is_named(length: int) -> None:
    with pytest.raises(ValueError, match=f"^a packet of {length} bytes; 1 to 244 are legal$"):
        write_frame(0, bytes(length))


@pytest.mark.parametrize(
    ("data", "damaged"), [(b"\0\0\0", 0), (b"\x01\0", 1), (b"\x05a\0", 1), (b"\x01" * 251 + b"\0", 1)]
)
def test_what_is_no_frame_is_counted_as_damaged_once(data: bytes, damaged: int) -> None:
    reader = FrameReader()
    assert reader.feed(data) == []
    assert reader.damaged == damaged
    reader.feed(data)
    assert reader.damaged == 2 * damaged
    assert reader.feed(write_frame(0, b"a")) == [Frame(0, b"a")]
    assert (reader.damaged // 2, reader.missed, reader.missing, reader.next_seq) == (damaged, 0, 0, 1)


def test_a_frame_that_is_too_long_is_one_damaged_frame_however_it_is_cut() -> None:
    reader = FrameReader()
    for _ in range(4):
        reader.feed(b"\x01" * 100)
        assert len(reader._buffer) <= 250
    assert reader.feed(b"\x01\0" + write_frame(0, b"a")) == [Frame(0, b"a")]
    assert reader.damaged == 1


def test_a_frame_without_a_packet_is_damaged() -> None:
    body = b"\x05"
    reader = FrameReader()
    assert reader.feed(cobs.encode(body + zlib.crc32(body).to_bytes(4, "little")) + b"\0") == []
    assert (reader.damaged, reader.next_seq) == (1, 0)


def test_skipped_numbers_are_counted_and_named() -> None:
    reader = FrameReader()
    for seq in (2, 3, 40):
        reader.feed(write_frame(seq, b"a"))
    assert (reader.next_seq, reader.missed, reader.missing) == (41, 2 + 36, 0xFFFFFFFE)
    reader.feed(write_frame(255, b"a"))
    assert (reader.next_seq, reader.missed, reader.missing) == (0, 38 + 214, 0xFFFFFFFE)
    reader.restart(255)
    assert (reader.next_seq, reader.missing) == (0, 0)
