"""Inputs of the decoder's network."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .bitstream import PartialSymbols
from .errors import CodecError
from .layout import CHANNELS, GRID, PLANES, centre_weight


class DecoderInputs:
    """Converts partially received coefficients to the network's inputs ``values`` and ``levels``."""

    def __init__(self, arrays: dict[str, np.ndarray]) -> None:
        """Build the conversion from ``offset`` [planes, 2] and ``amplitude`` [C].

        ``offset`` is the position of a value inside its interval; ``amplitude`` is the finest step in the network's
        units. Raises CodecError if one is missing or of another shape.
        """
        try:
            offset, amplitude = arrays["offset"].astype(np.float32), arrays["amplitude"].astype(np.float32)
        except KeyError as error:
            raise CodecError(f"the decoder's weights lack {error}") from None
        if offset.shape != (PLANES, 2) or amplitude.shape != (CHANNELS,):
            raise CodecError("the decoder's weights are of another network")
        # The last row is for coefficients without any plane, whose value is 0 anyway.
        self._offset = np.concatenate([offset, np.zeros((1, 2), np.float32)])
        weight = (centre_weight(GRID) / 256).astype(np.float32)
        self._amplitude = amplitude[:, None, None] / weight
        self._finer = np.log2(weight)

    def __call__(self, pictures: Sequence[PartialSymbols]) -> dict[str, np.ndarray]:
        """Return both inputs, float32 [n, C, k, k]. ``levels`` is the number of missing planes, less in the centre."""
        reconstruction = np.stack([p.reconstruction for p in pictures])
        missing = np.stack([p.missing for p in pictures])
        step = np.exp2(missing.astype(np.float32))
        # ``reconstruction`` is four times the middle of [least, least + step).
        least = np.maximum(np.abs(reconstruction.astype(np.float32)) / 4 - step / 2, 0)
        offset = np.where(least > step, self._offset[missing, 1], self._offset[missing, 0])
        values = np.sign(reconstruction) * (least + offset * step) * self._amplitude
        return {"values": values.astype(np.float32), "levels": (missing - self._finer).astype(np.float32)}
