"""Frames in Python: found in any chunks and after any garbage; every changed byte is detected."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host.link.frames import Frame, FrameReader, write_frame
from host.wire import MAX_FRAME, MAX_PACKET

RUNS = st.builds(lambda byte, length: bytes([byte]) * length, st.sampled_from([0, 1, 0xFF]), st.integers(1, MAX_PACKET))
PACKETS = st.binary(min_size=1, max_size=MAX_PACKET) | RUNS


def chunks(data: bytes, seed: int) -> list[bytes]:
    """Split the data into chunks of 0 to 70 bytes."""
    pieces, at, dice = [], 0, random.Random(seed)
    while at < len(data):
        size = dice.randrange(71)
        pieces.append(data[at : at + size])
        at += size
    return pieces


@given(st.lists(PACKETS, max_size=12), st.integers(0, 255), st.integers())
def test_frames_come_back_in_any_chunking(packets: list[bytes], first: int, seed: int) -> None:
    reader = FrameReader()
    reader.restart(first - 1)
    data = b"".join(write_frame(first + k, packet) for k, packet in enumerate(packets))
    got = [frame for piece in chunks(data, seed) for frame in reader.feed(piece)]
    assert got == [Frame((first + k) % 256, packet) for k, packet in enumerate(packets)]
    assert (reader.damaged, reader.missed, reader.missing) == (0, 0, 0)


@given(PACKETS)
def test_a_frame_is_short_and_holds_no_zero_but_the_last(packet: bytes) -> None:
    frame = write_frame(3, packet)
    assert frame.index(0) == len(frame) - 1
    assert len(frame) - 1 <= MAX_FRAME


@pytest.mark.parametrize("packet", [b"", bytes(MAX_PACKET + 1)])
def test_packets_of_no_legal_length_are_not_written(packet: bytes) -> None:
    with pytest.raises(ValueError, match="1 to 244"):
        write_frame(0, packet)


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.binary(max_size=600) | RUNS, PACKETS, PACKETS), min_size=1, max_size=5),
    st.integers(0, 255),
    st.integers(),
)
def test_garbage_never_costs_more_than_the_frame_that_it_runs_into(
    parts: list[tuple[bytes, bytes, bytes]], first: int, seed: int
) -> None:
    data, expected = b"", []
    for k, (garbage, touched, safe) in enumerate(parts):
        data += garbage + write_frame(first + 2 * k, touched) + write_frame(first + 2 * k + 1, safe)
        if garbage.endswith(b"\0") or not garbage:
            expected.append(touched)
        expected.append(safe)
    reader = FrameReader()
    got = [frame.packet for piece in chunks(data, seed) for frame in reader.feed(piece)]
    rest = iter(got)
    assert all(packet in rest for packet in expected), "a whole frame was lost"
    assert set(got) <= {packet for _, *pair in parts for packet in pair}, "garbage was taken for a frame"


@settings(max_examples=300)
@given(PACKETS, st.data())
def test_every_change_of_a_byte_is_noticed_and_named(packet: bytes, data: st.DataObject) -> None:
    frame = write_frame(0, packet)
    at = data.draw(st.integers(0, len(frame) - 1))
    change = data.draw(st.integers(1, 255))
    broken = frame[:at] + bytes([frame[at] ^ change]) + frame[at + 1 :]
    assert_noticed(broken, last=at == len(frame) - 1)


def test_every_change_of_every_byte_of_a_frame_is_noticed() -> None:
    frame = write_frame(0, bytes([0x80, 7, 0, 0, 0, 200, 0, 0, 255, 255, 0, 1]))
    for at in range(len(frame)):
        for change in range(1, 256):
            broken = frame[:at] + bytes([frame[at] ^ change]) + frame[at + 1 :]
            assert_noticed(broken, last=at == len(frame) - 1)


def assert_noticed(broken: bytes, *, last: bool) -> None:
    """Two intact frames follow; without its closing zero the damaged frame also destroys the first of them."""
    reader = FrameReader()
    got = reader.feed(broken + write_frame(1, b"one") + write_frame(2, b"two"))
    assert got == ([] if last else [Frame(1, b"one")]) + [Frame(2, b"two")]
    assert reader.damaged >= 1
    assert reader.missing == (0b110 if last else 0b100)


@given(st.lists(st.booleans(), min_size=1, max_size=120))
def test_the_frames_that_never_arrived_are_named(arrives: list[bool]) -> None:
    reader = FrameReader()
    for seq, whole in enumerate(arrives):
        if whole:
            reader.feed(write_frame(seq, b"x"))
    seen = arrives[: reader.next_seq]
    assert reader.next_seq == max((seq + 1 for seq, whole in enumerate(arrives) if whole), default=0)
    assert reader.missed == seen.count(False)
    expected = sum(1 << age for age, whole in enumerate(reversed(seen[-32:])) if not whole)
    assert reader.missing == expected


def test_what_was_missing_before_a_session_no_longer_counts_in_it() -> None:
    reader = FrameReader()
    reader.feed(write_frame(5, b"x") + write_frame(9, b"hello"))
    assert reader.missing != 0
    reader.restart(9)
    assert (reader.next_seq, reader.missing) == (10, 0)
    reader.feed(write_frame(11, b"y"))
    assert reader.missing == 0b10


def test_a_stream_without_a_zero_takes_no_memory() -> None:
    reader = FrameReader()
    for _ in range(1000):
        assert reader.feed(b"\x01" * 1000) == []
    assert len(reader._buffer) <= MAX_FRAME
    assert reader.feed(b"\0" + write_frame(0, b"x")) == [Frame(0, b"x")]
    assert reader.damaged == 1
