"""The surroundings of symbols as arrays: what the coder's weights are fitted on. Mirrors ``planes_sums.c``."""

from __future__ import annotations

import numpy as np

from ..codec.entropy import LEADS, NEAR, inputs

#: Neighbours in the channel itself: W, NW, N, NE (of the piece itself), then E, SW, S, SE (of what was known before).
NEIGHBOURS = ((0, -1), (-1, -1), (-1, 0), (-1, 1), (0, 1), (1, -1), (1, 0), (1, 1))
#: Where other channels are seen from: W, E, N, S.
SIDES = ((0, -1), (0, 1), (-1, 0), (1, 0))


def values_at(coefficients: np.ndarray, level: int) -> np.ndarray:
    """Four times the middle of what is known of coefficients when planes from ``level`` up are, int16."""
    size = np.abs(coefficients.astype(np.int16)) >> level
    middle = np.where(size > 0, (4 * size + 2) << level, 0)
    return np.where(coefficients < 0, -middle, middle).astype(np.int16)


def shifted(values: np.ndarray, down: int, right: int) -> np.ndarray:
    """The neighbour that many steps down and right of each place of [..., k, k]; zero outside."""
    side = values.shape[-1]
    padded = np.pad(values, [(0, 0)] * (values.ndim - 2) + [(1, 1), (1, 1)])
    return padded[..., 1 + down : 1 + down + side, 1 + right : 1 + right + side]


class Walk:
    """What is known of many pictures' coefficients, piece by piece."""

    def __init__(self, coefficients: np.ndarray) -> None:
        """int8 [n, C, k, k]"""
        self._all = coefficients
        self._known = np.zeros(coefficients.shape, np.int16)

    def surroundings(self, channel: int, plane: int) -> np.ndarray:
        """Inputs of the symbols of a piece before it is walked, int16 [inputs, n, k, k]."""
        before, after = self._known[:, channel], values_at(self._all[:, channel], plane)
        rows = [shifted(after if i < 4 else before, *step) for i, step in enumerate(NEIGHBOURS)]
        for other in range(self._all.shape[1]):
            rows.append(self._known[:, other] if other != channel else np.zeros_like(before))
        for lead in range(LEADS):
            seen = self._known[:, lead] if lead != channel else np.zeros_like(before)
            rows += [shifted(seen, *step) for step in SIDES]
        assert len(rows) == inputs(self._all.shape[1]) >= NEAR
        return np.stack(rows)

    def before(self, channel: int) -> np.ndarray:
        """What is known of a channel, int16 [n, k, k]."""
        return self._known[:, channel]

    def take(self, channel: int, plane: int) -> None:
        """Walk a piece."""
        self._known[:, channel] = values_at(self._all[:, channel], plane)
