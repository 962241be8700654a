"""The bitstream of a channel is dahuffman's to the byte, both ways, and its quantizer numpy's ``digitize``."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host.codec import CodecError
from host.reference.huffman import END, HuffmanTable
from host.reference.quantizer import PUBLISHED_SCALE, SYMBOLS, to_activations, to_latent, to_symbols

dahuffman = pytest.importorskip("dahuffman", reason="the comparison needs the extra pnc-link[test]")

counts = st.lists(st.sampled_from([1, 1, 2, 3, 10, 1000, 10**9]) | st.integers(1, 10**6), min_size=64, max_size=64)
channels = st.lists(st.integers(0, 63), max_size=200).map(lambda symbols: np.array(symbols, np.uint8))


def theirs(symbol_counts: list[int]) -> dahuffman.HuffmanCodec:
    return dahuffman.HuffmanCodec.from_frequencies(dict(enumerate(symbol_counts)))


def ours(symbol_counts: list[int]) -> HuffmanTable:
    return HuffmanTable.fit(np.array(symbol_counts))


def test_symbols_are_those_of_the_published_quantizer() -> None:
    activations = np.arange(256, dtype=np.uint8)
    expected = np.digitize(activations, np.linspace(0, 256, 64), right=True)
    assert np.array_equal(to_symbols(activations), expected)
    assert set(expected) == set(range(64))


def test_symbols_are_read_back_as_the_published_receiver_does() -> None:
    expected = np.array([symbol / 64 * 256 + 0 for symbol in range(64)]) * PUBLISHED_SCALE
    assert np.array_equal(to_latent(np.arange(64, dtype=np.uint8), PUBLISHED_SCALE), expected.astype(np.float32))
    # The oddity: too much where symbols are small, too little where they are large.
    activations = np.arange(256)
    difference = to_latent(to_symbols(activations.astype(np.uint8)), 1.0) - activations
    assert (difference[:64].min(), difference[:64].max()) == (0, 3)
    assert (difference[-64:].min(), difference[-64:].max()) == (-3, 0)


def test_activations_are_rounded_and_clipped() -> None:
    latent = np.array([0, 0.49, 0.5, 1.5, 254.4, 255.5, 1e9], np.float32) * np.float32(0.25)
    assert to_activations(latent, 0.25).tolist() == [0, 0, 1, 2, 254, 255, 255]


@settings(max_examples=60, deadline=None)
@given(counts)
def test_a_fitted_table_is_the_one_that_dahuffman_makes(symbol_counts: list[int]) -> None:
    table = ours(symbol_counts)
    expected = theirs(symbol_counts).get_code_table()
    for symbol, (bits, code) in expected.items():
        place = symbol if isinstance(symbol, int) else END
        assert (table.bits[place], table.codes[place]) == (bits, code)
    assert len(expected) == END + 1


@settings(max_examples=100, deadline=None)
@given(counts, channels)
def test_bytes_are_those_of_dahuffman(symbol_counts: list[int], symbols: np.ndarray) -> None:
    data = ours(symbol_counts).encode(symbols)
    assert data == theirs(symbol_counts).encode(symbols.tolist())
    decoded = ours(symbol_counts).decode(data, len(symbols))
    assert np.array_equal(decoded, symbols)
    # Without being told how many there are, dahuffman needs the end symbol; so may we.
    assert ours(symbol_counts).decode(data, 1024).tolist() == theirs(symbol_counts).decode(data)[:1024]


@settings(max_examples=100, deadline=None)
@given(counts, st.binary(max_size=80))
def test_any_bytes_decode_to_what_dahuffman_makes_of_them(symbol_counts: list[int], data: bytes) -> None:
    decoded = ours(symbol_counts).decode(data, 1024)
    assert decoded.tolist() == theirs(symbol_counts).decode(data)[:1024]


@settings(max_examples=60, deadline=None)
@given(counts, channels.filter(len), st.floats(0, 1))
def test_data_cut_short_give_the_symbols_before_the_cut(
    symbol_counts: list[int], symbols: np.ndarray, share: float
) -> None:
    table = ours(symbol_counts)
    data = table.encode(symbols)
    kept = data[: int(share * len(data))]
    decoded = table.decode(kept, len(symbols))
    assert np.array_equal(decoded, symbols[: len(decoded)])
    whole_bits = np.cumsum(table.bits[symbols])
    assert len(decoded) == np.searchsorted(whole_bits, 8 * len(kept), side="right")


def test_codes_of_64_bits_are_written_and_read() -> None:
    fibonacci = [1, 1]
    while len(fibonacci) < 64:
        fibonacci.append(fibonacci[-1] + fibonacci[-2])
    table = ours(fibonacci)
    assert table.bits.max() >= 63
    symbols = np.arange(64, dtype=np.uint8)
    data = table.encode(symbols)
    assert data == theirs(fibonacci).encode(range(64))
    assert np.array_equal(table.decode(data, 64), symbols)


def test_work_is_bounded_by_the_count_however_long_the_data() -> None:
    table = ours([1] * 64)
    assert len(table.decode(bytes(50_000_000), 1024)) <= 1024
    assert len(table.decode(b"", 1024)) == 0


def test_bits_that_begin_no_code_end_the_symbols() -> None:
    table = HuffmanTable.from_codes({0: (1, 0), 1: (3, 0b100), END: (3, 0b101)})  # nothing begins with 11
    assert table.decode(bytes([0b0_100_0_110]), 9).tolist() == [0, 1, 0]
    assert table.decode(bytes([0b0_0_101_0_0_0]), 9).tolist() == [0, 0]
    with pytest.raises(CodecError, match="no code for symbol 7"):
        table.encode(np.array([0, 7], np.uint8))


def test_symbols_that_were_never_seen_have_a_code() -> None:
    table = HuffmanTable.fit(np.zeros(SYMBOLS, int))
    symbols = np.arange(SYMBOLS, dtype=np.uint8)
    assert np.array_equal(table.decode(table.encode(symbols), SYMBOLS), symbols)


@pytest.mark.parametrize(
    ("codes", "words"),
    [
        ({0: (1, 0), END: (2, 1)}, "begins with another"),
        ({0: (1, 0), 1: (1, 0), END: (1, 1)}, "begins with another"),
        ({0: (1, 0)}, "its end has one"),
        ({-1: (1, 0), END: (1, 1)}, "a code for -1"),
        ({65: (1, 0), END: (1, 1)}, "a code for 65"),
        ({0: (0, 0), END: (1, 1)}, "does not fit"),
        ({0: (2, 4), END: (1, 1)}, "does not fit"),
        ({0: (2, -1), END: (1, 1)}, "does not fit"),
        ({0: (65, 0), END: (1, 1)}, "does not fit"),
        ({}, "its end has one"),
    ],
)
def test_what_is_no_prefix_code_is_refused(codes: dict[int, tuple[int, int]], words: str) -> None:
    with pytest.raises(CodecError, match=words):
        HuffmanTable.from_codes(codes)


def test_arrays_of_another_shape_or_beyond_64_bits_are_refused() -> None:
    bits, codes = np.full(65, 7), np.arange(65)
    HuffmanTable(bits, codes)
    with pytest.raises(CodecError, match="65 codes"):
        HuffmanTable(bits[:64], codes[:64])
    with pytest.raises(CodecError, match="1 to 64 bits"):
        HuffmanTable(np.full(65, 80), codes)
    with pytest.raises(CodecError, match="does not fit its length"):
        HuffmanTable(np.full(65, 6), codes)
