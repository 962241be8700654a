"""The encoder's network: PNC's architecture, in whole numbers, the same on every machine."""

from __future__ import annotations

import hashlib

import numpy as np

from host.codec import Codec
from host.codec.weights import kind_of, load_arrays


def synthetic() -> np.ndarray:
    """A picture by whole-number arithmetic alone, so that no library's rounding is in it."""
    y, x = np.mgrid[0:224, 0:224]
    red = (x * 255) // 223
    green = ((x - 112) ** 2 + (y - 90) ** 2) // 90 % 256
    blue = (x * y // 64 + (x // 28 + y // 28) % 2 * 90) % 256
    return np.stack([red, green, blue], axis=-1).astype(np.uint8)


#: SHA-256 of all packets of ``synthetic()``, each as rank, position (2 bytes) and bytes; and their whole size.
PINNED = ("6546f20299fe8a00b78cb7c44121d82848ce93d1f8c0d139f5bd8c96dbcd94e5", 1686)


def test_one_picture_encodes_to_the_pinned_bytes(codec: Codec) -> None:
    packets = codec.encode(synthetic())
    stream = b"".join(bytes([p.rank]) + p.position.to_bytes(2) + p.data for p in packets)
    assert (hashlib.sha256(stream).hexdigest(), sum(len(p.data) for p in packets)) == PINNED


def test_two_runs_encode_to_the_same_bytes(codec: Codec, drawings: list[np.ndarray]) -> None:
    for picture in drawings[:4]:
        assert codec.encode(picture) == codec.encode(picture.copy())


def test_the_network_is_pncs_encoder_of_5_46_million_multiply_adds() -> None:
    arrays = load_arrays(kind_of("pnc-v1"))
    assert arrays["conv1_weight"].shape == (16, 3, 9, 9)
    assert arrays["conv2_weight"].shape == (10, 16, 3, 3)
    assert 32 * 32 * (arrays["conv1_weight"].size + arrays["conv2_weight"].size) == 5_455_872


def test_float32_sums_are_those_of_whole_numbers(codec: Codec, drawings: list[np.ndarray]) -> None:
    arrays = load_arrays(kind_of("pnc-v1"))
    noise = np.random.default_rng(7).integers(0, 256, (224, 224, 3)).astype(np.uint8)
    for picture in (*drawings[:3], noise, synthetic()):
        hidden = whole_number_layer(picture, arrays, "conv1", 7)
        assert np.array_equal(codec.network.hidden(picture), np.clip((hidden + (1 << 27)) >> 28, 0, 255))
        y = np.clip(whole_number_layer(codec.network.hidden(picture), arrays, "conv2", 1), 0, 255 << 28)
        zero = arrays["zero"].astype(np.int64)
        away = y - (zero << 28)
        steps = (np.abs(away) + arrays["lift"]) >> 28
        symbols = np.clip(np.where(away < 0, zero - steps, zero + steps), 0, 255)
        assert np.array_equal(codec.network(picture), symbols.transpose(2, 0, 1))


def whole_number_layer(x: np.ndarray, arrays: dict[str, np.ndarray], name: str, stride: int) -> np.ndarray:
    """A layer before rounding, tap by tap in int64: [32, 32, out], fixed point with 28 bits."""
    weight = arrays[f"{name}_weight"].astype(np.int64)
    padded = np.pad(x.astype(np.int64), ((1, 1), (1, 1), (0, 0)))
    k = weight.shape[-1]
    last = 31 * stride + 1
    sums = np.zeros((32, 32, len(weight)), np.int64)
    for down in range(k):
        for right in range(k):
            sums += padded[down : down + last : stride, right : right + last : stride] @ weight[:, :, down, right].T
    assert np.abs(sums).max() < 1 << 24
    return sums * arrays[f"{name}_factor"] + arrays[f"{name}_offset"]
