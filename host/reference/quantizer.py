"""The published quantizers: activations to uint8, uint8 to 6 bits, and back.

The 6-bit quantizer has an oddity, kept because the published bitstream has it. Its 64 limits divide 0..256 into 63
intervals: symbol i > 0 is for values above (i - 1) * 256 / 63 and up to i * 256 / 63, symbol 0 for the value 0 alone.
But symbol i is dequantized to i / 64 * 256 = 4 i: near the upper end of its interval for small i (up to 3 too much),
near the lower end for large i (up to 3 too little).
"""

from __future__ import annotations

import numpy as np

SYMBOLS = 64
#: The step of the uint8 activations in the published encoder and receiver; their zero point is 0.
PUBLISHED_SCALE = 0.0212536808103323

_LIMITS = np.linspace(0, 256, SYMBOLS)
# Symbol i is for values above limit i - 1 and up to limit i.
_SYMBOL_OF = np.searchsorted(_LIMITS, np.arange(256), side="left").astype(np.uint8)


def to_activations(latent: np.ndarray, scale: float) -> np.ndarray:
    """Quantize a latent >= 0 to uint8 as TFLite does: to the nearest step, halves up, clipped at 255."""
    steps = np.floor(latent.astype(np.float64) / scale + 0.5)
    return np.clip(steps, 0, 255).astype(np.uint8)


def to_symbols(activations: np.ndarray) -> np.ndarray:
    """Quantize uint8 activations to symbols 0..63, uint8."""
    return np.asarray(_SYMBOL_OF[activations])


def to_latent(symbols: np.ndarray, scale: float) -> np.ndarray:
    """Dequantize symbols to the decoder's latent, float32."""
    return np.asarray(symbols / SYMBOLS * 256 * scale, np.float32)
