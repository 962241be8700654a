"""Reads the weights of the ONNX networks that this project writes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from .photos import TrainingError

#: What onnxruntime's quantizer appends to the name of a constant.
_QUANTIZED = "_DequantizeLinear_Output"


def tensors_of(path: Path) -> dict[str, Tensor]:
    """Read a network's constants by name, float32; 8-bit and half-precision ones are widened.

    Raises TrainingError if the file cannot be read.
    """
    return {name.removesuffix(_QUANTIZED): _float(values) for name, values in _constants(_graph(path)).items()}


def layers_of(path: Path) -> list[tuple[Tensor, Tensor]]:
    """Read weight and bias of each convolution and matrix product of a network, in order, float32.

    Raises TrainingError if the file cannot be read.
    """
    graph = _graph(path)
    constants = _constants(graph)
    layers = [node.input[1:] for node in graph.node if node.op_type in ("Conv", "Gemm")]
    return [(_float(constants[weight]), _float(constants[bias])) for weight, bias in layers]


@torch.no_grad()
def fill(layer: nn.Conv2d | nn.Linear, weight: Tensor, bias: Tensor) -> None:
    """Give a layer its weights."""
    layer.weight.copy_(weight.view_as(layer.weight))
    assert layer.bias is not None
    layer.bias.copy_(bias)


def _graph(path: Path) -> onnx.GraphProto:
    try:
        graph = onnx.load(path).graph
    except Exception as error:  # protobuf's errors have no common base class
        raise TrainingError(f"{path}: not a readable network ({type(error).__name__})") from error
    if not graph.node:
        raise TrainingError(f"{path}: not a readable network (it is empty)")
    return graph


def _constants(graph: onnx.GraphProto) -> dict[str, np.ndarray]:
    """Return constants, and what nodes make of them before the network's inputs are known."""
    found = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
    for node in graph.node:
        if not node.input or node.input[0] not in found:
            continue
        if node.op_type == "Cast":
            found[node.output[0]] = found[node.input[0]]
        elif node.op_type == "DequantizeLinear":  # a scale for each output of the layer; no offset
            values, scale = (found[name] for name in node.input[:2])
            found[node.output[0]] = values * scale.reshape(-1, *[1] * (values.ndim - 1))
    return found


def _float(values: np.ndarray) -> Tensor:
    return torch.from_numpy(np.array(values, np.float32))
