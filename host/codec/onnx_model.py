"""Makes checked ONNX models, all of one ONNX version."""

from __future__ import annotations

import onnx
from onnx import helper

from .weights import Kind

OPSET, IR_VERSION = 17, 8


def model_of(graph: onnx.GraphProto, kind: Kind | None = None) -> onnx.ModelProto:
    """Make a checked model of ``graph``, labelled with the name and version of ``kind`` if that is given."""
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    if kind is not None:
        helper.set_model_props(made, {"name": kind.name, "version": str(kind.version)})
    onnx.checker.check_model(made, full_check=True)
    return made
