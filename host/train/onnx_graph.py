"""Builds ONNX graphs node by node."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from ..codec.onnx_model import model_of
from ..codec.weights import Kind


class Graph:
    """An ONNX graph under construction. Methods add nodes and return the name of their output."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, values: np.ndarray | float) -> str:
        """Add a float32 constant."""
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.array(values, dtype=np.float32, order="C"), name))
        return name

    def add(self, kind: str, *inputs: str, output: str | None = None, **attributes: Any) -> str:
        """Add a node of the ONNX operator ``kind``."""
        out = output or f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [out], **attributes))
        return out

    def conv(self, conv: nn.Conv2d, x: str) -> str:
        """Add a 3x3 convolution with padding 'same'."""
        assert conv.bias is not None
        w, b = self.constant(conv.weight.detach().numpy()), self.constant(conv.bias.detach().numpy())
        return self.add("Conv", x, w, b, kernel_shape=[3, 3], pads=[1] * 4, dilations=[1, 1])

    def halves(self, x: str) -> tuple[str, str]:
        """Split the channels in two halves."""
        first, second = (f"{x}_{half}" for half in ("first", "second"))
        self.nodes.append(helper.make_node("Split", [x], [first, second], axis=1))
        return first, second

    def pixels(self, planes: str) -> None:
        """End the graph: convert ``planes`` [n, 3, h, w], (x - 127) / 128, to ``pixels`` uint8 [n, h, w, 3]."""
        scaled = self.add("Add", self.add("Mul", planes, self.constant(128)), self.constant(127))
        limited = self.add("Clip", self.add("Round", scaled), self.constant(0), self.constant(255))
        self.add("Transpose", self.add("Cast", limited, to=TensorProto.UINT8), output="pixels", perm=[0, 2, 3, 1])

    def model(self, kind: Kind, inputs: Sequence[str], shape: tuple[int, ...], side: int) -> onnx.ModelProto:
        """Return the checked model: ``inputs`` float [n, *shape] to ``pixels`` uint8 [n, side, side, 3]."""

        def tensor(name: str, kind: int, shape: Sequence[int]) -> onnx.ValueInfoProto:
            return helper.make_tensor_value_info(name, kind, ["n", *shape])

        graph = helper.make_graph(
            self.nodes,
            kind.name,
            [tensor(name, TensorProto.FLOAT, shape) for name in inputs],
            [tensor("pixels", TensorProto.UINT8, [side, side, 3])],
            self.constants,
        )
        return model_of(graph, kind)
