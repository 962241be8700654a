"""Contexts of symbols as arrays, on which the coder's weights are fitted. Mirrors ``native/planes_context.c``."""

from __future__ import annotations

import numpy as np

from ..codec.entropy import LEADS, NEAR, context_size

#: Neighbours in the same channel: W, NW, N, NE (as of this pass), then E, SW, S, SE (as before it).
NEIGHBOURS = ((0, -1), (-1, -1), (-1, 0), (-1, 1), (0, 1), (1, -1), (1, 0), (1, 1))
#: Neighbours in the leading channels: W, E, N, S.
SIDES = ((0, -1), (0, 1), (-1, 0), (1, 0))


def reconstruct(coefficients: np.ndarray, missing: int) -> np.ndarray:
    """Return the partial reconstruction of coefficients whose lowest ``missing`` planes are missing, int16.

    A value is four times the middle of the coefficient's interval, 0 while it is zero.
    """
    size = np.abs(coefficients.astype(np.int16)) >> missing
    middle = np.where(size > 0, (4 * size + 2) << missing, 0)
    return np.where(coefficients < 0, -middle, middle).astype(np.int16)


def shifted(values: np.ndarray, down: int, right: int) -> np.ndarray:
    """Return the neighbour so many steps down and right of each position of [..., k, k]; zero outside."""
    side = values.shape[-1]
    padded = np.pad(values, [(0, 0)] * (values.ndim - 2) + [(1, 1), (1, 1)])
    return padded[..., 1 + down : 1 + down + side, 1 + right : 1 + right + side]


class PartialPictures:
    """Partial reconstructions of many pictures, refined pass by pass."""

    def __init__(self, coefficients: np.ndarray) -> None:
        """Begin before the first pass, with coefficients int8 [n, C, k, k]."""
        self._all = coefficients
        self._partial = np.zeros(coefficients.shape, np.int16)

    def contexts(self, channel: int, plane: int) -> np.ndarray:
        """Return the context inputs of all symbols of the next pass, int16 [inputs, n, k, k]."""
        before, after = self._partial[:, channel], reconstruct(self._all[:, channel], plane)
        rows = [shifted(after if i < 4 else before, *step) for i, step in enumerate(NEIGHBOURS)]
        for other in range(self._all.shape[1]):
            rows.append(self._partial[:, other] if other != channel else np.zeros_like(before))
        for lead in range(LEADS):
            values = self._partial[:, lead] if lead != channel else np.zeros_like(before)
            rows += [shifted(values, *step) for step in SIDES]
        assert len(rows) == context_size(self._all.shape[1]) >= NEAR
        return np.stack(rows)

    def reconstruction(self, channel: int) -> np.ndarray:
        """Return the partial reconstruction of a channel, int16 [n, k, k]."""
        return self._partial[:, channel]

    def receive(self, missing: np.ndarray) -> None:
        """Apply all passes that leave so many ``missing`` planes of each channel, [C]."""
        for channel, planes in enumerate(missing):
            self.refine(channel, int(planes))

    def refine(self, channel: int, plane: int) -> None:
        """Apply a pass."""
        self._partial[:, channel] = reconstruct(self._all[:, channel], plane)
