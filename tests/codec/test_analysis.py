"""The analysis transform: within PNC's budget, on integers, the same on every machine."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from host.codec import Codec, CodecError
from host.codec.analysis import FIXED_BITS, Analysis
from host.codec.layout import COLOUR_OF, COLOURS, centre_weight
from host.codec.weights import kind_of, load_arrays
from host.wire import MAX_RANKS


def synthetic() -> np.ndarray:
    """Make a picture by integer arithmetic alone, so that it does not depend on a library's rounding."""
    y, x = np.mgrid[0:224, 0:224]
    red = (x * 255) // 223
    green = ((x - 112) ** 2 + (y - 90) ** 2) // 90 % 256
    blue = (x * y // 64 + (x // 28 + y // 28) % 2 * 90) % 256
    return np.stack([red, green, blue], axis=-1).astype(np.uint8)


#: SHA-256 of all packets of ``synthetic()``, each as rank, position (2 bytes) and bytes; and their whole size.
PINNED = ("6f5f28f135e2cefb2aa11937991eac66a541ba5dfc62ee4f9db1c8ecb5cdccf8", 3128)


def test_one_picture_encodes_to_the_pinned_bytes(codec: Codec) -> None:
    packets = codec.bitstream.packetize(codec.analysis(synthetic()), MAX_RANKS)
    stream = b"".join(bytes([p.rank]) + p.position.to_bytes(2) + p.data for p in packets)
    assert (hashlib.sha256(stream).hexdigest(), sum(len(p.data) for p in packets)) == PINNED


def test_two_runs_encode_to_the_same_bytes(codec: Codec, drawings: list[np.ndarray]) -> None:
    for picture in drawings[:4]:
        assert codec.encode(picture) == codec.encode(picture.copy())


def test_the_network_is_of_3_06_million_multiply_adds_fewer_than_pncs() -> None:
    filters = load_arrays(kind_of("pnc-v2"))["filters"]
    assert 28 * 28 * filters.size + 224 * 224 * 9 == 3_060_736


def test_sums_are_those_of_whole_numbers(codec: Codec, drawings: list[np.ndarray]) -> None:
    arrays = load_arrays(kind_of("pnc-v2"))
    filters = arrays["filters"].astype(np.int64)
    factor = arrays["inverse_step"][:, None, None] * centre_weight(28)
    limit = (1 << arrays["top"].astype(np.int64))[:, None, None] - 1
    noise = np.random.default_rng(7).integers(0, 256, (224, 224, 3)).astype(np.uint8)
    for picture in (*drawings[:3], noise, synthetic()):
        planes_of = (picture.astype(np.int64) @ np.array(COLOURS).T + 128 >> 8) - np.array([127, 0, 0])
        assert planes_of.min() >= -127
        assert planes_of.max() <= 128
        cells = planes_of.reshape(28, 8, 28, 8, 3)[..., list(COLOUR_OF)]
        sums = np.einsum("ydxro,odr->oyx", cells, filters)
        size = np.minimum(np.abs(sums) * factor >> FIXED_BITS, limit)
        assert np.array_equal(codec.analysis(picture), np.sign(sums) * size)


@pytest.mark.parametrize(
    ("name", "value"),
    [("filters", np.float32(0)), ("inverse_step", 0), ("inverse_step", 1 << 30), ("top", 0), ("top", 8)],
)
def test_weights_of_another_size_are_refused(name: str, value: float) -> None:
    arrays = load_arrays(kind_of("pnc-v2"))
    changed = np.full(arrays[name].shape, value, type(value) if name == "filters" else arrays[name].dtype)
    with pytest.raises(CodecError, match="not whole numbers of the expected size"):
        Analysis({**arrays, name: changed})
