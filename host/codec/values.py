"""Inputs of the decoder's network."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .bitstream import PartialSymbols
from .errors import CodecError
from .layout import CHANNELS, FINER, GRID, LUMA_MIDDLE, MEANS, PLANES, centre_weight


class DecoderInputs:
    """Converts partially received coefficients to the network's inputs ``values`` and ``levels``."""

    def __init__(self, arrays: dict[str, np.ndarray]) -> None:
        """Build the conversion from ``offset`` [planes, 2], ``amplitude`` [C], ``level`` [means], ``least_level`` [].

        ``offset`` is the position of a value inside its interval; ``amplitude`` is the finest step and ``level`` a
        level of a mean, both in the network's units. ``least_level`` is the fewest missing planes, counted from the
        first one above ``FINER``, that the network was trained with. Raises CodecError if one is missing or of another
        shape.
        """
        try:
            offset, amplitude, level = (arrays[key].astype(np.float32) for key in ("offset", "amplitude", "level"))
            self._least_level = float(arrays["least_level"])
        except KeyError as error:
            raise CodecError(f"the decoder's weights lack {error}") from None
        except TypeError:
            raise CodecError("the decoder's weights are of another network") from None
        if offset.shape != (PLANES, 2) or amplitude.shape != (CHANNELS,) or level.shape != (MEANS,):
            raise CodecError("the decoder's weights are of another network")
        # The last row is for coefficients without any plane, whose value is 0 anyway.
        self._offset = np.concatenate([offset, np.zeros((1, 2), np.float32)])
        self._level = level
        weight = (centre_weight(GRID) / 256).astype(np.float32)
        self._amplitude = amplitude[:, None, None] / weight
        self._finer = np.log2(weight)

    def __call__(self, pictures: Sequence[PartialSymbols]) -> dict[str, np.ndarray]:
        """Return both inputs, float32 [n, C, k, k].

        ``levels`` is the logarithm of the step: the number of missing planes above ``FINER``, less in the centre.
        """
        reconstruction = np.stack([p.reconstruction for p in pictures])
        missing = np.stack([p.missing for p in pictures])
        step = np.exp2(missing.astype(np.float32))
        # ``reconstruction`` is four times the middle of [least, least + step).
        least = np.maximum(np.abs(reconstruction.astype(np.float32)) / 4 - step / 2, 0)
        above = missing.astype(np.int64) - FINER[:, None, None]
        row = np.maximum(above, 0)
        levels = np.maximum(above, self._least_level) - self._finer
        offset = np.where(least > step, self._offset[row, 1], self._offset[row, 0])
        values = np.sign(reconstruction) * (least + offset * step) * self._amplitude
        colour = np.array([list(p.colour) for p in pictures], np.float32) - LUMA_MIDDLE
        values[:, :MEANS] += (colour * self._level)[:, :, None, None]
        return {"values": values.astype(np.float32), "levels": levels.astype(np.float32)}
