"""Packets in parts: short ones first for a slow link, joined again by the decoder."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host.codec import Codec, Decoder, RankedPacket, cut
from host.codec.parts import joined
from host.ranked import GROWTH, split
from host.wire import MAX_CODEC_BYTES, MAX_RANKS
from tests.codec.conftest import drawing

SIZES = st.lists(st.integers(1, MAX_CODEC_BYTES), min_size=1, max_size=24)
FIRST = st.integers(1, 300)
MOST = st.integers(1, MAX_CODEC_BYTES)


def packets_of(sizes: list[int]) -> list[RankedPacket]:
    """Return packets of these sizes, filled with different bytes."""
    chance = random.Random(len(sizes))
    return [RankedPacket(rank, 100 + 9 * rank, chance.randbytes(size)) for rank, size in enumerate(sizes)]


def stream(packets: list[RankedPacket]) -> bytes:
    return b"".join(packet.data for packet in packets)


@settings(deadline=None)
@given(SIZES, FIRST, MOST)
def test_parts_joined_again_are_the_packets(sizes: list[int], first_bytes: int, most_bytes: int) -> None:
    packets = packets_of(sizes)
    parts = split(packets, first_bytes, most_bytes)
    assert [part.rank for part in parts] == list(range(len(parts)))
    assert stream(parts) == stream(packets)
    assert joined(parts) == packets
    assert joined(packets) == packets


@settings(deadline=None)
@given(SIZES, FIRST, MOST)
def test_parts_are_as_short_as_they_should_be(sizes: list[int], first_bytes: int, most_bytes: int) -> None:
    packets = packets_of(sizes)
    parts = split(packets, first_bytes, most_bytes)
    assert len(packets) <= len(parts) <= MAX_RANKS
    before = 0
    for part in parts:
        if len(parts) < MAX_RANKS:  # else the last packets were left whole, for want of ranks
            grown = most_bytes if before and most_bytes == MAX_CODEC_BYTES else int(first_bytes + GROWTH * before)
            size = max(1, min(grown, most_bytes))
            assert len(part.data) < size + max(1, size // 2)  # a rest that is less than half of a part joins it
        before += len(part.data)


@settings(deadline=None)
@given(st.integers(1, MAX_RANKS), st.integers(1, 40))
def test_no_picture_has_more_ranks_than_there_are(count: int, first_bytes: int) -> None:
    packets = packets_of([MAX_CODEC_BYTES] * count)
    parts = split(packets, first_bytes, 1)
    assert len(parts) <= MAX_RANKS
    assert joined(parts) == packets
    if count == MAX_RANKS:
        assert parts == packets


def test_sizes_by_hand() -> None:
    (packet,) = packets_of([236])
    assert [len(part.data) for part in split([packet], 40, 235)] == [40, 52, 67, 77]
    assert [len(part.data) for part in split([packet], 40, 60)] == [40, 52, 60, 84]
    assert [len(part.data) for part in split([packet], MAX_CODEC_BYTES)] == [236]


def test_after_a_short_first_part_packets_stay_whole_if_the_longest_part_is_one() -> None:
    packets = packets_of([236, 236, 17])
    assert [len(part.data) for part in split(packets, 40, 236)] == [40, 196, 236, 17]
    assert [len(part.data) for part in split(packets, 40)] == [40, 196, 236, 17]


def test_whole_packets_stay_whole() -> None:
    packets = packets_of([236] * 21 + [17])
    assert split(packets, MAX_CODEC_BYTES, MAX_CODEC_BYTES) == packets


@settings(deadline=None)
@given(SIZES, st.integers(10, 80), st.data())
def test_parts_behind_a_gap_are_not_joined_to_what_is_before_it(
    sizes: list[int], first_bytes: int, data: st.DataObject
) -> None:
    packets = packets_of(sizes)
    parts = split(packets, first_bytes, 100)
    lost = data.draw(st.sets(st.integers(0, len(parts) - 1)))
    arrived = [part for part in parts if part.rank not in lost]
    found = joined(data.draw(st.permutations(arrived)))
    assert b"".join(packet.data for packet in found) == stream(arrived)
    whole = {packet.position: packet.data for packet in packets}
    beginnings: dict[int, bytes] = {}  # what is there of each packet before the first gap in it
    gone: set[int] = set()
    for part in parts:
        if part.rank in lost:
            gone.add(part.position)
        elif part.position not in gone:
            beginnings[part.position] = beginnings.get(part.position, b"") + part.data
    for packet in found:
        assert packet.data in whole[packet.position]
    for position, beginning in beginnings.items():
        assert beginning == next(packet.data for packet in found if packet.position == position)
        assert whole[position].startswith(beginning)
    ranks = [packet.rank for packet in found]
    assert ranks == sorted(set(ranks))


@settings(deadline=None)
@given(SIZES, st.data())
def test_any_packets_are_joined_without_an_error_or_a_lost_byte(sizes: list[int], data: st.DataObject) -> None:
    """Ranks and positions of a hostile camera: the bytes stay, and no packet grows beyond its bound."""
    rank, position = st.integers(0, MAX_RANKS - 1), st.integers(0, 3)
    packets = [RankedPacket(data.draw(rank), data.draw(position), bytes(size)) for size in sizes]
    found = joined(packets)
    assert sum(len(packet.data) for packet in found) == sum(sizes)
    assert all(len(packet.data) <= MAX_CODEC_BYTES for packet in found)


# The codec's packets


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 7), st.integers(1, 120), st.integers(20, MAX_CODEC_BYTES), st.floats(0, 1))
def test_a_prefix_in_parts_is_the_prefix_of_the_same_bytes(
    codec: Codec, seed: int, first_bytes: int, most_bytes: int, share: float
) -> None:
    packets = codec.encode(drawing(seed))
    parts = split(packets, first_bytes, most_bytes)
    prefix = parts[: round(share * len(parts))]
    expected = codec.bitstream.depacketize(cut(packets, sum(len(part.data) for part in prefix)))
    found = codec.bitstream.depacketize(prefix)
    assert np.array_equal(found.reconstruction, expected.reconstruction)
    assert np.array_equal(found.missing, expected.missing)
    assert (found.used, found.issues) == (expected.used, ())
    assert codec.channels_in(prefix) == expected.channels


@pytest.mark.parametrize("first_bytes", [1, 40])
def test_pixels_from_parts_are_those_from_packets(codec: Codec, decoder: Decoder, first_bytes: int) -> None:
    packets = codec.encode(drawing(3))
    parts = split(packets, first_bytes)
    assert len(parts) > len(packets)
    whole, shuffled = decoder.decode(packets), decoder.decode(random.Random(5).sample(parts, len(parts)))
    assert np.array_equal(whole.picture, shuffled.picture)
    size = sum(len(part.data) for part in parts[: len(parts) // 2])
    half, same = decoder.decode(parts[: len(parts) // 2]), decoder.decode(cut(packets, size))
    assert np.array_equal(half.picture, same.picture)
    assert not np.array_equal(half.picture, whole.picture)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 7), st.data())
def test_a_lost_part_leaves_all_before_it(codec: Codec, seed: int, data: st.DataObject) -> None:
    packets = codec.encode(drawing(seed))
    parts = split(packets, 40, 120)
    gap = data.draw(st.integers(0, len(parts) - 1))
    found = codec.bitstream.depacketize(parts[:gap] + parts[gap + 1 :])
    before = codec.bitstream.depacketize(parts[:gap])
    # rows that the parts behind the gap may bound do not count, those before it are never fewer
    assert (found.missing <= before.missing).all()
    assert found.used >= before.used
