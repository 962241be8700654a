"""Converts the published SavedModels to the networks of ``model.py``.

Keras names a model's variables by their order: ``variables/0`` is the first layer's kernel, ``variables/1`` its bias,
and so on, as in the published files; later versions of it write ``layer_with_weights-0/kernel`` and ``.../bias``. Its
kernels are [height, width, in, out], and [height, width, out, in] for a transposed convolution.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import nn

from ..codec.errors import CodecError
from .checkpoint import read_variables
from .model import WIDTH, Decoder, Encoder


def import_encoder(folder: Path) -> Encoder:
    """Return the encoder in a SavedModel. Raises CodecError, in one line, for any other model."""
    encoder = Encoder()
    _fill(folder, "PNC's encoder", [encoder.first, encoder.second])
    return encoder.eval()


def import_decoder(folder: Path, width: int = WIDTH) -> Decoder:
    """Return the decoder in a SavedModel. Raises CodecError, in one line, for any other model."""
    decoder = Decoder(width)
    _fill(folder, "PNC's decoder", [decoder.enter, decoder.first, decoder.second, decoder.third, decoder.leave])
    return decoder.eval()


def _fill(folder: Path, model: str, layers: Sequence[nn.Conv2d | nn.ConvTranspose2d]) -> None:
    """Fill layers from the variables in ``folder``; all of the model's variables must be used."""
    suffix = "/.ATTRIBUTES/VARIABLE_VALUE"
    variables = {name.removesuffix(suffix): array for name, array in read_variables(folder).items()}
    found = [name for name in variables if name.startswith(("variables/", "layer_with_weights-"))]
    if len(found) != 2 * len(layers):
        raise CodecError(f"{folder}: not {model}: {len(found)} variables of layers, {2 * len(layers)} are needed")
    for place, layer in enumerate(layers):
        assert layer.bias is not None
        names = (f"variables/{2 * place}", f"layer_with_weights-{place}/kernel")
        # Both kinds of kernel are transposed in the same way: torch's first axis is Keras's last.
        kernel = _variable(folder, model, variables, names, [layer.weight.shape[axis] for axis in (2, 3, 1, 0)])
        names = (f"variables/{2 * place + 1}", f"layer_with_weights-{place}/bias")
        bias = _variable(folder, model, variables, names, list(layer.bias.shape))
        with torch.no_grad():
            layer.weight.copy_(torch.tensor(kernel).permute(3, 2, 0, 1))
            layer.bias.copy_(torch.tensor(bias))


def _variable(
    folder: Path, model: str, variables: dict[str, np.ndarray], names: tuple[str, str], shape: list[int]
) -> np.ndarray:
    name = next((name for name in names if name in variables), None)
    if name is None:
        raise CodecError(f"{folder}: not {model}: {names[0]} is missing")
    array = variables[name]
    if array.dtype != np.float32 or list(array.shape) != shape:
        raise CodecError(f"{folder}: not {model}: {name} is {array.dtype} {list(array.shape)}, not float32 {shape}")
    if not np.isfinite(array).all():
        raise CodecError(f"{folder}: {name} holds numbers that are not finite")
    return array
