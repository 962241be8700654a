"""Packets of any size, whole or in parts: the same picture from all of them, hardly more bytes for a part of it."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host.codec import Codec, cut
from host.codec.bitstream import MOST_PACKETS
from host.codec.parts import joined
from host.ranked import RankedPacket, split
from host.wire import MAX_CODEC_BYTES, MAX_RANKS
from tests.codec.conftest import drawing
from tests.codec.random_coders import reconstruct

#: The shortest packets of the shipped codec: 56 bytes hold any pass row, one is the tag, three the picture colour.
LEAST = 60
MOST_BYTES = MOST_PACKETS * MAX_CODEC_BYTES
sizes = st.integers(LEAST, MAX_CODEC_BYTES)
seeds = st.integers(0, 23)


def size_of(packets: list[RankedPacket]) -> int:
    return sum(len(packet.data) for packet in packets)


@settings(max_examples=60, deadline=None)
@given(seeds, sizes)
def test_packets_of_any_size_give_the_same_coefficients(codec: Codec, seed: int, packet_bytes: int) -> None:
    picture = codec.analysis(drawing(seed))
    packets = codec.bitstream.packetize(picture, MAX_RANKS, packet_bytes)
    found = codec.bitstream.depacketize(packets)
    assert (found.used, found.issues) == (len(packets), ())
    # There are only so many ranks: short packets leave out the last passes of some pictures.
    assert not found.missing.any() or len(packets) == MAX_RANKS
    assert found.colour == picture.colour
    assert np.array_equal(found.reconstruction, reconstruct(picture.coefficients, found.missing))


@settings(max_examples=60, deadline=None)
@given(seeds, sizes)
def test_a_picture_is_the_most_important_part_that_fits_whatever_the_size(
    codec: Codec, seed: int, packet_bytes: int
) -> None:
    picture = codec.analysis(drawing(seed))
    packets = codec.encode(drawing(seed), packet_bytes)
    whole = codec.bitstream.packetize(picture, MAX_RANKS, packet_bytes)
    most = MOST_BYTES // packet_bytes
    assert packets == whole[:most]
    assert [packet.rank for packet in packets] == list(range(len(packets)))
    assert {len(packet.data) for packet in packets[:-1]} <= {packet_bytes}
    assert 2 <= len(packets[-1].data) <= packet_bytes
    assert MOST_BYTES - packet_bytes < most * packet_bytes <= MOST_BYTES
    found = codec.bitstream.depacketize(packets)
    assert (found.used, found.issues) == (len(packets), ())
    assert np.array_equal(found.reconstruction, reconstruct(picture.coefficients, found.missing))


@settings(max_examples=40, deadline=None)
@given(seeds, sizes, st.floats(0, 1))
def test_a_prefix_cut_at_any_byte_decodes_whatever_the_size(
    codec: Codec, seed: int, packet_bytes: int, share: float
) -> None:
    picture = drawing(seed)
    packets = cut(codec.encode(picture, packet_bytes), round(share * MOST_BYTES))
    found = codec.bitstream.depacketize(packets)
    assert (found.used, found.issues) == (len(packets), ())
    assert np.array_equal(found.reconstruction, reconstruct(codec.analysis(picture).coefficients, found.missing))


def test_noise_in_the_shortest_packets_has_more_than_256_and_the_least_important_are_left_out(codec: Codec) -> None:
    noise = np.random.default_rng(1).integers(0, 2, (224, 224, 3)).astype(np.uint8) * 255
    most = codec.bitstream.packetize(codec.analysis(noise), 1000, LEAST)
    assert len(most) == MAX_RANKS
    assert codec.bitstream.depacketize(most).missing.any()
    packets = codec.encode(noise, LEAST)
    assert packets == most[: MOST_BYTES // LEAST]
    assert codec.bitstream.depacketize(packets).used == len(packets)


@pytest.mark.parametrize(("packet_bytes", "most"), [(118, 1.015), (90, 1.025), (LEAST, 1.04)])
def test_shorter_packets_need_hardly_more_bytes_for_the_same_part_of_a_picture(
    codec: Codec, drawings: list[np.ndarray], packet_bytes: int, most: float
) -> None:
    ratios = []
    for picture in drawings:
        full, short = codec.encode(picture), codec.encode(picture, packet_bytes)
        for budget in (500, 1000, 2000):
            left = codec.bitstream.depacketize(cut(full, budget)).missing.sum()
            ratios.append(bytes_until(codec, short, int(left)) / budget)
    assert 1 < float(np.mean(ratios)) < most
    assert max(ratios) < most + 0.015


def bytes_until(codec: Codec, packets: list[RankedPacket], left: int) -> int:
    """Return how many bytes of a stream leave at most ``left`` bit-planes missing."""
    least, most = 0, size_of(packets)
    while least < most:
        tried = (least + most) // 2
        if codec.bitstream.depacketize(cut(packets, tried)).missing.sum() <= left:
            most = tried
        else:
            least = tried + 1
    return most


@pytest.mark.parametrize("packet_bytes", [-1, 0, 1, LEAST - 1, MAX_CODEC_BYTES + 1])
def test_packets_that_hold_no_row_or_do_not_fit_the_wire_are_refused(codec: Codec, packet_bytes: int) -> None:
    assert codec.least_packet_bytes == LEAST
    with pytest.raises(ValueError, match="60 to 236"):
        codec.encode(drawing(0), packet_bytes)


lengths = st.tuples(st.integers(1, 300), st.integers(1, 300))


@settings(max_examples=60, deadline=None)
@given(seeds, sizes, lengths, st.randoms(use_true_random=False))
def test_parts_join_to_their_packets_in_any_order(
    codec: Codec, seed: int, packet_bytes: int, lengths: tuple[int, int], random: Random
) -> None:
    packets = codec.encode(drawing(seed), packet_bytes)
    parts = split(packets, *lengths)
    assert [part.rank for part in parts] == list(range(len(parts)))
    assert len(packets) <= len(parts) <= MAX_RANKS
    assert b"".join(part.data for part in parts) == b"".join(packet.data for packet in packets)
    random.shuffle(parts)
    assert joined(parts) == packets


@settings(max_examples=60, deadline=None)
@given(seeds, lengths, st.floats(0, 1))
def test_the_first_parts_decode_as_the_same_bytes_of_whole_packets(
    codec: Codec, seed: int, lengths: tuple[int, int], share: float
) -> None:
    packets = codec.encode(drawing(seed))
    parts = split(packets, *lengths)
    first = parts[: round(share * len(parts))]
    found = codec.bitstream.depacketize(first)
    same = codec.bitstream.depacketize(cut(packets, size_of(first)))
    assert found.issues == ()
    assert np.array_equal(found.reconstruction, same.reconstruction)
    assert np.array_equal(found.missing, same.missing)
    assert codec.channels_in(first) == codec.channels_in(cut(packets, size_of(first)))


@settings(max_examples=60, deadline=None)
@given(seeds, lengths, st.data())
def test_a_missing_part_ends_the_picture_there(
    codec: Codec, seed: int, lengths: tuple[int, int], data: st.DataObject
) -> None:
    picture = drawing(seed)
    parts = split(codec.encode(picture), *lengths)
    gap = data.draw(st.integers(0, len(parts) - 1))
    found = codec.bitstream.depacketize(parts[:gap] + parts[gap + 1 :])
    before = codec.bitstream.depacketize(parts[:gap])
    assert np.array_equal(found.reconstruction, reconstruct(codec.analysis(picture).coefficients, found.missing))
    assert np.all(found.missing <= before.missing)
