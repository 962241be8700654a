"""Constants that encoder, entropy coder, decoder and training share."""

from __future__ import annotations

import numpy as np

#: Side of the pictures that the codec takes and gives, in pixels.
SIDE = 224
#: Side of a cell in pixels; each channel has one coefficient a cell.
CELL = 8
#: Cells on a side.
GRID = SIDE // CELL
#: Bit-planes of a coefficient: magnitudes are below 2^PLANES.
PLANES = 7
#: The first channels are the means of luma, blue and red difference.
MEANS = 3
#: Luma channels; each colour difference has four more.
LUMA_CHANNELS = 44
#: Subtracted from luma, so that it is centred on zero like the colour differences.
LUMA_MIDDLE = 127
#: The picture colour of a stream that does not say it: luma in the middle, no colour. One byte each.
NO_COLOUR = bytes([LUMA_MIDDLE] * MEANS)
#: Weights of red, green and blue in luma, blue and red difference (ITU-R BT.601), in 1/256.
COLOURS = ((77, 150, 29), (-43, -85, 128), (128, -107, -21))


def _frequencies() -> list[tuple[int, int, int]]:
    waves = [(u, v) for u in range(CELL) for v in range(CELL)]
    luma = [(0, u, v) for u, v in sorted(waves, key=lambda f: np.hypot(*f))[:LUMA_CHANNELS]]
    chroma = [(c, u, v) for c in (1, 2) for u, v in ((0, 0), (0, 1), (1, 0), (1, 1))]
    return sorted(luma + chroma, key=lambda f: np.hypot(f[1], f[2]) + (0.9 if f[0] else 0.0))


#: Each channel's cosine: colour plane (0 luma, 1 blue, 2 red difference), vertical and horizontal frequency.
FREQUENCIES = _frequencies()
#: Bit-planes below the steps that the decoder was designed for. They refine pictures that have bytes left.
FINER = np.array([1, 1, 0] + [2] * (len(FREQUENCIES) - MEANS))
FINER[FREQUENCIES.index((0, 1, 0))] = 1  # the only other channel that has six planes above
#: Each channel's colour plane.
COLOUR_OF = tuple(colour for colour, _, _ in FREQUENCIES)
#: 784 positions x 64 taps x 52 channels, and 9 for the colours of each pixel: 3.06 million multiply-adds a picture.
CHANNELS = len(FREQUENCIES)


def centre_weight(side: int) -> np.ndarray:
    """Return the factor on the resolution of the quantizer by position, int64 [side, side], in 1/256.

    It is highest in the centre of the picture.
    """
    at = (np.arange(side) + 0.5) / side * 2 - 1
    distance = at[:, None] ** 2 + at[None] ** 2
    weight: np.ndarray = np.round(256 * np.maximum(0.75, 1.2 - 0.35 * distance)).astype(np.int64)
    return weight
