"""Small ONNX classifiers for tests: the mean of each colour channel, times a matrix."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper, save_model


def colour_classifier(
    path: Path,
    *,
    layout: str = "NCHW",
    dtype: int = TensorProto.FLOAT,
    side: int | str = 32,
    batch: int | str = "n",
    matrix: np.ndarray | None = None,
    softmax: bool = False,
    metadata: dict[str, str] | None = None,
) -> Path:
    """Scores [n, classes] = mean colour [n, 3] @ matrix [3, classes]; by default class 0 is red, 1 green,
    2 blue."""
    matrix = np.eye(3, dtype=np.float32) if matrix is None else matrix.astype(np.float32)
    shape = [batch, 3, side, side] if layout == "NCHW" else [batch, side, side, 3]
    axes = [2, 3] if layout == "NCHW" else [1, 2]
    nodes = [
        helper.make_node("Cast", ["x"], ["f"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["f"], ["mean"], axes=axes, keepdims=0),
        helper.make_node("MatMul", ["mean", "matrix"], ["scores"]),
    ]
    if softmax:
        nodes.append(helper.make_node("Softmax", ["scores"], ["p"], axis=1))
    output = "p" if softmax else "scores"
    return save(
        path,
        nodes,
        given=helper.make_tensor_value_info("x", dtype, shape),
        answer=helper.make_tensor_value_info(output, TensorProto.FLOAT, [batch, matrix.shape[1]]),
        constants=[numpy_helper.from_array(matrix, "matrix")],
        metadata=metadata,
    )


def save(
    path: Path,
    nodes: list[Any],
    *,
    given: Any,
    answer: Any,
    constants: list[Any] | None = None,
    metadata: dict[str, str] | None = None,
) -> Path:
    graph = helper.make_graph(nodes, "tiny", [given], [answer], constants or [])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    helper.set_model_props(model, metadata or {})
    save_model(model, str(path))
    return path
