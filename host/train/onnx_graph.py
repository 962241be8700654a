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
    """Collects the nodes and constants of an ONNX graph."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, values: np.ndarray | float) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.array(values, dtype=np.float32, order="C"), name))
        return name

    def add(self, kind: str, *inputs: str, output: str | None = None, **attributes: Any) -> str:
        out = output or f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [out], **attributes))
        return out

    def conv(self, conv: nn.Conv2d, x: str, inputs: list[int] | None = None) -> str:
        """A 3x3 convolution, padding 'same'; ``inputs`` reorders what it takes."""
        weight = conv.weight.detach().numpy()
        if inputs is not None:
            weight = weight[:, inputs]
        assert conv.bias is not None
        d = int(conv.dilation[0])
        w, b = self.constant(weight.astype(np.float32)), self.constant(conv.bias.detach().numpy())
        return self.add("Conv", x, w, b, kernel_shape=[3, 3], pads=[d] * 4, dilations=[d, d])

    def halves(self, x: str) -> tuple[str, str]:
        """Both halves of the channels."""
        first, second = (f"{x}_{half}" for half in ("first", "second"))
        self.nodes.append(helper.make_node("Split", [x], [first, second], axis=1))
        return first, second

    def pixels(self, planes: str) -> None:
        """Ends the graph: ``planes`` [n, 3, h, w], (x - 127) / 128, become ``pixels`` uint8 [n, h, w, 3]."""
        scaled = self.add("Add", self.add("Mul", planes, self.constant(128)), self.constant(127))
        limited = self.add("Clip", self.add("Round", scaled), self.constant(0), self.constant(255))
        self.add("Transpose", self.add("Cast", limited, to=TensorProto.UINT8), output="pixels", perm=[0, 2, 3, 1])

    def model(self, kind: Kind, inputs: Sequence[str], shape: tuple[int, ...], side: int) -> onnx.ModelProto:
        """The graph as a checked model: ``inputs`` float [n, *shape] -> ``pixels`` uint8 [n, side, side, 3]."""

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
