"""The encoder's network on integers, with numpy alone: the same coefficients on every machine.

Products and sums stay whole and below 2^24, so that float32 (and any BLAS, in any order) computes them exactly.
"""

from __future__ import annotations

import numpy as np

from host.codec.errors import CodecError
from host.codec.planes.layout import CELL, CHANNELS, GRID, PLANES, centre_weight

TAPS = 3 * CELL * CELL
#: Pixels are taken as their distance from this.
MIDDLE = 127
#: Inverse steps are fixed point with this many bits after the point; those of ``centre_weight`` are counted in.
FIXED_BITS = 40


class Analysis:
    """An 8x8 convolution of stride 8, then a dead-zone quantizer: towards zero."""

    def __init__(self, arrays: dict[str, np.ndarray]) -> None:
        """Takes ``filters`` int8 [C, 8, 8, 3], ``inverse_step`` int64 [C] and ``top`` uint8 [C].

        Raises CodecError when one is missing or of another shape or size.
        """
        try:
            filters, inverse, top = arrays["filters"], arrays["inverse_step"], arrays["top"]
        except KeyError as error:
            raise CodecError(f"the encoder's weights lack {error}") from None
        sound = (
            filters.shape == (CHANNELS, CELL, CELL, 3)
            and filters.dtype == np.int8
            and inverse.shape == top.shape == (CHANNELS,)
            and inverse.dtype == np.int64
            and top.dtype == np.uint8
            # |sum| < 2^23, so that a product with the largest factor stays inside 63 bits.
            and np.all((inverse > 0) & (inverse < 1 << 30))
            and np.all((top >= 1) & (top <= PLANES))
        )
        if not sound:
            raise CodecError("the encoder's weights are not whole numbers of the expected size")
        self._matrix = np.ascontiguousarray(filters.reshape(CHANNELS, TAPS), dtype=np.float32)
        self._middle = self._matrix.sum(1, keepdims=True) * MIDDLE
        self._factor = inverse[:, None] * centre_weight(GRID).reshape(1, -1)
        self._limit = ((1 << top.astype(np.int64)) - 1)[:, None]
        self.top = top

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        """Pixels uint8 [224, 224, 3] -> coefficients int8 [C, 28, 28]."""
        cells = pixels.reshape(GRID, CELL, GRID, CELL, 3).transpose(1, 3, 4, 0, 2).reshape(TAPS, -1).astype(np.float32)
        sums = (self._matrix @ cells - self._middle).astype(np.int64)
        size = np.minimum((np.abs(sums) * self._factor) >> FIXED_BITS, self._limit)
        out: np.ndarray = (np.sign(sums) * size).astype(np.int8).reshape(CHANNELS, GRID, GRID)
        return out
