"""What is known of coefficients, as the decoder's network takes it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .errors import CodecError
from .bitstream import Collected
from .layout import CHANNELS, GRID, PLANES, centre_weight


class PlaneValues:
    """Brings what arrived to the network's inputs ``values`` and ``levels``."""

    def __init__(self, arrays: dict[str, np.ndarray]) -> None:
        """Takes ``offset`` [planes, 2] (where in its interval a value is taken to be) and ``amplitude`` [C].

        ``amplitude`` is a finest step as the network takes it. Raises CodecError when one is missing.
        """
        try:
            offset, amplitude = arrays["offset"].astype(np.float32), arrays["amplitude"].astype(np.float32)
        except KeyError as error:
            raise CodecError(f"the decoder's weights lack {error}") from None
        if offset.shape != (PLANES, 2) or amplitude.shape != (CHANNELS,):
            raise CodecError("the decoder's weights are of another network")
        # The last row is for nothing known, whose value is 0 anyway.
        self._offset = np.concatenate([offset, np.zeros((1, 2), np.float32)])
        weight = (centre_weight(GRID) / 256).astype(np.float32)
        self._amplitude = amplitude[:, None, None] / weight
        self._finer = np.log2(weight)

    def __call__(self, found: Sequence[Collected]) -> dict[str, np.ndarray]:
        """Both inputs, float32 [n, C, k, k]."""
        known, levels = np.stack([f.known for f in found]), np.stack([f.levels for f in found])
        step = np.exp2(levels.astype(np.float32))
        # ``known`` is four times the middle of [least, least + step).
        least = np.maximum(np.abs(known.astype(np.float32)) / 4 - step / 2, 0)
        offset = np.where(least > step, self._offset[levels, 1], self._offset[levels, 0])
        values = np.sign(known) * (least + offset * step) * self._amplitude
        return {"values": values.astype(np.float32), "levels": (levels - self._finer).astype(np.float32)}
