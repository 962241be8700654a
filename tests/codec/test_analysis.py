"""The analysis transform: within PNC's budget, on integers, the same on every machine."""

from __future__ import annotations

import hashlib
import itertools

import numpy as np
import pytest

from host.codec import Codec, CodecError
from host.codec.analysis import FIXED_BITS, Analysis
from host.codec.layout import COLOUR_OF, COLOURS, MEANS, centre_weight
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
PINNED = ("11583b9e3c46bb0dfb29e1575c7831c37956887415b18437a17848a19af38dd9", 6382)


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
        coefficients, colour = codec.analysis(picture)
        sums[:MEANS] -= (np.array(list(colour)) - 127)[:, None, None] * filters[:MEANS].sum((1, 2))[:, None, None]
        size = np.abs(sums) * factor >> FIXED_BITS
        assert np.array_equal(coefficients, np.sign(sums) * np.minimum(size, limit))
        assert (size <= limit)[:MEANS].all()


def levels_of(picture: np.ndarray) -> np.ndarray:
    """Return the rounded means of all cells, luma and colour differences, 0..255, [3, 784]."""
    planes = (picture.astype(np.int64) @ np.array(COLOURS).T + 128 >> 8) - np.array([127, 0, 0])
    means = planes.reshape(28, 8, 28, 8, 3).sum((1, 3)) / 64
    return (np.floor(means + 0.5) + 127).astype(int).reshape(-1, 3).T


def test_the_picture_colour_is_the_level_with_the_most_cells_around_it(
    codec: Codec, drawings: list[np.ndarray]
) -> None:
    near = 24 - np.abs(np.arange(-23, 24))
    as_wanted = 0
    for picture in drawings:
        for levels, found in zip(levels_of(picture), codec.analysis(picture).colour, strict=True):
            around = np.convolve(np.bincount(levels, minlength=256), near)[23:-23]
            reach = levels.max() - levels.min() > 120
            as_wanted += int(around.argmax()) == found
            assert reach or int(around.argmax()) == found
    assert as_wanted > 50


def test_means_are_never_limited_however_far_apart_they_are(codec: Codec) -> None:
    inverse = load_arrays(kind_of("pnc-v2"))["inverse_step"][:MEANS, None, None]
    # A level of a mean in coefficients, by position.
    level = 127 * 64 * inverse * centre_weight(28) / 2**FIXED_BITS
    corners = np.array(list(itertools.product((0, 255), repeat=3)), np.uint8)
    rng = np.random.default_rng(4)
    for one, other in itertools.combinations(corners, 2):
        for share in (0.5, 0.02):
            cells = rng.random((28, 28, 1)) < share
            picture = np.where(cells, one, other).astype(np.uint8).repeat(8, 0).repeat(8, 1)
            coefficients, colour = codec.analysis(picture)
            wanted = (levels_of(picture) - np.array(list(colour))[:, None]).reshape(MEANS, 28, 28) * level
            # Rounded towards zero.
            assert np.abs(coefficients[:MEANS] - wanted).max() < 1 + 1e-3


def test_a_plain_colour_is_the_picture_colour_and_nothing_else(codec: Codec) -> None:
    for colour in itertools.product((0, 90, 255), repeat=3):
        picture = np.broadcast_to(np.array(colour, np.uint8), (224, 224, 3)).copy()
        coefficients, found = codec.analysis(picture)
        assert not coefficients.any()
        assert list(found) == levels_of(picture)[:, 0].tolist()


def test_a_mean_that_is_no_mean_is_refused() -> None:
    arrays = load_arrays(kind_of("pnc-v2"))
    for value in (0, 126):
        filters = arrays["filters"].copy()
        filters[2, 3, 3:] = value
        with pytest.raises(CodecError, match="not whole numbers of the expected size"):
            Analysis({**arrays, "filters": filters})


@pytest.mark.parametrize(
    ("name", "value"),
    [("filters", np.float32(0)), ("inverse_step", 0), ("inverse_step", 1 << 30), ("top", 0), ("top", 8)],
)
def test_weights_of_another_size_are_refused(name: str, value: float) -> None:
    arrays = load_arrays(kind_of("pnc-v2"))
    changed = np.full(arrays[name].shape, value, type(value) if name == "filters" else arrays[name].dtype)
    with pytest.raises(CodecError, match="not whole numbers of the expected size"):
        Analysis({**arrays, name: changed})
