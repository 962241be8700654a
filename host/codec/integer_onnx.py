"""The shipped encoders' networks on whole numbers as ONNX, answering to the bit what this package's own code does.

``pixels`` uint8 [224, 224, 3] RGB -> ``symbols`` uint8 [10, 32, 32] (pnc-v1) or ``coefficients`` int8 [52, 28, 28]
(pnc-v2). Convolutions are in float32, whose sums stay whole and below 2^24; steps after them are in int64. The weights
lie in the file as they ship, int8, under their names in the codec's own file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from onnx import TensorProto, helper, numpy_helper

from . import network
from .errors import CodecError
from .onnx_model import model_of
from .planes import analysis, layout
from .weights import FOLDER, KINDS, Family, Kind, check, kind_of, load_arrays

_MAX_BYTES = 4 << 20
_ARRAYS = {
    Family.CHANNELS: [f"conv{n}_{part}" for n in (1, 2) for part in ("weight", "factor", "offset")] + ["zero", "lift"],
    Family.PLANES: ["filters", "inverse_step", "top"],
}


class _Graph:
    """Nodes and constants; what a method returns is the name of its output."""

    def __init__(self, arrays: dict[str, np.ndarray]) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants = [numpy_helper.from_array(array, name) for name, array in arrays.items()]

    def constant(self, values: Any, kind: type) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.array(values, kind), name))
        return name

    def add(self, kind: str, *inputs: str, output: str | None = None, **attributes: Any) -> str:
        name = output or f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def as_float(self, values: str) -> str:
        return self.add("Cast", values, to=TensorProto.FLOAT)

    def as_whole(self, values: str) -> str:
        return self.add("Cast", values, to=TensorProto.INT64)

    def by_channel(self, values: str) -> str:
        """[c] -> int64 [c, 1, 1], to meet [1, c, h, w]."""
        return self.add("Unsqueeze", self.as_whole(values), self.constant([1, 2], np.int64))

    def picture(self) -> str:
        """The pixels as float [1, 3, 224, 224]."""
        planes = self.add("Transpose", self.as_float("pixels"), perm=[2, 0, 1])
        return self.add("Unsqueeze", planes, self.constant([0], np.int64))

    def limited(self, values: str, low: int, high: int) -> str:
        return self.add("Clip", values, self.constant(low, np.int64), self.constant(high, np.int64))

    def shifted(self, values: str, bits: int) -> str:
        """Values that are not negative, without their lowest bits."""
        return self.add("Div", values, self.constant(1 << bits, np.int64))

    def leave(self, values: str, name: str, kind: int) -> None:
        """[1, c, h, w] as the answer, [c, h, w]."""
        self.add("Squeeze", self.add("Cast", values, to=kind), self.constant([0], np.int64), output=name)


def integer_encoder(name: str, folder: Path = FOLDER) -> onnx.ModelProto:
    """The network of a shipped codec's encoder. Raises CodecError when there is no such codec."""
    kind = kind_of(name)
    arrays = load_arrays(kind, folder)
    graph = _Graph({key: arrays[key] for key in _ARRAYS[kind.family]})
    if kind.family is Family.CHANNELS:
        _channels(graph)
        answer, sort = ("symbols", [len(arrays["zero"]), network.GRID, network.GRID]), TensorProto.UINT8
    else:
        _planes(graph)
        answer, sort = ("coefficients", [layout.CHANNELS, layout.GRID, layout.GRID]), TensorProto.INT8
    made = helper.make_graph(
        graph.nodes,
        f"{name} encoder",
        [helper.make_tensor_value_info("pixels", TensorProto.UINT8, [network.SIDE, network.SIDE, 3])],
        [helper.make_tensor_value_info(answer[0], sort, answer[1])],
        graph.constants,
    )
    return model_of(made, kind)


def _channels(g: _Graph) -> None:
    """``host.codec.network``, step by step."""
    bits = network.FIXED_BITS
    x = g.add("Conv", g.picture(), g.as_float("conv1_weight"), pads=[1] * 4, strides=[network.STRIDE] * 2)
    scaled = g.add("Mul", g.as_whole(x), g.by_channel("conv1_factor"))
    whole = g.add("Add", g.add("Add", scaled, g.by_channel("conv1_offset")), g.constant(1 << (bits - 1), np.int64))
    hidden = g.shifted(g.limited(whole, 0, (256 << bits) - 1), bits)
    y = g.add("Conv", g.as_float(hidden), g.as_float("conv2_weight"), pads=[1] * 4)
    scaled = g.add("Mul", g.as_whole(y), g.by_channel("conv2_factor"))
    fixed = g.limited(g.add("Add", scaled, g.by_channel("conv2_offset")), 0, 255 << bits)
    zero = g.by_channel("zero")
    away = g.add("Sub", fixed, g.add("Mul", zero, g.constant(1 << bits, np.int64)))
    steps = g.shifted(g.add("Add", g.add("Abs", away), g.by_channel("lift")), bits)
    symbols = g.add("Add", zero, g.add("Mul", g.add("Sign", away), steps))
    g.leave(g.limited(symbols, 0, 255), "symbols", TensorProto.UINT8)


def _planes(g: _Graph) -> None:
    """``host.codec.planes.analysis``, step by step."""
    mixed = g.add("Conv", g.picture(), g.constant(np.array(layout.COLOURS).reshape(3, 3, 1, 1), np.float32))
    halved = g.add("Mul", g.add("Add", mixed, g.constant(128, np.float32)), g.constant(1 / 256, np.float32))
    middle = g.constant(np.array([layout.LUMA_MIDDLE, 0, 0]).reshape(3, 1, 1), np.float32)
    planes = g.add("Sub", g.add("Floor", halved), middle)
    seen = g.constant(np.eye(3)[list(layout.COLOUR_OF)].reshape(-1, 3, 1, 1), np.float32)
    filters = g.add("Mul", g.add("Unsqueeze", g.as_float("filters"), g.constant([1], np.int64)), seen)
    sums = g.as_whole(g.add("Conv", planes, filters, strides=[layout.CELL] * 2))
    weight = g.constant(layout.centre_weight(layout.GRID).reshape(1, layout.GRID, layout.GRID), np.int64)
    factor = g.add("Mul", g.by_channel("inverse_step"), weight)
    size = g.shifted(g.add("Mul", g.add("Abs", sums), factor), analysis.FIXED_BITS)
    powers = g.constant([(1 << plane) - 1 for plane in range(layout.PLANES + 1)], np.int64)
    limit = g.by_channel(g.add("Gather", powers, g.as_whole("top")))
    coefficients = g.add("Mul", g.add("Sign", sums), g.add("Min", size, limit))
    g.leave(coefficients, "coefficients", TensorProto.INT8)


def read_arrays(path: Path) -> tuple[Kind, dict[str, np.ndarray]]:
    """The codec, and its encoder's arrays as they ship, from a file that ``integer_encoder`` made.

    Raises CodecError, one line that names the file, for any other file and for weights of another version.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
        model = onnx.load_model_from_string(content)
    except FileNotFoundError:
        raise CodecError(f"{path}: no such file") from None
    except OSError as error:
        raise CodecError(f"{path}: cannot be read ({error.strerror or error})") from None
    except (DecodeError, ValueError):
        raise CodecError(f"{path}: not an ONNX file") from None
    props = {prop.key: prop.value for prop in model.metadata_props}
    name = props.get("name", "")
    if name not in KINDS:
        raise CodecError(f"{path}: it calls itself {name!a}, not {' or '.join(KINDS)}")
    kind = KINDS[name]
    check(path, kind, kind.name, props.get("version", "?"))
    found = {constant.name: constant for constant in model.graph.initializer}
    arrays = {}
    for name in _ARRAYS[kind.family]:
        if name not in found or found[name].data_location == TensorProto.EXTERNAL:
            raise CodecError(f"{path}: {name} is missing")
        try:
            arrays[name] = numpy_helper.to_array(found[name])
        except (ValueError, TypeError, KeyError):
            raise CodecError(f"{path}: {name} is broken") from None
    return kind, arrays


def with_encoder(path: Path, name: str) -> tuple[Kind, dict[str, np.ndarray]]:
    """The shipped codec of that name with the encoder of a file that ``integer_encoder`` made in place of its own.

    Raises CodecError, one line that names the file, for the encoder of another codec, or of other sizes.
    """
    kind, encoder = read_arrays(path)
    if kind.name != name:
        raise CodecError(f"{path}: the encoder of {kind.name}, not of {name}")
    arrays = load_arrays(kind)
    for key, array in encoder.items():
        if (array.dtype, array.shape) != (arrays[key].dtype, arrays[key].shape):
            raise CodecError(f"{path}: {key} is not {arrays[key].dtype} {list(arrays[key].shape)}")
    # The coder's tables are those of these zeros and planes.
    for key in ("zero", "top"):
        if key in encoder and not np.array_equal(encoder[key], arrays[key]):
            raise CodecError(f"{path}: {key} does not go with the tables of {name}")
    arrays |= encoder
    try:
        analysis.Analysis(arrays) if kind.family is Family.PLANES else network.network_from(arrays)
    except CodecError as error:
        raise CodecError(f"{path}: {error}") from None
    return kind, arrays
