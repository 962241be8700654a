"""The bitstream: any prefix decodes, to the byte; a gap ends the picture; no packet raises an error."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from host.codec import SIDE, Codec, Decoder
from host.codec.bitstream import MOST_PACKETS, PartialSymbols
from host.codec.parts import joined
from host.codec.weights import kind_of
from host.ranked import RankedPacket
from host.wire import MAX_CODEC_BYTES, MAX_RANKS
from tests.codec.conftest import drawing
from tests.codec.random_coders import reconstruct

TAG = bytes([kind_of("pnc-v2").tag])


def is_true(found: PartialSymbols, codec: Codec, picture: np.ndarray) -> bool:
    """Return whether ``found`` is the picture's partial reconstruction for its missing planes."""
    known = reconstruct(codec.analysis(picture).coefficients, found.missing)
    return np.array_equal(found.reconstruction, known)


def shortened(packets: list[RankedPacket], size_bytes: int) -> list[RankedPacket]:
    """Return the first ``size_bytes`` of a stream: whole packets, and the last one cut short."""
    kept = []
    for packet in packets:
        if size_bytes <= 0:
            break
        kept.append(RankedPacket(packet.rank, packet.position, packet.data[:size_bytes]))
        size_bytes -= len(packet.data)
    return kept


def test_ranks_count_from_0_and_all_packets_but_the_last_are_nearly_full(
    codec: Codec, drawings: list[np.ndarray]
) -> None:
    sizes = []
    for picture in drawings:
        packets = codec.encode(picture)
        assert [p.rank for p in packets] == list(range(len(packets)))
        assert [p.position for p in packets] == sorted({p.position for p in packets})
        sizes += [len(p.data) for p in packets[:-1]]
    assert len(sizes) > 50
    assert set(sizes) == {MAX_CODEC_BYTES}


def test_all_packets_give_back_the_very_coefficients(codec: Codec, drawings: list[np.ndarray]) -> None:
    for picture in drawings:
        packets = codec.bitstream.packetize(codec.analysis(picture), MAX_RANKS)
        found = codec.bitstream.depacketize(packets)
        assert (found.used, found.issues) == (len(packets), ())
        assert not found.missing.any()
        assert codec.encode(picture) == packets[:MOST_PACKETS]
        assert is_true(found, codec, picture)
        assert codec.channels_in(packets) == codec.channels


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 7), st.floats(0, 1), st.floats(0, 1))
def test_any_cut_at_any_byte_gives_true_coefficients_and_more_bytes_never_fewer(
    codec: Codec, seed: int, one: float, other: float
) -> None:
    picture = drawing(seed)
    packets = codec.encode(picture)
    total = sum(len(p.data) for p in packets)
    less, more = (
        codec.bitstream.depacketize(shortened(packets, round(share * total))) for share in sorted((one, other))
    )
    for found in (less, more):
        assert found.issues == ()
        assert is_true(found, codec, picture)
    assert np.all(more.missing <= less.missing)
    assert less.channels <= more.channels


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 7), st.data())
def test_order_and_duplicates_do_not_matter(codec: Codec, seed: int, data: st.DataObject) -> None:
    packets = codec.encode(drawing(seed))
    prefix = packets[: data.draw(st.integers(0, len(packets)))]
    mixed = data.draw(st.permutations(prefix + prefix[: len(prefix) // 2]))
    straight, found = codec.bitstream.depacketize(prefix), codec.bitstream.depacketize(mixed)
    assert (found.used, found.issues) == (len(prefix), ())
    assert np.array_equal(found.reconstruction, straight.reconstruction)
    assert np.array_equal(found.missing, straight.missing)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 7), st.data())
def test_a_gap_leaves_all_that_came_before_it_and_reports_what_is_not_used(
    codec: Codec, seed: int, data: st.DataObject
) -> None:
    picture = drawing(seed)
    packets = codec.encode(picture)
    gap = data.draw(st.integers(0, len(packets) - 2))
    found = codec.bitstream.depacketize(packets[:gap] + packets[gap + 1 :])
    assert found.used == gap
    assert len(found.issues) == len(packets) - gap - 1
    assert f"packet {gap + 1} " in found.issues[0]
    assert is_true(found, codec, picture)
    assert np.all(found.missing <= codec.bitstream.depacketize(packets[:gap]).missing)


def test_a_packet_that_lost_its_end_before_another_is_reported_and_ends_the_picture(codec: Codec) -> None:
    picture = drawing(3)
    packets = codec.encode(picture)
    for victim in range(len(packets) - 1):
        short = RankedPacket(victim, packets[victim].position, packets[victim].data[:120])
        found = codec.bitstream.depacketize([*packets[:victim], short, *packets[victim + 1 :]])
        assert found.used == victim
        assert found.issues[0] == f"packet {victim} at position {packets[victim].position} is damaged"
        assert is_true(found, codec, picture)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 7), st.data())
def test_a_damaged_copy_beside_a_sound_one_harms_nothing(codec: Codec, seed: int, data: st.DataObject) -> None:
    packets = codec.encode(drawing(seed))
    victim = data.draw(st.sampled_from(packets[:-1]))
    size = data.draw(st.integers(1, len(victim.data) - 1))
    copy = RankedPacket(victim.rank, victim.position, victim.data[:size])
    found = codec.bitstream.depacketize(data.draw(st.permutations([copy, *packets])))
    assert found.used == len(packets)
    assert len(found.issues) == 1
    assert f"packet {victim.rank} at position {victim.position} " in found.issues[0]
    assert np.array_equal(found.reconstruction, codec.bitstream.depacketize(packets).reconstruction)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 7), st.data())
def test_a_packet_that_belongs_elsewhere_harms_no_others(codec: Codec, seed: int, data: st.DataObject) -> None:
    packets = codec.encode(drawing(seed))
    rows = {p.position for p in packets}
    row = data.draw(st.integers(0, packets[-1].position).filter(lambda row: row not in rows))
    stray = RankedPacket(data.draw(st.integers(0, len(packets))), row, packets[1].data)
    found = codec.bitstream.depacketize(data.draw(st.permutations([stray, *packets])))
    assert found.used == len(packets)
    assert found.issues == (f"packet {stray.rank} at position {row} is not used: one before it is missing",)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.builds(
            RankedPacket,
            st.integers(0, 255),
            st.integers(0, 300) | st.integers(0, 0xFFFF),
            st.binary(min_size=1, max_size=MAX_CODEC_BYTES)
            | st.binary(max_size=MAX_CODEC_BYTES - 1).map(lambda rest: TAG + rest),
        ),
        max_size=8,
    )
)
@example([RankedPacket(rank, 28 * rank, TAG + b"\xff" * (MAX_CODEC_BYTES - 1)) for rank in range(5)])
@example([RankedPacket(rank, rank, TAG) for rank in range(MAX_RANKS)])
@example([RankedPacket(rank, 0, TAG + bytes([rank])) for rank in range(MAX_RANKS)])
def test_hostile_packets_are_reported_and_never_raise(codec: Codec, packets: list[RankedPacket]) -> None:
    found = codec.bitstream.depacketize(packets)
    assert found.used + len(found.issues) == len({(p.position, p.data) for p in joined(packets)})


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 7), st.data())
def test_flipped_bits_never_raise_and_harm_nothing_before_them(codec: Codec, seed: int, data: st.DataObject) -> None:
    picture = drawing(seed)
    packets = codec.encode(picture)
    victim = data.draw(st.sampled_from(packets))
    content = bytearray(victim.data)
    content[data.draw(st.integers(1, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    damaged = RankedPacket(victim.rank, victim.position, bytes(content))
    found = codec.bitstream.depacketize([damaged if p is victim else p for p in packets])
    assert found.used >= victim.rank
    before = codec.coder.missing_planes(victim.position)
    assert np.all(found.missing <= before)
    same = found.missing == before
    assert np.array_equal(found.reconstruction[same], reconstruct(codec.analysis(picture).coefficients, before)[same])


def test_a_packet_of_another_codec_or_version_is_refused_by_name_and_version(codec: Codec) -> None:
    packet = codec.encode(drawing(0))[0]
    for mark, words in (
        (0x11, "pnc-v1 version 1"),
        (0x23, "pnc-v2 version 3"),
        (0x24, "pnc-v2 version 4"),
        (0xF3, "an unknown codec (number 15, version 3)"),
    ):
        found = codec.bitstream.depacketize([RankedPacket(0, 0, bytes([mark]) + packet.data[1:])])
        assert found.used == 0
        assert found.issues == (f"packet 0 is of {words}; this decoder reads pnc-v2 version 5",)


def test_noise_and_a_plain_colour_take_at_most_5000_bytes(codec: Codec) -> None:
    noise = np.random.default_rng(1).integers(0, 2, (224, 224, 3)).astype(np.uint8) * 255
    for picture in (noise, np.zeros_like(noise), np.full_like(noise, 255)):
        packets = codec.encode(picture)
        assert 1 <= len(packets) <= MOST_PACKETS
        assert sum(len(p.data) for p in packets) <= 5000
        assert codec.bitstream.depacketize(packets).used == len(packets)


def test_more_bytes_err_less_on_average(codec: Codec, decoder: Decoder, drawings: list[np.ndarray]) -> None:
    budgets = (0, 150, 300, 500, 700, 1000, 1500, 2500, 10_000)
    sums = np.zeros(len(budgets))
    for picture in drawings[:10]:
        packets = codec.encode(picture)
        decoded = decoder.decode_batch([shortened(packets, budget) for budget in budgets])
        sums += [np.mean((d.picture.astype(np.float64) - picture) ** 2) for d in decoded]
    assert all(later <= earlier for earlier, later in itertools.pairwise(sums)), sums
    assert sums[-1] < 0.1 * sums[0]


def test_of_two_sound_packets_in_one_place_the_more_important_one_counts(codec: Codec) -> None:
    first, other = codec.encode(drawing(3))[0], codec.encode(drawing(4))[0]
    found = codec.bitstream.depacketize([RankedPacket(1, 0, other.data), first])
    assert (found.used, found.issues) == (1, ("packet 1 at position 0 overlaps another",))
    assert is_true(found, codec, drawing(3))


def test_the_first_bytes_are_the_picture_colour_as_far_as_they_go(codec: Codec) -> None:
    picture = np.broadcast_to(np.array([250, 30, 60], np.uint8), (SIDE, SIDE, 3)).copy()
    colour, (first, *_) = codec.analysis(picture).colour, codec.encode(picture)
    assert first.data[:4] == TAG + colour
    assert len(set(colour) | {127}) == 4
    for size in range(1, 5):
        found = codec.bitstream.depacketize([RankedPacket(0, 0, first.data[:size])])
        assert (found.used, found.issues) == (1, ())
        assert found.colour == colour[: size - 1] + bytes([127] * (4 - size))
        assert not found.reconstruction.any()
    assert codec.bitstream.depacketize([]).colour == bytes([127] * 3)


def test_the_colour_is_that_of_the_packet_that_counts(codec: Codec) -> None:
    first, other = codec.encode(drawing(3))[0], codec.encode(drawing(4))[0]
    assert first.data[1:4] != other.data[1:4]
    found = codec.bitstream.depacketize([RankedPacket(1, 0, other.data), first])
    assert found.colour == first.data[1:4]


def test_part_of_a_channel_counts_as_that_part(codec: Codec) -> None:
    packets = codec.encode(drawing(2))
    assert codec.channels_in([]) == 0.0
    top = codec.coder.plane_counts.astype(int)
    for count in range(1, 4):
        levels = codec.coder.missing_planes(packets[count].position)
        least = float((1 - levels / top[:, None, None]).mean() * codec.channels)
        assert least <= codec.channels_in(packets[:count]) < least + 1 / top.min()
    assert codec.channels_in([packets[1]]) == 0.0


def test_a_picture_of_another_shape_or_type_is_refused(codec: Codec) -> None:
    for wrong in (np.zeros((SIDE, SIDE + 1, 3), np.uint8), np.zeros((SIDE, SIDE, 3), np.float32)):
        with pytest.raises(ValueError, match="a picture is uint8"):
            codec.encode(wrong)
