"""Builds ONNX graphs node by node. Needs the onnx package (the extra ``evaluate``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

IR_VERSION = 8
#: The version of ONNX's operators that decoders and encoders are written in.
OPSET = 17


class OnnxGraph:
    """Nodes and constants of a graph that grows. Tensors are known by their names."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, values: np.ndarray, name: str | None = None) -> str:
        """Add a constant tensor and return its name."""
        name = name or f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(values, order="C"), name))
        return name

    def add(self, operator: str, *inputs: str, output: str | None = None, **attributes: Any) -> str:
        """Add a node with one output and return the name of that output, which is also the node's unless it has one."""
        output = output or f"t{len(self.nodes)}"
        attributes = {"name": output} | attributes
        self.nodes.append(helper.make_node(operator, list(inputs), [output], **attributes))
        return output

    def model(
        self,
        name: str,
        inputs: Sequence[onnx.ValueInfoProto],
        outputs: Sequence[onnx.ValueInfoProto],
        *,
        opset: int = OPSET,
        producer: str = "",
        metadata: Mapping[str, str] | None = None,
    ) -> onnx.ModelProto:
        """Return the graph as a model that ONNX's own checker accepts.

        Args:
            name: the name of the graph.
            inputs: the graph's inputs, made by ``tensor``.
            outputs: the graph's outputs, made by ``tensor``; nodes of these names must exist.
            opset: the version of ONNX's operators.
            producer: the name of the program, if it should be in the file.
            metadata: keys and values that are kept in the file.
        """
        graph = helper.make_graph(self.nodes, name, list(inputs), list(outputs), self.constants)
        opsets = [helper.make_opsetid("", opset)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)
        if producer:
            model.producer_name = producer
        if metadata:
            helper.set_model_props(model, dict(metadata))
        onnx.checker.check_model(model, full_check=True)
        return model


def tensor(name: str, kind: int, *shape: int | str | None) -> onnx.ValueInfoProto:
    """Describe an input or output. ``kind`` is one of TensorProto's types; a size that varies is a name or None."""
    return helper.make_tensor_value_info(name, kind, list(shape))


FLOAT, UINT8 = TensorProto.FLOAT, TensorProto.UINT8
