"""The encoder's analysis transform: Python interface of ``native/analysis.c``."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .errors import CodecError
from .layout import CELL, CHANNELS, COLOUR_OF, GRID, MEANS, PLANES, SIDE, centre_weight
from .library import library

#: Fraction bits of inverse steps, including the 8 of ``centre_weight``.
FIXED_BITS = 40


class Analysed(NamedTuple):
    """A picture after the analysis."""

    #: int8 [C, 28, 28].
    coefficients: np.ndarray
    #: The picture colour, a byte for luma and each colour difference. Less ``LUMA_MIDDLE`` it is in levels.
    colour: bytes


class Analysis:
    """Colour transform, 8x8 convolutions of stride 8, and a dead-zone quantizer that rounds towards zero.

    All arithmetic is on integers, so every machine computes the same coefficients.
    """

    def __init__(self, arrays: dict[str, np.ndarray]) -> None:
        """Build the transform from ``filters`` int8 [C, 8, 8], ``inverse_step`` int64 [C] and ``top`` uint8 [C].

        Raises CodecError if one is missing, or its shape, type or size is wrong.
        """
        try:
            filters, inverse, plane_counts = arrays["filters"], arrays["inverse_step"], arrays["top"]
        except KeyError as error:
            raise CodecError(f"the encoder's weights lack {error}") from None
        sound = (
            filters.shape == (CHANNELS, CELL, CELL)
            and filters.dtype == np.int8
            and inverse.shape == plane_counts.shape == (CHANNELS,)
            and inverse.dtype == np.int64
            and plane_counts.dtype == np.uint8
            and np.all(filters[:MEANS] == filters[:MEANS, :1, :1])
            and np.all(filters[:MEANS] > 0)
            and np.all((inverse > 0) & (inverse < 1 << 30))
            and np.all((plane_counts >= 1) & (plane_counts <= PLANES))
        )
        if not sound:
            raise CodecError("the encoder's weights are not whole numbers of the expected size")
        module = library()
        ffi, self._lib = module.ffi, module.lib
        self._from_buffer = ffi.from_buffer
        fields: dict[str, np.ndarray] = {
            "colour": np.array(COLOUR_OF, np.uint8),
            "filters": filters.astype(np.int16, order="C"),
            "inverse": inverse.astype(np.uint32),
            "weight": centre_weight(GRID).astype(np.uint32),
            "limit": (1 << plane_counts.astype(np.uint32)) - 1,
        }
        self._model = ffi.new("struct pnc_analysis_model *")
        self._model.channels, self._model.side, self._model.bits = CHANNELS, GRID, FIXED_BITS
        self._buffers = {key: ffi.from_buffer(f"{array.dtype}_t[]", array) for key, array in fields.items()}
        for key, buffer in self._buffers.items():
            setattr(self._model, key, buffer)

    def __call__(self, pixels: np.ndarray) -> Analysed:
        """Transform pixels uint8 [224, 224, 3] to coefficients and the picture colour."""
        if pixels.shape != (SIDE, SIDE, 3) or pixels.dtype != np.uint8:
            raise ValueError(f"pixels are uint8 {[SIDE, SIDE, 3]}, not {pixels.dtype} {list(pixels.shape)}")
        out = np.empty((CHANNELS, GRID, GRID), np.int8)
        colour = bytearray(MEANS)
        from_buffer = self._from_buffer
        self._lib.pnc_analysis_run(
            self._model,
            from_buffer("uint8_t[]", np.ascontiguousarray(pixels)),
            from_buffer("int8_t[]", out, require_writable=True),
            from_buffer("uint8_t[]", colour, require_writable=True),
        )
        return Analysed(out, bytes(colour))
