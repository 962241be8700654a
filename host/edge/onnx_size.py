"""How many bytes the weights of an ONNX file have, by the shapes that it declares: nothing of them is read.

Weights may be in files beside it, of any size. The numbers of fields are those of onnx.proto
(https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).
"""

from __future__ import annotations

import math
import mmap
from collections.abc import Iterator
from pathlib import Path

from .protobuf import fields, read_varint

_MODEL_GRAPH, _MODEL_FUNCTION = 7, 25
_GRAPH_NODE, _GRAPH_INITIALIZER, _GRAPH_SPARSE_INITIALIZER, _FUNCTION_NODE = 1, 5, 15, 7
_NODE_ATTRIBUTE = 5
_ATTRIBUTE_TENSOR, _ATTRIBUTE_GRAPH, _ATTRIBUTE_TENSORS, _ATTRIBUTE_GRAPHS = 5, 6, 10, 11
_ATTRIBUTE_SPARSE_TENSOR, _ATTRIBUTE_SPARSE_TENSORS = 22, 23
_TENSOR_DIMS, _TENSOR_TYPE = 1, 2
_SPARSE_VALUES, _SPARSE_INDICES, _SPARSE_DIMS = 1, 2, 3
#: Bytes of an element by TensorProto.DataType; of types that are not listed, 1.
_BYTES = {1: 4, 4: 2, 5: 2, 6: 4, 7: 8, 8: 8, 10: 2, 11: 8, 12: 4, 13: 8, 14: 8, 15: 16, 16: 2}
#: Graphs within graphs (branches, loops) are followed so deep.
_DEEPEST = 32


def weight_bytes(file: Path) -> int:
    """Return the bytes of all weights that an ONNX file declares; 0 if it is none. Raises OSError."""
    with open(file, "rb") as opened:
        try:
            data = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)
        except ValueError:  # it is empty
            return 0
        with data, memoryview(data) as view:
            try:
                return _model(view)
            except ValueError:
                return 0


def _model(model: memoryview) -> int:
    found = 0
    for number, part in fields(model):
        if isinstance(part, memoryview):
            if number == _MODEL_GRAPH:
                found += _graph(part, _DEEPEST)
            elif number == _MODEL_FUNCTION:
                found += sum(_node(node, _DEEPEST) for node in _parts(part, _FUNCTION_NODE))
            part.release()
    return found


def _graph(graph: memoryview, depth: int) -> int:
    found = sum(map(_tensor, _parts(graph, _GRAPH_INITIALIZER)))
    found += sum(map(_sparse, _parts(graph, _GRAPH_SPARSE_INITIALIZER)))
    return found + sum(_node(node, depth) for node in _parts(graph, _GRAPH_NODE))


def _node(node: memoryview, depth: int) -> int:
    found = 0
    for attribute in _parts(node, _NODE_ATTRIBUTE):
        found += sum(map(_tensor, _parts(attribute, _ATTRIBUTE_TENSOR, _ATTRIBUTE_TENSORS)))
        found += sum(map(_sparse, _parts(attribute, _ATTRIBUTE_SPARSE_TENSOR, _ATTRIBUTE_SPARSE_TENSORS)))
        if depth:
            graphs = _parts(attribute, _ATTRIBUTE_GRAPH, _ATTRIBUTE_GRAPHS)
            found += sum(_graph(graph, depth - 1) for graph in graphs)
    return found


def _tensor(tensor: memoryview) -> int:
    return math.prod(_dims(tensor, _TENSOR_DIMS)) * _element_bytes(tensor)


def _sparse(tensor: memoryview) -> int:
    """Return the bytes of a sparse tensor: those that it stores, and those that a run-time library expands it to."""
    stored = sum(map(_tensor, _parts(tensor, _SPARSE_VALUES, _SPARSE_INDICES)))
    sizes = [_element_bytes(values) for values in _parts(tensor, _SPARSE_VALUES)]
    return stored + math.prod(_dims(tensor, _SPARSE_DIMS)) * max(sizes, default=1)


def _element_bytes(tensor: memoryview) -> int:
    kinds = [value for number, value in fields(tensor) if number == _TENSOR_TYPE and isinstance(value, int)]
    return _BYTES.get(kinds[-1], 1) if kinds else 1


def _dims(message: memoryview, field: int) -> list[int]:
    found: list[int] = []
    for number, value in fields(message):
        if number == field:
            found += [value] if isinstance(value, int) else _packed(value)
    return found


def _packed(data: memoryview) -> list[int]:
    found, at = [], 0
    while at < len(data):
        value, at = read_varint(data, at)
        found.append(value)
    return found


def _parts(message: memoryview, *numbers: int) -> Iterator[memoryview]:
    """Yield the sub-messages with these numbers."""
    for number, value in fields(message):
        if isinstance(value, memoryview):
            if number in numbers:
                yield value
            value.release()
