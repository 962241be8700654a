"""The encoder's network on integers, in C: the same coefficients on every machine."""

from __future__ import annotations

import numpy as np

from .library import library
from .errors import CodecError
from .layout import CELL, CHANNELS, COLOUR_OF, GRID, PLANES, SIDE, centre_weight

#: Inverse steps are fixed point with this many bits after the point; those of ``centre_weight`` are counted in.
FIXED_BITS = 40


class Analysis:
    """Luma and colour differences, an 8x8 convolution of stride 8, then a dead-zone quantizer: towards zero."""

    def __init__(self, arrays: dict[str, np.ndarray]) -> None:
        """Takes ``filters`` int8 [C, 8, 8], ``inverse_step`` int64 [C] and ``top`` uint8 [C].

        Raises CodecError when one is missing or of another shape or size.
        """
        try:
            filters, inverse, top = arrays["filters"], arrays["inverse_step"], arrays["top"]
        except KeyError as error:
            raise CodecError(f"the encoder's weights lack {error}") from None
        sound = (
            filters.shape == (CHANNELS, CELL, CELL)
            and filters.dtype == np.int8
            and inverse.shape == top.shape == (CHANNELS,)
            and inverse.dtype == np.int64
            and top.dtype == np.uint8
            and np.all((inverse > 0) & (inverse < 1 << 30))
            and np.all((top >= 1) & (top <= PLANES))
        )
        if not sound:
            raise CodecError("the encoder's weights are not whole numbers of the expected size")
        module = library()
        ffi, self._lib = module.ffi, module.lib
        self._from_buffer = ffi.from_buffer
        arrays = {
            "colour": np.array(COLOUR_OF, np.uint8),
            "filters": filters.astype(np.int16, order="C"),
            "inverse": inverse.astype(np.uint32),
            "weight": centre_weight(GRID).astype(np.uint32),
            "limit": (1 << top.astype(np.uint32)) - 1,
        }
        self._model = ffi.new("struct pnc_analysis_model *")
        self._model.channels, self._model.side, self._model.bits = CHANNELS, GRID, FIXED_BITS
        self._buffers = {key: ffi.from_buffer(f"{array.dtype}_t[]", array) for key, array in arrays.items()}
        for key, buffer in self._buffers.items():
            setattr(self._model, key, buffer)
        self.top = top

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        """Pixels uint8 [224, 224, 3] -> coefficients int8 [C, 28, 28]."""
        if pixels.shape != (SIDE, SIDE, 3) or pixels.dtype != np.uint8:
            raise ValueError(f"pixels are uint8 {[SIDE, SIDE, 3]}, not {pixels.dtype} {list(pixels.shape)}")
        out = np.empty((CHANNELS, GRID, GRID), np.int8)
        from_buffer = self._from_buffer
        self._lib.pnc_analysis_run(
            self._model,
            from_buffer("uint8_t[]", np.ascontiguousarray(pixels)),
            from_buffer("int8_t[]", out, require_writable=True),
        )
        return out
