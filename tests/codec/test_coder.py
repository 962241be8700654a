"""The C entropy coder: what goes in comes out, in as few bytes as a reference coder needs, and nothing breaks it."""

from __future__ import annotations

import dataclasses

import constriction
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host.codec import Codec, CodecError
from host.codec.entropy import EntropyCoder
from tests.codec.conftest import drawing, random_model

MODELS = {seed: random_model(np.random.default_rng(seed), 1 + seed % 3, (1, 5, 16)[seed % 3]) for seed in range(9)}


def random_symbols(seed: int, coder: EntropyCoder) -> np.ndarray:
    """Anything from calm to noise."""
    rng = np.random.default_rng(seed)
    spread = rng.choice([0.3, 2.0, 20.0, 300.0])
    return np.clip(rng.normal(rng.integers(0, 256), spread, coder.total), 0, 255).astype(np.uint8)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(MODELS)), st.integers(0, 2**32 - 1), st.integers(16, 300), st.data())
def test_every_run_of_symbols_comes_back_from_its_packet(model: int, seed: int, room: int, data: st.DataObject) -> None:
    coder = MODELS[model]
    symbols = random_symbols(seed, coder)
    position = data.draw(st.integers(0, coder.total - 1))
    packet, count = coder.encode(symbols, position, room)
    assert 1 <= count <= coder.total - position
    assert len(packet) <= room
    run = coder.decode(packet, position)
    assert run is not None
    assert run.tolist() == symbols[position : position + count].tolist()


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(MODELS)), st.binary(max_size=240), st.integers(-5, 1000))
def test_any_bytes_at_any_position_decode_or_are_refused(model: int, data: bytes, position: int) -> None:
    coder = MODELS[model]
    run = coder.decode(data, position)
    assert run is None or (position >= 0 and 1 <= len(run) <= coder.total - position)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.data())
def test_a_flipped_bit_or_a_lost_end_is_noticed(codec: Codec, seed: int, data: st.DataObject) -> None:
    coder = codec.coder
    symbols = codec.network(drawing(seed % 5))
    position = data.draw(st.integers(0, coder.total - 1))
    packet, _ = coder.encode(symbols, position, 236)
    bit = data.draw(st.integers(0, 8 * len(packet) - 1))
    flipped = bytearray(packet)
    flipped[bit // 8] ^= 1 << bit % 8
    # The state at the end must be the very one that stands for the count: chance passes one packet in about 2^30.
    assert coder.decode(bytes(flipped), position) is None
    assert coder.decode(packet[: data.draw(st.integers(0, len(packet) - 1))], position) is None


def reference_bytes(coder: EntropyCoder, tables: np.ndarray, thresholds: np.ndarray, symbols: np.ndarray) -> int:
    """What constriction's range coder needs for a whole picture as one run, with the same tables."""
    reach = (tables.shape[-1] - 3) // 2
    m64, t, kind = coder.survey(symbols, 0, coder.total)
    cells = coder.side**2
    channel = np.arange(coder.total) // cells
    level = (thresholds[channel] <= t[:, None]).sum(1)
    quarters = (m64 + 8) >> 4
    zero = coder.arrays["zero"].astype(np.int32)[channel]
    entry = symbols.reshape(-1).astype(np.int32) - zero - (quarters >> 2) + reach
    entry = np.where((entry < 0) | (entry > 2 * reach), 2 * reach + 1, entry)
    shares = np.diff(tables.astype(np.int64), axis=-1) / (1 << 15)
    encoder = constriction.stream.queue.RangeEncoder()
    family = constriction.stream.model.Categorical(perfect=False)
    encoder.encode(entry.astype(np.int32), family, shares[channel, kind, level, quarters & 3])
    escapes = entry == 2 * reach + 1
    if escapes.any():
        raw = symbols.reshape(-1)[escapes].astype(np.int32)
        encoder.encode(raw, constriction.stream.model.Uniform(256))
    return 4 * len(encoder.get_compressed())


def test_the_size_is_that_of_a_reference_coder_with_the_same_tables(codec: Codec) -> None:
    coder = codec.coder
    for seed in range(4):
        symbols = codec.network(drawing(seed))
        packet, count = coder.encode(symbols, 0, 60_000)
        assert count == coder.total
        want = reference_bytes(coder, coder.arrays["tables"], coder.arrays["thresholds"], symbols)
        assert want > 200
        assert len(packet) <= 1.01 * want + 4


def test_the_reference_agrees_on_random_tables_too() -> None:
    for seed in (2, 5, 8):
        coder = MODELS[seed]
        symbols = random_symbols(seed, coder)
        packet, count = coder.encode(symbols, 0, 60_000)
        assert count == coder.total
        want = reference_bytes(coder, coder.arrays["tables"], coder.arrays["thresholds"], symbols)
        assert len(packet) <= 1.01 * want + 4


def test_room_for_no_symbol_is_an_error_not_an_empty_packet() -> None:
    coder = MODELS[2]
    with pytest.raises(ValueError, match="no symbol"):
        coder.encode(random_symbols(1, coder), 0, 3)


@pytest.mark.parametrize("position", [-1, 10_240, 65_535])
def test_a_position_outside_the_picture_is_refused(codec: Codec, position: int) -> None:
    symbols = codec.network(drawing(0))
    with pytest.raises(ValueError, match="no symbol"):
        codec.coder.encode(symbols, position, 236)
    packet, _ = codec.coder.encode(symbols, 0, 236)
    assert codec.coder.decode(packet, position) is None


@dataclasses.dataclass(frozen=True)
class Damage:
    array: str
    index: tuple[int, ...]
    value: int


@pytest.mark.parametrize(
    "damage",
    [
        Damage("tables", (0, 0, 0, 0, 0), 1),
        Damage("tables", (0, 1, 0, 3, -1), 40_000),
        Damage("tables", (0, 0, 1, 2, 3), 0),
        Damage("mean", (0, 2), 1025),
        Damage("spread", (0, 7), 1025),
        Damage("thresholds", (0, 0), 2**31 - 1),
    ],
    ids=lambda d: f"{d.array}{list(d.index)}={d.value}",
)
def test_tables_that_break_a_rule_are_refused(codec: Codec, damage: Damage) -> None:
    arrays = {key: a.copy() for key, a in codec.coder.arrays.items()}
    arrays[damage.array][damage.index] = damage.value
    with pytest.raises(CodecError, match="break a rule"):
        EntropyCoder(arrays, 32)


@pytest.mark.parametrize("name", ["zero", "mean", "spread", "thresholds", "tables"])
def test_tables_of_another_shape_or_type_are_refused(codec: Codec, name: str) -> None:
    arrays = dict(codec.coder.arrays)
    with pytest.raises(CodecError, match="shape or type"):
        EntropyCoder({**arrays, name: arrays[name].astype(np.float64)}, 32)
    with pytest.raises(CodecError, match="lack"):
        EntropyCoder({key: a for key, a in arrays.items() if key != name}, 32)
