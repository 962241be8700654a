"""Finds the step of the activations and the Huffman tables for networks that were trained here."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch

from ..codec.errors import CodecError
from .huffman import HuffmanTable
from .model import CHANNELS, Decoder, Encoder
from .model_file import ReferenceModel
from .quantizer import SYMBOLS, to_activations, to_symbols


def fit_model(encoder: Encoder, decoder: Decoder, pictures: Iterable[np.ndarray]) -> ReferenceModel:
    """Return the whole codec, fitted on uint8 pictures [224, 224, 3].

    The largest activation over all pictures becomes 255, as in TFLite's calibration. The tables fit the pictures'
    symbols. Raises CodecError without a picture, or if the encoder's output is all zeros.
    """
    latents = []
    with torch.inference_mode():
        for picture in pictures:
            pixels = torch.from_numpy(picture.transpose(2, 0, 1).astype(np.float32) / np.float32(255))
            latents.append(encoder(pixels[np.newaxis])[0].numpy())
    scale = max((float(latent.max()) for latent in latents), default=0.0) / 255
    if not scale > 0:
        raise CodecError(
            "no step of the activations can be found: no pictures, or an encoder whose output is all zeros"
        )
    counts = np.zeros((CHANNELS, SYMBOLS), np.int64)
    for latent in latents:
        symbols = to_symbols(to_activations(latent, scale))
        counts += np.stack([np.bincount(channel.reshape(-1), minlength=SYMBOLS) for channel in symbols])
    return ReferenceModel(encoder, decoder, [HuffmanTable.fit(channel) for channel in counts], scale)
