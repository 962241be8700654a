"""The published codec, end to end: a picture to ten byte strings, one for each channel, and back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from ..codec import SIDE
from ..codec.errors import CodecError
from .model import CHANNELS, GRID, Encoder
from .model_file import ReferenceModel, load_model
from .quantizer import to_activations, to_latent, to_symbols
from .tflite import TfliteEncoder

#: A channel's bytes; None if it did not arrive.
Channel = bytes | None


class ActivationEncoder(Protocol):
    """An encoder, in float or as TFLite; ``scale`` is the step of its activations."""

    scale: float

    def activations(self, picture: np.ndarray) -> np.ndarray:
        """Map uint8 [224, 224, 3] RGB to uint8 [10, 32, 32]."""
        ...


class FloatEncoder:
    """The network in float; its output is quantized to uint8 like the TFLite encoder's."""

    def __init__(self, network: Encoder, scale: float) -> None:
        self._network, self.scale = network.eval(), scale

    def activations(self, picture: np.ndarray) -> np.ndarray:
        """Map uint8 [224, 224, 3] RGB to uint8 [10, 32, 32]."""
        pixels = torch.from_numpy(picture.transpose(2, 0, 1).astype(np.float32) / np.float32(255))
        with torch.inference_mode():
            latent = self._network(pixels[np.newaxis])[0].numpy()
        return to_activations(latent, self.scale)


class ReferenceCodec:
    """PNC as published: encoder, 6-bit symbols, a static Huffman code for each channel, decoder at full resolution."""

    name = "pnc-reference"

    def __init__(self, model: ReferenceModel, encoder: ActivationEncoder | None = None) -> None:
        """Use ``encoder`` instead of the model's own, if given. Raises CodecError if its step is not the model's."""
        self._tables, self._scale = model.tables, model.scale
        self._encoder = encoder or FloatEncoder(model.encoder, model.scale)
        if not np.isclose(self._encoder.scale, model.scale, rtol=1e-6):
            raise CodecError(
                f"the encoder's activations have a step of {self._encoder.scale:.6g}, the model's {model.scale:.6g}: "
                "they do not belong together"
            )
        # A third faster on a CPU than channel by channel.
        self._decoder = model.decoder.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @classmethod
    def load(cls, path: Path, tflite: Path | None = None) -> ReferenceCodec:
        """Load a file that ``host.reference import`` wrote. Raises CodecError.

        ``tflite``: a uint8 TFLite file that encodes instead of the float network.
        """
        return cls(load_model(path), TfliteEncoder(tflite) if tflite else None)

    def symbols(self, picture: np.ndarray) -> np.ndarray:
        """Map uint8 [224, 224, 3] RGB to symbols, uint8 [10, 32, 32]."""
        if picture.shape != (SIDE, SIDE, 3) or picture.dtype != np.uint8:
            raise ValueError(f"a picture is uint8 [{SIDE}, {SIDE}, 3], not {picture.dtype} {list(picture.shape)}")
        return to_symbols(self._encoder.activations(picture))

    def encode(self, picture: np.ndarray) -> list[bytes]:
        """Encode uint8 [224, 224, 3] RGB (see ``load_picture``) to the bytes of each channel, most important first."""
        return [table.encode(channel) for table, channel in zip(self._tables, self.symbols(picture), strict=True)]

    def latent(self, channels: Sequence[Channel]) -> tuple[np.ndarray, list[str]]:
        """Return the decoder's input, float32 [10, 32, 32], and a text for each channel that was not used.

        As in the published receiver a channel is used only if it is whole; otherwise it is zero, as if it had not
        arrived. A list of fewer channels is a prefix.
        """
        if len(channels) > CHANNELS:
            raise ValueError(f"{len(channels)} channels instead of {CHANNELS}")
        latent, faults = np.zeros((CHANNELS, GRID, GRID), np.float32), []
        for place, data in enumerate(channels):
            if data is None:
                continue
            symbols = self._tables[place].decode(data, GRID * GRID)
            if len(symbols) == GRID * GRID and self._tables[place].encode(symbols) == data:
                latent[place] = to_latent(symbols, self._scale).reshape(GRID, GRID)
            else:
                faults.append(f"channel {place}: {len(symbols)} of {GRID * GRID} symbols; damaged or not whole")
        return latent, faults

    def decode(self, channels: Sequence[Channel]) -> np.ndarray:
        """Decode any channels to uint8 [224, 224, 3] RGB. A damaged channel is left out (see ``latent``)."""
        picture: np.ndarray = self.decode_batch([channels])[0]
        return picture

    def decode_batch(self, pictures: Sequence[Sequence[Channel]]) -> np.ndarray:
        """Decode several pictures at once, to uint8 [n, 224, 224, 3]."""
        latent = torch.from_numpy(np.stack([self.latent(channels)[0] for channels in pictures]))
        with torch.inference_mode():
            pixels = self._decoder(latent.contiguous(memory_format=torch.channels_last))
        return np.ascontiguousarray((pixels * 255).round().to(torch.uint8).permute(0, 2, 3, 1).numpy())
