"""Converts PNC's encoder to ONNX, in float or int8, and back.

``pixels`` float [n, 3, 224, 224] in [0, 1] -> ``latent`` float [n, 10, 32, 32]. In the int8 form weights are int8 by
output channel and activations uint8, each between a QuantizeLinear and a DequantizeLinear node (QDQ).
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from google.protobuf.message import DecodeError
from onnx import TensorProto, helper, numpy_helper

from ..codec import SIDE
from ..codec.errors import CodecError
from ..files import read_file
from .model import CHANNELS, GRID, STRIDE, Encoder
from .onnx_graph import FLOAT, OnnxGraph, tensor

#: The float encoder has 22 kB.
_MAX_BYTES = 4 << 20
_PIXELS, _LATENT = "pixels", "latent"


def encoder_graph(encoder: Encoder) -> onnx.ModelProto:
    """Return the encoder in float."""
    graph = OnnxGraph()
    values = _PIXELS
    for name, conv, output in (("first", encoder.first, "hidden"), ("second", encoder.second, _LATENT)):
        assert conv.bias is not None
        parts = [
            graph.constant(parameter.detach().cpu().numpy(), f"{name}.{part}")
            for part, parameter in (("weight", conv.weight), ("bias", conv.bias))
        ]
        strides = list(conv.stride)
        values = graph.add("Conv", values, *parts, output=f"{name}.sum", name=name, pads=[1] * 4, strides=strides)
        values = graph.add("Relu", values, output=output)
    pixels, latent = tensor(_PIXELS, FLOAT, "n", 3, SIDE, SIDE), tensor(_LATENT, FLOAT, "n", CHANNELS, GRID, GRID)
    return graph.model("pnc-reference encoder", [pixels], [latent])


def quantized(model: onnx.ModelProto, pictures: Iterable[np.ndarray]) -> onnx.ModelProto:
    """Return the int8 form of a model of ``encoder_graph``.

    It is calibrated on the lowest and highest activations of uint8 pictures [224, 224, 3].

    Raises CodecError when onnxruntime is missing or there is no picture.
    """
    try:
        from onnxruntime import quantization
    except ImportError:
        raise CodecError("onnxruntime is not installed: pip install 'pnc-link[edge]'") from None

    class Calibration(quantization.CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self._left: Iterator[np.ndarray] = iter(pictures)

        def get_next(self) -> dict[str, Any] | None:
            picture = next(self._left, None)
            return None if picture is None else {_PIXELS: as_pixels(picture)}

    with tempfile.TemporaryDirectory() as folder:
        given, made = Path(folder) / "float.onnx", Path(folder) / "int8.onnx"
        onnx.save(model, given)
        logging.disable(logging.WARNING)  # onnxruntime recommends a step that is useless with known shapes
        try:
            quantization.quantize_static(
                str(given),
                str(made),
                Calibration(),
                quant_format=quantization.QuantFormat.QDQ,
                activation_type=quantization.QuantType.QUInt8,
                weight_type=quantization.QuantType.QInt8,
                per_channel=True,
                # 7 bits: the sums of CPUs without instructions for it (x86 before VNNI) would overflow.
                reduce_range=True,
            )
        except ValueError as error:
            raise CodecError(f"the encoder cannot be calibrated: {str(error).partition(chr(10))[0]}") from None
        finally:
            logging.disable(logging.NOTSET)
        return onnx.load(made)


def as_pixels(picture: np.ndarray) -> np.ndarray:
    """Turn uint8 [224, 224, 3] into the network's input, [1, 3, 224, 224]."""
    pixels: np.ndarray = picture.transpose(2, 0, 1)[np.newaxis].astype(np.float32) / np.float32(255)
    return pixels


def read_encoder(path: Path) -> Encoder:
    """Return the encoder in an ONNX file, with float weights to the bit, or with the values of its int8 weights.

    Raises CodecError, in one line that names the file, for any other network.
    """
    encoder = Encoder().eval()
    graph = _load(path).graph
    constants = {constant.name: constant for constant in graph.initializer}
    makers = {output: node for node in graph.node for output in node.output}
    convs = [node for node in graph.node if node.op_type == "Conv"]
    try:
        steps = [node.op_type for node in graph.node if node.op_type not in ("QuantizeLinear", "DequantizeLinear")]
        # Quantizing to uint8 with zero point 0 clips like a Relu, which is then left out.
        if steps not in (["Conv", "Relu"] * 2, ["Conv"] * 2) or (len(steps) == 2 and len(graph.node) == 2):
            raise ValueError(f"its steps are {', '.join(steps[:8]) or 'none'}")
        for node, conv, stride in zip(convs, (encoder.first, encoder.second), (STRIDE, 1), strict=True):
            _check_attributes(node, stride)
            if len(node.input) != 3:
                raise ValueError("a convolution without bias")
            for name, parameter in zip(node.input[1:], (conv.weight, conv.bias), strict=True):
                _fill(parameter, _constant(name, constants, makers))
    except (ValueError, TypeError, KeyError) as error:
        raise CodecError(f"{path}: not PNC's encoder: {error}") from None
    return encoder


def _load(path: Path) -> onnx.ModelProto:
    content = read_file(path, _MAX_BYTES, "PNC's encoder", CodecError)
    try:
        return onnx.load_model_from_string(content)
    except (DecodeError, ValueError):
        raise CodecError(f"{path}: not an ONNX file") from None


def _check_attributes(node: onnx.NodeProto, stride: int) -> None:
    values = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
    needed = {"pads": [1] * 4, "strides": [stride] * 2, "dilations": [1, 1], "group": 1, "auto_pad": b"NOTSET"}
    usual = {"pads": [0] * 4, "strides": [1, 1], "dilations": [1, 1], "group": 1, "auto_pad": b"NOTSET"}
    for name, value in needed.items():
        found = values.get(name, usual[name])
        if found != value:
            raise ValueError(f"a convolution's {name} are {found}, not {value}")


def _constant(name: str, constants: dict[str, TensorProto], makers: dict[str, onnx.NodeProto]) -> np.ndarray:
    """Return a constant, or the value of a DequantizeLinear node of constants."""
    if name in constants:
        return _array(constants[name])
    node = makers.get(name)
    if node is None or node.op_type != "DequantizeLinear" or len(node.input) < 2:
        raise ValueError(f"{name!a} is not a constant")
    parts = [_array(constants[part]) for part in node.input if part in constants]
    if len(parts) != len(node.input):
        raise ValueError(f"{name!a} is computed from something that is not a constant")
    values, scale = parts[0].astype(np.int64), parts[1].astype(np.float32)
    if len(parts) == 3:
        zero = parts[2].astype(np.int64)
        values = values - zero.reshape(-1, *[1] * (values.ndim - 1)) if zero.ndim else values - zero
    # By output channel, which is the first axis of a kernel and of a bias.
    steps = scale.reshape(-1, *[1] * (values.ndim - 1)) if scale.ndim else scale
    made: np.ndarray = values.astype(np.float32) * steps
    return made


def _array(constant: TensorProto) -> np.ndarray:
    if constant.data_location == TensorProto.EXTERNAL:
        raise ValueError("weights in another file")
    return numpy_helper.to_array(constant)


def _fill(parameter: torch.Tensor | None, array: np.ndarray) -> None:
    assert parameter is not None
    if array.shape != tuple(parameter.shape) or array.dtype != np.float32:
        raise ValueError(f"weights are {array.dtype} {list(array.shape)}, not float32 {list(parameter.shape)}")
    if not np.isfinite(array).all():
        raise ValueError("weights that are not finite")
    with torch.no_grad():
        parameter.copy_(torch.tensor(array))
