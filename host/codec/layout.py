"""What encoder, coder, decoder and training of the plane codec must agree on."""

from __future__ import annotations

import numpy as np

SIDE = 224
CELL = 8
GRID = SIDE // CELL
#: Bit-planes of a coefficient: magnitudes are below 2^PLANES.
PLANES = 7
#: Channels that see luma; of each colour difference there are four.
LUMA_CHANNELS = 44
#: What is taken off luma, so that it lies around zero as the differences do.
LUMA_MIDDLE = 127
#: Shares of red, green and blue in luma, blue and red difference (ITU-R BT.601), in 1/256.
COLOURS = ((77, 150, 29), (-43, -85, 128), (128, -107, -21))


def _frequencies() -> list[tuple[int, int, int]]:
    waves = [(u, v) for u in range(CELL) for v in range(CELL)]
    luma = [(0, u, v) for u, v in sorted(waves, key=lambda f: np.hypot(*f))[:LUMA_CHANNELS]]
    chroma = [(c, u, v) for c in (1, 2) for u, v in ((0, 0), (0, 1), (1, 0), (1, 1))]
    return sorted(luma + chroma, key=lambda f: np.hypot(f[1], f[2]) + (0.9 if f[0] else 0.0))


#: The cosine that each channel is: colour (0 luma, 1 blue, 2 red difference), frequency down, right.
FREQUENCIES = _frequencies()
#: The colour that each channel sees.
COLOUR_OF = tuple(colour for colour, _, _ in FREQUENCIES)
#: 784 positions x 64 taps x 52 channels, and 9 for the colours of each pixel: 3.06 million multiply-adds a picture.
CHANNELS = len(FREQUENCIES)


def centre_weight(side: int) -> np.ndarray:
    """How much finer than usual the middle of the picture is quantized, int64 [side, side], in 1/256."""
    at = (np.arange(side) + 0.5) / side * 2 - 1
    distance = at[:, None] ** 2 + at[None] ** 2
    weight: np.ndarray = np.round(256 * np.maximum(0.75, 1.2 - 0.35 * distance)).astype(np.int64)
    return weight
