"""Corrects decoded pictures so that they agree with all coefficients that were received."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .analysis import FIXED_BITS
from .bitstream import PartialSymbols
from .layout import CELL, CHANNELS, COLOUR_OF, COLOURS, FINER, GRID, LUMA_MIDDLE, MEANS, SIDE, centre_weight

#: Coefficients keep this part of half their interval clear of its ends. A network's coefficient that lies outside is
#: moved just inside, which is nearer to most true ones than the end itself.
MARGIN = 0.3
#: The same for the mean of a cell that is known to be flat: its mean is hardly ever near an end.
FLAT_MARGIN = 0.75
#: Intervals of more missing planes above the finer ones are left alone: there a network's picture is better for a
#: classifier and has fewer visible cells, though its error is larger.
MOST_MISSING = 1
#: Variance of luma in a cell of a photo that no colour goes along with.
GREY_VARIANCE = 30.0
#: Red, green and blue to luma and colour differences, and back.
TO_PLANES = (np.array(COLOURS) / 256).astype(np.float32)
TO_PIXELS = np.linalg.inv(TO_PLANES.astype(np.float64)).astype(np.float32)


class IntervalProjection:
    """Moves each coefficient of a decoded picture into the interval that the received bit-planes leave for it.

    Coefficients of which more than ``MOST_MISSING`` planes above the finer ones are missing stay as they are.

    This is a projection onto a convex set that holds the true picture (D. C. Youla and H. Webb, 1982), so it brings the
    decoded picture nearer to it. A cell whose coefficients are all received and zero, but for the means, becomes flat.
    The detail that luma gains where colour has no coefficient is given colour as well, by the cell's own colours.
    """

    def __init__(self, arrays: dict[str, np.ndarray]) -> None:
        """Build the projection from the encoder's ``filters`` and ``inverse_step``, which ``Analysis`` checked."""
        filters = arrays["filters"].reshape(CHANNELS, -1).astype(np.float64)
        norm = np.sqrt((filters**2).sum(1))
        unit = (filters / norm[:, None]).astype(np.float32)
        per_sum = arrays["inverse_step"][:, None].astype(np.float64) * centre_weight(GRID).reshape(-1) / 2**FIXED_BITS
        #: Step of the finest plane in units of a filter of unit norm, [784, C].
        self._step = (1 / (per_sum * norm[:, None])).T.astype(np.float32)
        of = np.array(COLOUR_OF)
        self._channels = [np.flatnonzero(of == colour) for colour in range(MEANS)]
        self._filters = [unit[channels] for channels in self._channels]
        #: Cosines of which colour differences have a coefficient, too: [4, 64].
        self._shared = self._filters[1]

    def __call__(self, pixels: np.ndarray, pictures: Sequence[PartialSymbols]) -> np.ndarray:
        """Correct decoded pictures uint8 [n, 224, 224, 3], of each of which the partial coefficients are given."""
        return np.stack([self._corrected(*pair) for pair in zip(pixels, pictures, strict=True)])

    def _corrected(self, pixels: np.ndarray, picture: PartialSymbols) -> np.ndarray:
        flat = ~(picture.missing.any(0) | picture.reconstruction[MEANS:].any(0)).reshape(-1)
        least, most = self._intervals(picture, flat)
        shown = _cells(pixels)
        cells = (TO_PLANES @ shown.reshape(MEANS, -1)).reshape(shown.shape)
        cells[0] -= LUMA_MIDDLE
        directions = _directions(cells)
        for plane, channels, filters in zip(cells, self._channels, self._filters, strict=True):
            found = plane @ filters.T
            kept = np.clip(found, least[:, channels], most[:, channels])
            flatter = kept[flat, :1] / CELL - plane[flat]
            np.matmul(kept - found, filters, out=plane)
            plane[flat] = flatter
        # What luma alone says of a cell, colour follows.
        detail = cells[0] - cells[0] @ self._shared.T @ self._shared
        detail[flat] = 0
        cells[1:] += directions.T[:, :, None] * detail
        shown += (TO_PIXELS @ cells.reshape(MEANS, -1)).reshape(shown.shape)
        return _picture(np.clip(np.rint(shown, out=shown), 0, 255, out=shown).astype(np.uint8))

    def _intervals(self, picture: PartialSymbols, flat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the ends between which each coefficient is kept, [784, C] each, in units of a filter of unit norm."""
        middle = picture.reconstruction.reshape(CHANNELS, -1).T.astype(np.float32) / 4 * self._step
        missing = picture.missing.reshape(CHANNELS, -1).T
        reach = np.exp2(missing.astype(np.float32)) * self._step * (1 - MARGIN)
        reach[picture.reconstruction.reshape(CHANNELS, -1).T != 0] /= 2
        reach[(missing >= picture.plane_counts) | (missing > FINER + MOST_MISSING)] = np.inf
        reach[flat, :MEANS] *= (1 - FLAT_MARGIN) / (1 - MARGIN)
        limited = _limited(picture).reshape(CHANNELS, -1).T
        below, above = np.where(limited < 0, np.inf, reach), np.where(limited > 0, np.inf, reach)
        middle[:, :MEANS] += (np.array(list(picture.colour), np.float32) - LUMA_MIDDLE) * CELL
        return middle - below, middle + above


def _directions(cells: np.ndarray) -> np.ndarray:
    """Return how much blue and red difference change with luma in each cell [3, 784, 64]: float32 [784, 2].

    At the edge between two colours both change together, so the detail of luma says where the colour changes.
    """
    means = cells.mean(axis=2)
    together = (cells[:1] * cells).mean(axis=2) - means[:1] * means
    return np.asarray((together[1:] / (together[0] + GREY_VARIANCE)).T, np.float32)


def _limited(picture: PartialSymbols) -> np.ndarray:
    """Return the sign of coefficients whose known bits are all ones, 0 for others: they may be limited to these bits.

    int8 [c, k, k]. Nothing says how far beyond their interval such coefficients lie.
    """
    largest = (4 << picture.plane_counts.astype(np.int32))[:, None, None] - (2 << picture.missing.astype(np.int32))
    signs = np.sign(picture.reconstruction).astype(np.int8)
    return np.where(np.abs(picture.reconstruction) == largest, signs, np.int8(0))


def _cells(pixels: np.ndarray) -> np.ndarray:
    """Split a picture [224, 224, 3] into cells, float32 [3, 784, 64]."""
    split = pixels.reshape(GRID, CELL, GRID, CELL, MEANS).transpose(4, 0, 2, 1, 3)
    return np.ascontiguousarray(split).reshape(MEANS, GRID * GRID, CELL * CELL).astype(np.float32)


def _picture(cells: np.ndarray) -> np.ndarray:
    """Join cells [3, 784, 64] to a picture [224, 224, 3]."""
    joined = cells.reshape(MEANS, GRID, GRID, CELL, CELL).transpose(1, 3, 2, 4, 0)
    return np.ascontiguousarray(joined).reshape(SIDE, SIDE, MEANS)
