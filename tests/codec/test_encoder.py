"""Encoding as much as is asked for: the same packets, whether at once, in stretches, or cut."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host.codec import Codec, cut
from host.codec.bitstream import MOST_PACKETS
from host.wire import MAX_CODEC_BYTES
from tests.codec.conftest import drawing
from tests.codec.random_coders import all_packets, random_coder, random_coefficients

sizes = st.integers(60, MAX_CODEC_BYTES)
seeds = st.integers(0, 23)


@settings(max_examples=150, deadline=None)
@given(seeds, sizes, st.integers(1, 5500))
def test_the_first_bytes_are_those_of_the_whole_picture(
    codec: Codec, seed: int, packet_bytes: int, max_bytes: int
) -> None:
    picture = drawing(seed)
    assert codec.encode(picture, packet_bytes, max_bytes) == cut(codec.encode(picture, packet_bytes), max_bytes)


@settings(max_examples=100, deadline=None)
@given(seeds, sizes, st.none() | st.integers(1, 5500), st.lists(st.integers(0, 9), max_size=30))
def test_stretches_join_to_the_packets_made_at_once(
    codec: Codec, seed: int, packet_bytes: int, max_bytes: int | None, stretches: list[int]
) -> None:
    picture = drawing(seed)
    encoder = codec.encoder(picture, packet_bytes, max_bytes)
    whole = codec.encode(picture, packet_bytes, max_bytes)
    made = []
    for count in stretches:
        packets = encoder.more(count)
        assert len(packets) == min(count, len(whole) - len(made))
        made += packets
        assert encoder.packets == made == whole[: len(made)]
        assert not encoder.complete or made == whole
    made += encoder.more()
    assert made == encoder.packets == whole
    assert encoder.complete
    assert encoder.more() == encoder.more(3) == []


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 11), st.integers(0, 2**32 - 1), st.integers(0, 200), st.data())
def test_the_beginning_of_a_packet_is_its_first_bytes_for_any_tables(
    number: int, seed: int, more: int, data: st.DataObject
) -> None:
    coder = random_coder(number)
    coefficients, room = random_coefficients(seed, coder), coder.least_room + more
    packets = all_packets(coder, coefficients, room)
    first = data.draw(st.integers(0, len(packets) - 1))
    rest = data.draw(st.integers(1, room - 1))
    row, whole, rows = packets[first]
    assert coder.packetize(coefficients, room, 0, row, rest) == ([(row, whole[:rest])], row)
    assert coder.packetize(coefficients, room, 1, row) == ([(row, whole)], row + rows)


def test_every_beginning_of_every_packet_has_the_carries_of_what_follows() -> None:
    coder, tried = random_coder(4), 0
    for seed in range(20):
        coefficients = random_coefficients(seed, coder)
        for row, whole, _ in all_packets(coder, coefficients, 236)[:5]:
            for rest in range(1, len(whole)):
                assert coder.packetize(coefficients, 236, 0, row, rest)[0] == [(row, whole[:rest])]
                tried += 1
    assert tried > 5000


@pytest.mark.parametrize("max_bytes", [0, -5])
def test_a_picture_without_bytes_is_refused(codec: Codec, max_bytes: int) -> None:
    with pytest.raises(ValueError, match="nothing to encode"):
        codec.encode(drawing(0), max_bytes=max_bytes)


@pytest.mark.parametrize("value", [float("nan"), 1.5, 1000.0, "x", b"x"])
@pytest.mark.parametrize("name", ["max_bytes", "packet_bytes", "first_less"])
def test_a_number_of_bytes_that_is_no_integer_is_refused(codec: Codec, name: str, value: Any) -> None:
    with pytest.raises(TypeError, match=f"^{name} is {value!r}: it must be an integer$"):
        codec.encoder(drawing(0), **{name: value})


def test_integers_of_numpy_are_integers(codec: Codec) -> None:
    bounded = codec.encode(drawing(0), np.uint8(100), np.int64(1000))
    assert bounded == codec.encode(drawing(0), 100, 1000)


def test_a_row_outside_the_stream_and_a_beginning_as_long_as_a_packet_are_refused() -> None:
    coder = random_coder(1)
    coefficients = random_coefficients(1, coder)
    for row, rest in ((-1, 0), (coder.rows + 1, 0), (0, 100)):
        with pytest.raises(ValueError, match="no row"):
            coder.packetize(coefficients, 100, 1, row, rest)
    assert coder.packetize(coefficients, 100, 3, coder.rows) == ([], coder.rows)


def test_noise_ends_at_the_most_packets_however_it_is_asked_for(codec: Codec) -> None:
    noise = np.random.default_rng(1).integers(0, 2, (224, 224, 3)).astype(np.uint8) * 255
    encoder = codec.encoder(noise)
    while encoder.more(4):
        pass
    assert len(encoder.packets) == MOST_PACKETS
    assert encoder.packets == codec.encode(noise) == codec.encode(noise, max_bytes=10_000)
