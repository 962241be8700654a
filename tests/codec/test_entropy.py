"""The bit-plane coder: lossless to the byte, as small as its tables allow, and safe on any input."""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host.codec import CodecError
from host.codec.entropy import FAR, SPREADS, BitPlaneCoder
from tests.codec.random_coders import (
    all_packets,
    random_arrays,
    random_coder,
    random_coefficients,
    reconstruct,
    without_blank_table,
)

CODERS = [random_coder(seed) for seed in range(12)]
coders = st.sampled_from(CODERS)
seeds = st.integers(0, 2**32 - 1)


@settings(max_examples=60, deadline=None)
@given(coders, seeds, st.integers(0, 240))
def test_every_coefficient_comes_back_from_its_packets(coder: BitPlaneCoder, seed: int, more: int) -> None:
    coefficients, room = random_coefficients(seed, coder), coder.least_room + more
    state = coder.new_state()
    packets = all_packets(coder, coefficients, room)
    for row, data, rows in packets:
        assert len(data) <= room
        assert np.array_equal(coder.reconstruction(state), reconstruct(coefficients, coder.missing_planes(row)))
        assert coder.decode(data, row, rows, state) == rows * coder.side
    assert np.array_equal(coder.reconstruction(state), reconstruct(coefficients, np.zeros_like(coefficients)))


@settings(max_examples=100, deadline=None)
@given(coders, seeds, st.data())
def test_a_packet_cut_anywhere_gives_a_run_of_true_symbols_and_more_bytes_never_fewer(
    coder: BitPlaneCoder, seed: int, data: st.DataObject
) -> None:
    coefficients = random_coefficients(seed, coder)
    row, whole, rows = data.draw(st.sampled_from(all_packets(coder, coefficients)))
    before = 0
    for cut in sorted([*data.draw(st.lists(st.integers(0, len(whole)), max_size=4)), len(whole)]):
        state = state_at(coder, coefficients, row)
        count = coder.decode(whole[:cut], row, None, state)
        assert count is not None
        assert count >= before
        assert np.array_equal(coder.reconstruction(state), reconstruct(coefficients, coder.missing_planes(row, count)))
        before = count
    assert before >= rows * coder.side


def state_at(coder: BitPlaneCoder, coefficients: np.ndarray, row: int) -> np.ndarray:
    """Return the state of a decoder at the start of a row."""
    padded = np.zeros((coder.channels, coder.side + 2, coder.side + 2), np.int16)
    padded[:, 1:-1, 1:-1] = reconstruct(coefficients, coder.missing_planes(row))
    return padded.reshape(-1)


@settings(max_examples=300, deadline=None)
@given(coders, st.binary(max_size=240), st.integers(-5, 2000), st.none() | st.integers(-3, 200))
def test_any_bytes_at_any_row_decode_or_are_refused(
    coder: BitPlaneCoder, data: bytes, row: int, rows: int | None
) -> None:
    count = coder.decode(data, row, rows, coder.new_state())
    if count is not None:
        assert 0 <= row < coder.rows
        assert 0 <= count <= (coder.rows - row) * coder.side
        assert rows is None or count == rows * coder.side


@settings(max_examples=60, deadline=None)
@given(coders, seeds, st.integers(0, 240), st.integers(0, 40))
def test_a_stream_made_at_once_is_its_packets_made_one_by_one(
    coder: BitPlaneCoder, seed: int, more: int, most: int
) -> None:
    coefficients, room = random_coefficients(seed, coder), coder.least_room + more
    one_by_one = [(row, data) for row, data, _ in all_packets(coder, coefficients, room)]
    assert coder.packetize(coefficients, room, most)[0] == one_by_one[:most]
    # Only the first packet is shorter by its head.
    first, rows = coder.encode(coefficients, 0, room)
    longer, _ = coder.packetize(coefficients, room + 7, most, head=7)
    assert longer[:1] == [(0, first)][:most]
    if len(longer) > 1:
        assert longer[1] == (rows, coder.encode(coefficients, rows, room + 7)[0])


def test_threads_that_share_a_coder_make_the_same_packets() -> None:
    coder = max(CODERS, key=lambda c: c.rows * c.side)
    many = [random_coefficients(seed, coder) for seed in range(40)]
    alone = [coder.packetize(coefficients, 236, 256)[0] for coefficients in many]
    assert len({tuple(packets) for packets in alone}) == len(many)
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda c: coder.packetize(c, 236, 256)[0], many)) == alone


def test_a_packet_that_lost_its_end_does_not_hold_the_rows_that_it_should() -> None:
    refused = tried = 0
    for seed, coder in enumerate(CODERS):
        coefficients = random_coefficients(seed, coder)
        for row, data, rows in all_packets(coder, coefficients)[:-1]:
            state = state_at(coder, coefficients, row)
            refused += coder.decode(data[: len(data) // 2], row, rows, state) is None
            tried += 1
    assert refused == tried > 30


def probabilities(coder: BitPlaneCoder) -> tuple[np.ndarray, np.ndarray]:
    """Return the tables as probabilities: [passes, contexts, 3] of a zero, [passes, contexts, 2] of a refinement."""
    ends = coder.arrays["zero"].reshape(coder.passes, -1, 2), coder.arrays["more"].reshape(coder.passes, -1, 1)
    made = [np.pad(of, [(0, 0), (0, 0), (1, 0)]).astype(np.int64) for of in ends]
    whole = [np.concatenate([of, np.full_like(of[..., :1], 1 << 15)], axis=-1) for of in made]
    return np.diff(whole[0]) / (1 << 15), np.diff(whole[1]) / (1 << 15)


def coded_with(coder: BitPlaneCoder, coefficients: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the symbols of a stream with their probabilities: zeros [n], [n, 3]; refinements [m], [m, 2]."""
    contexts, symbols = coder.contexts(coefficients)
    index = np.broadcast_to(np.arange(coder.passes)[:, None], contexts.shape)
    is_zero, (zero, more) = contexts < FAR * SPREADS, probabilities(coder)
    return [
        (symbols[is_zero], zero[index[is_zero], contexts[is_zero]]),
        (symbols[~is_zero], more[index[~is_zero], contexts[~is_zero] - FAR * SPREADS]),
    ]


def ideal_bytes(coder: BitPlaneCoder, coefficients: np.ndarray) -> float:
    """Return the information of all symbols under the coder's tables."""
    parts = coded_with(coder, coefficients)
    return -sum(float(np.log2(p[np.arange(len(s)), s]).sum()) for s, p in parts) / 8


def reference_bytes(coder: BitPlaneCoder, coefficients: np.ndarray) -> int:
    """Return the size that constriction's range coder needs with the same tables."""
    constriction = pytest.importorskip("constriction", reason="constriction has no wheel for this system")
    encoder = constriction.stream.queue.RangeEncoder()
    family = constriction.stream.model.Categorical(perfect=False)
    for symbols, p in coded_with(coder, coefficients):
        if len(symbols):
            encoder.encode(symbols.astype(np.int32), family, p)
    return 4 * len(encoder.get_compressed())


def test_the_size_is_the_information_under_the_tables_and_that_of_a_reference_coder() -> None:
    for seed, coder in enumerate(map(without_blank_table, CODERS)):
        coefficients = random_coefficients(seed, coder)
        packets = all_packets(coder, coefficients, 4096)
        size, ideal = sum(len(data) for _, data, _ in packets), ideal_bytes(coder, coefficients)
        # A packet leaves at most a row and a few bytes unused.
        unused = len(packets) * (coder.side * 15 / 8 / 4 + 4)
        assert ideal - 1 <= size <= 1.001 * ideal + unused
        assert size <= 1.01 * reference_bytes(coder, coefficients) + unused


def test_a_blank_stream_takes_a_few_bytes_and_its_end_costs_two_more() -> None:
    coder = max(CODERS, key=lambda c: c.rows * c.side)
    last = int(np.flatnonzero(coder.order[:, 1] == 0)[-1])
    early, never = (BitPlaneCoder(coder.arrays, coder.side, coder.planes, blank_from=at) for at in (0, coder.passes))
    blank = np.zeros((coder.channels, coder.side, coder.side), np.int8)
    one = blank.copy()
    one[coder.order[last, 0], coder.side // 2, 0] = -1
    sizes = {}
    for name, coefficients in (("blank", blank), ("one", one)):
        for coded_by in (early, never):
            packets = all_packets(coded_by, coefficients, 4096)
            sizes[name, coded_by is early] = sum(len(data) for _, data, _ in packets)
            state = coded_by.new_state()
            for row, data, rows in packets:
                assert coded_by.decode(data, row, rows, state) == rows * coder.side
            assert np.array_equal(
                coded_by.reconstruction(state), reconstruct(coefficients, np.zeros_like(coefficients))
            )
    assert sizes["blank", True] <= 4 + coder.rows * coder.side // 50_000
    assert sizes["blank", False] > 20 * sizes["blank", True]
    assert sizes["one", True] < sizes["blank", True] + (sizes["one", False] - sizes["blank", False]) + 60


@pytest.mark.parametrize(("side", "least_room"), [(1, 9), (4, 11), (28, 56), (32, 64)])
def test_the_least_room_holds_a_row_of_the_most_expensive_symbols(side: int, least_room: int) -> None:
    arrays = random_arrays(np.random.default_rng(side), 5, 7)
    arrays["zero"][...] = [1, 2]  # a zero takes 15 bits
    coder = BitPlaneCoder(arrays, side, 7, blank_from=35)
    assert coder.least_room == least_room
    packets = all_packets(coder, np.zeros((coder.channels, side, side), np.int8), least_room)
    assert side < 28 or all(rows == 1 for _, _, rows in packets)


def test_room_for_no_row_is_an_error_not_an_empty_packet() -> None:
    coder = CODERS[0]
    for room in (0, coder.least_room - 1, 5000):
        with pytest.raises(ValueError, match="no row"):
            coder.encode(random_coefficients(1, coder), 0, room)
        with pytest.raises(ValueError, match="no row"):
            coder.packetize(random_coefficients(1, coder), room, 3)
    for head in (1, coder.least_room + 1):
        with pytest.raises(ValueError, match="no row"):
            coder.packetize(random_coefficients(1, coder), coder.least_room, 3, head=head)


@pytest.mark.parametrize("row", [-1, 65_535])
def test_a_row_outside_the_stream_is_refused(row: int) -> None:
    coder = CODERS[0]
    with pytest.raises(ValueError, match="no row"):
        coder.encode(random_coefficients(1, coder), row, 236)
    assert coder.decode(b"\0" * 236, row, None, coder.new_state()) is None


@dataclasses.dataclass(frozen=True)
class Damage:
    array: str
    index: tuple[int, ...]
    value: int


@pytest.mark.parametrize(
    "damage",
    [
        Damage("order", (0, 0), 200),
        Damage("order", (0, 1), 9),
        Damage("top", (0,), 0),
        Damage("top", (0,), 9),
        Damage("mean", (0, 2), 8193),
        Damage("spread", (0, 7), -1),
        Damage("base", (0,), -1),
        Damage("zero", (0, 0, 0, 0), 0),
        Damage("zero", (0, 0, 0, 1), 1 << 15),
        Damage("more", (0, 0, 0), 0),
    ],
    ids=lambda d: f"{d.array}{list(d.index)}={d.value}",
)
def test_tables_that_break_a_rule_are_refused(damage: Damage) -> None:
    arrays = random_arrays(np.random.default_rng(0), 6, 5)
    BitPlaneCoder(arrays, 8, 5)
    arrays[damage.array][damage.index] = damage.value
    with pytest.raises(CodecError, match="break a rule"):
        BitPlaneCoder(arrays, 8, 5)


@pytest.mark.parametrize("name", ["order", "top", "mean", "spread", "base", "zero", "more"])
def test_tables_of_another_shape_or_type_are_refused(name: str) -> None:
    arrays = random_arrays(np.random.default_rng(0), 6, 5)
    with pytest.raises(CodecError, match="shape or type"):
        BitPlaneCoder({**arrays, name: arrays[name].astype(np.float64)}, 8, 5)
    with pytest.raises(CodecError, match="lack"):
        BitPlaneCoder({key: a for key, a in arrays.items() if key != name}, 8, 5)
