"""The classifier that ships as a network that learns, so that it can go on from there."""

from __future__ import annotations

from pathlib import Path

import torch

from ..onnx_filters import layers_of
from ..photos import TrainingError
from .network import LiteNetwork, NormedConv
from .samples import starting_network

#: The file's first layer takes pixels x - 127, the network's (x - 127) / 128.
_PIXEL_SCALE = 128.0


@torch.no_grad()
def shipped_network(name: str, file: Path) -> LiteNetwork:
    """Return the network ``name`` with the weights of ``file``, in which the normalizations are folded.

    Raises TrainingError if the file is of another network.
    """
    network = starting_network(name)
    convolutions = [part for part in network.modules() if isinstance(part, NormedConv)]
    *layers, (matrix, offset) = layers_of(file)
    shapes = [convolution.weight.shape for convolution in convolutions]
    if [weight.shape for weight, _ in layers] != shapes or matrix.shape != network.last.weight.shape:
        raise TrainingError(f"{file}: not a network like {name}")
    for convolution, (weight, bias) in zip(convolutions, layers, strict=True):
        factor = convolution.gain * convolution.scale
        scale = _PIXEL_SCALE if convolution is network.stem else 1.0
        convolution.weight.copy_(weight * scale / factor.view(-1, 1, 1, 1))
        convolution.bias.copy_(bias + convolution.mean * factor)
    network.last.weight.copy_(matrix)
    network.last.bias.copy_(offset)
    return network
