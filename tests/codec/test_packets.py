"""The bitstream: any packets, in any order and state, give what is sound in them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host.codec import Codec
from host.ranked import RankedPacket
from host.wire import MAX_CODEC_BYTES
from tests.codec.conftest import drawing


def test_ranks_count_from_0_and_packets_follow_each_other_without_gap(codec: Codec, drawings: list[np.ndarray]) -> None:
    for picture in drawings:
        packets = codec.encode(picture)
        assert [p.rank for p in packets] == list(range(len(packets)))
        at = 0
        for packet in packets:
            assert packet.position == at
            at += round(codec.channels_in([packet]) * 1024)
        assert at == 10 * 1024


def test_packets_are_full_to_97_percent_but_for_the_last(codec: Codec, drawings: list[np.ndarray]) -> None:
    sizes = [[len(p.data) for p in codec.encode(picture)] for picture in drawings]
    full = [size for of_one in sizes for size in of_one[:-1]]
    assert len(full) > 50
    assert min(full) >= 0.97 * MAX_CODEC_BYTES
    assert max(full) <= MAX_CODEC_BYTES


def test_noise_and_a_plain_colour_fit_the_256_ranks(codec: Codec) -> None:
    noise = np.random.default_rng(1).integers(0, 2, (224, 224, 3)).astype(np.uint8) * 255
    for picture in (noise, np.zeros_like(noise), np.full_like(noise, 255)):
        packets = codec.encode(picture)
        assert 1 <= len(packets) <= 256
        assert codec.channels_in(packets) == 10.0


def test_all_packets_give_back_the_very_symbols(codec: Codec, drawings: list[np.ndarray]) -> None:
    for picture in drawings:
        found = codec.bitstream.collect(codec.encode(picture))
        assert found.faults == ()
        assert found.arrived.all()
        assert np.array_equal(found.symbols, codec.network(picture))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 7), st.data())
def test_any_subset_in_any_order_with_duplicates_gives_exactly_its_symbols(
    codec: Codec, seed: int, data: st.DataObject
) -> None:
    picture = drawing(seed)
    packets = codec.encode(picture)
    chosen = data.draw(st.lists(st.sampled_from(packets), max_size=2 * len(packets)))
    found = codec.bitstream.collect(chosen)
    assert found.faults == ()
    assert found.used == len(set(chosen))
    symbols = codec.network(picture).reshape(-1)
    starts = [*(p.position for p in packets), symbols.size]
    expected = np.zeros(symbols.size, dtype=bool)
    for packet in chosen:
        expected[packet.position : starts[packet.rank + 1]] = True
    assert np.array_equal(found.arrived.reshape(-1), expected)
    assert np.array_equal(found.symbols.reshape(-1)[expected], symbols[expected])


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 7), st.data())
def test_a_damaged_packet_is_told_and_harms_no_other(codec: Codec, seed: int, data: st.DataObject) -> None:
    picture = drawing(seed)
    packets = codec.encode(picture)
    victim = data.draw(st.sampled_from(packets))
    content = bytearray(victim.data)
    if data.draw(st.booleans()):
        bit = data.draw(st.integers(0, 8 * len(content) - 1))
        content[bit // 8] ^= 1 << bit % 8
    else:
        del content[data.draw(st.integers(1, len(content) - 1)) :]
    damaged = RankedPacket(victim.rank, victim.position, bytes(content))
    rest = [p for p in packets if p is not victim]
    with_it, without = codec.bitstream.collect([damaged, *rest]), codec.bitstream.collect(rest)
    assert np.array_equal(with_it.arrived, without.arrived)
    assert np.array_equal(with_it.symbols, without.symbols)
    assert len(with_it.faults) == 1
    assert f"packet {victim.rank} " in with_it.faults[0]


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.builds(RankedPacket, st.integers(0, 255), st.integers(0, 0xFFFF), st.binary(min_size=1, max_size=237)),
        max_size=8,
    )
)
def test_hostile_packets_are_told_and_never_raise(codec: Codec, packets: list[RankedPacket]) -> None:
    found = codec.bitstream.collect(packets)
    assert found.used + len(found.faults) == len({(p.position, p.data) for p in packets})


def test_a_packet_of_another_codec_or_version_is_refused_by_name_and_version(codec: Codec) -> None:
    packet = codec.encode(drawing(0))[0]
    for mark, words in ((0x12, "pnc-v1 version 2"), (0xF3, "an unknown codec (number 15, version 3)")):
        other = RankedPacket(0, 0, bytes([mark]) + packet.data[1:])
        found = codec.bitstream.collect([other])
        assert found.used == 0
        assert found.faults == (f"packet 0 is of {words}; this decoder reads pnc-v1 version 1",)


def test_a_packet_moved_onto_another_is_told_and_the_more_important_one_is_kept(codec: Codec) -> None:
    packets = codec.encode(drawing(3))
    first = packets[0]
    alien = codec.encode(drawing(4))[0]
    found = codec.bitstream.collect([RankedPacket(1, 0, alien.data), first])
    assert found.used == 1
    assert found.faults == ("packet 1 at position 0 overlaps another",)


def test_part_of_a_channel_counts_as_that_part(codec: Codec) -> None:
    packets = codec.encode(drawing(2))
    assert codec.channels_in([]) == 0.0
    share = codec.channels_in(packets[:1])
    assert share == packets[1].position / 1024
    assert codec.channels_in(packets) == codec.channels


def test_a_picture_of_another_shape_or_type_is_refused(codec: Codec) -> None:
    for wrong in (np.zeros((224, 225, 3), np.uint8), np.zeros((224, 224, 3), np.float32)):
        with pytest.raises(ValueError, match="a picture is uint8"):
            codec.encode(wrong)
