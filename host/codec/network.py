"""The encoder's network on integers, with numpy alone: the same symbols on every machine.

Products and sums stay whole and below 2^24, so that float32 (and any BLAS, in any order) computes them exactly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .errors import CodecError

SIDE = 224
STRIDE = 7
GRID = SIDE // STRIDE
#: Factors and offsets that bring sums back to 0..255 are fixed point with this many bits after the point.
FIXED_BITS = 28
_HALF = 1 << (FIXED_BITS - 1)


@dataclass(frozen=True)
class Layer:
    """A convolution with int8 weights [out, in, k, k]; output o is (sum * factor[o] + offset[o]) / 2^28."""

    weight: np.ndarray
    factor: np.ndarray
    offset: np.ndarray

    def __post_init__(self) -> None:
        out, into, down, right = self.weight.shape
        sound = (
            self.weight.dtype == np.int8
            and down == right
            and into * down * right * 255 * 128 < 1 << 24
            and all(a.dtype == np.int64 and a.shape == (out,) for a in (self.factor, self.offset))
            and np.all(np.abs(self.factor) < 1 << 36)
            and np.all(np.abs(self.offset) < 1 << 60)
        )
        if not sound:
            raise CodecError("the encoder's weights are not whole numbers of the expected size")

    def matrix(self) -> np.ndarray:
        """Weights as float32 [k * k * in, out], in the order in which patches are flattened."""
        patch_first = self.weight.transpose(2, 3, 1, 0).reshape(-1, len(self.factor))
        matrix: np.ndarray = patch_first.astype(np.float32, order="C")
        return matrix


class Network:
    """PNC's encoder: conv 9x9 stride 7 -> conv 3x3, ReLU after each, padding 'same'."""

    def __init__(self, first: Layer, second: Layer, zero: np.ndarray, lift: np.ndarray) -> None:
        """``zero`` [c]: the symbol for nothing; ``lift`` [c]: added to the distance from it before rounding down."""
        self._first, self._second = first, second
        self._first_matrix, self._second_matrix = first.matrix(), second.matrix()
        self._zero, self._lift = zero.astype(np.int64), lift.astype(np.int64)
        self.channels = len(second.factor)

    def hidden(self, pixels: np.ndarray) -> np.ndarray:
        """uint8 [224, 224, 3] -> uint8 [32, 32, 16]."""
        padded = np.pad(pixels, ((1, 1), (1, 1), (0, 0)))
        patches = np.lib.stride_tricks.sliding_window_view(padded, (9, 9), axis=(0, 1))[::STRIDE, ::STRIDE]
        flat = patches.transpose(0, 1, 3, 4, 2).reshape(GRID * GRID, -1).astype(np.float32)
        sums = (flat @ self._first_matrix).astype(np.int64)
        out = (sums * self._first.factor + self._first.offset + _HALF) >> FIXED_BITS
        hidden: np.ndarray = np.clip(out, 0, 255).astype(np.uint8).reshape(GRID, GRID, -1)
        return hidden

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        """Pixels uint8 [224, 224, 3] -> symbols uint8 [channels, 32, 32]."""
        padded = np.pad(self.hidden(pixels), ((1, 1), (1, 1), (0, 0)))
        patches = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(0, 1))
        flat = patches.transpose(0, 1, 3, 4, 2).reshape(GRID * GRID, -1).astype(np.float32)
        sums = (flat @ self._second_matrix).astype(np.int64)
        fixed = np.clip(sums * self._second.factor + self._second.offset, 0, 255 << FIXED_BITS)
        away = fixed - (self._zero << FIXED_BITS)
        steps = (np.abs(away) + self._lift) >> FIXED_BITS
        symbols = np.clip(self._zero + np.sign(away) * steps, 0, 255).astype(np.uint8)
        return np.ascontiguousarray(symbols.T).reshape(self.channels, GRID, GRID)


def network_from(arrays: dict[str, np.ndarray]) -> Network:
    """The encoder in shipped arrays. Raises CodecError when one is missing or of another shape."""
    try:
        first = Layer(arrays["conv1_weight"], arrays["conv1_factor"], arrays["conv1_offset"])
        second = Layer(arrays["conv2_weight"], arrays["conv2_factor"], arrays["conv2_offset"])
        if first.weight.shape[1:] != (3, 9, 9) or second.weight.shape[1:] != (len(first.factor), 3, 3):
            raise CodecError("the encoder's weights are of another network")
        return Network(first, second, arrays["zero"], arrays["lift"])
    except KeyError as error:
        raise CodecError(f"the encoder's weights lack {error}") from None
