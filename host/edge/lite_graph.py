"""EfficientNet-Lite as an ONNX graph, built from the tensors of its published weights.

The graph takes what the codec gives, uint8 pictures [n, 224, 224, 3], and answers probabilities [n, classes].
Preprocessing is in it: resize to the network's own size where that differs (bilinear, half-pixel centres),
then (x - 127) / 128. Batch normalization is folded into the convolutions.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import TensorProto, helper, numpy_helper

from .efficientnet_lite import HEAD_CHANNELS, STEM_CHANNELS, VARIANTS, Block, Variant, blocks
from .errors import ClassifierError
from .pictures import PICTURE_SIDE_PX

_OPSET = 18
_IR_VERSION = 8
_NORM_EPSILON = 1e-3
_MEAN = 127.0
_SPREAD = 128.0


def build(name: str, tensors: Mapping[str, npt.NDArray[Any]]) -> bytes:
    """The serialized ONNX model of variant ``name`` with the given weights (torch's names and layouts).

    Raises ``ClassifierError`` where a tensor is missing or of another shape.
    """
    variant = VARIANTS[name]
    graph = _Graph(_Weights(tensors), variant.side_px)
    classes = graph.classify(_preprocess(graph, variant), blocks(variant))
    picture = [None, PICTURE_SIDE_PX, PICTURE_SIDE_PX, 3]
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            name,
            [helper.make_tensor_value_info("pictures", TensorProto.UINT8, picture)],
            [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [None, classes])],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", _OPSET)],
        ir_version=_IR_VERSION,
        producer_name="pnc-link",
    )
    return bytes(model.SerializeToString())


def _preprocess(graph: _Graph, variant: Variant) -> str:
    """uint8 [n, 224, 224, 3] -> float [n, 3, side, side], centred; the division is in the stem's weights."""
    image = graph.add("Cast", ["pictures"], to=TensorProto.FLOAT)
    image = graph.add("Transpose", [image], perm=[0, 3, 1, 2])
    if variant.side_px != PICTURE_SIDE_PX:
        sides = graph.constant(np.array([variant.side_px, variant.side_px], np.int64))
        image = graph.add("Resize", [image, "", "", sides], axes=[2, 3], mode="linear")
    return graph.add("Sub", [image, graph.constant(np.array(_MEAN, np.float32))])


class _Weights:
    """Torch's state dictionary: hands out tensors with their shapes checked."""

    def __init__(self, tensors: Mapping[str, npt.NDArray[Any]]) -> None:
        self._tensors = tensors

    def take(self, name: str, *shape: int) -> npt.NDArray[np.float64]:
        tensor = self._tensors.get(name)
        if tensor is None:
            raise ClassifierError(f"the weights lack {name}: they are not of this network")
        if shape and tensor.shape != shape:
            raise ClassifierError(f"the weights' {name} has shape {tensor.shape}, the network needs {shape}")
        return tensor.astype(np.float64)

    def folded(
        self, conv: str, norm: str, shape: tuple[int, ...]
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Kernel and bias of a convolution with the normalization after it: w * g / s, b - m * g / s."""
        kernel = self.take(f"{conv}.weight", *shape)
        gain, bias, mean, variance = (
            self.take(f"{norm}.{part}", shape[0]) for part in ("weight", "bias", "running_mean", "running_var")
        )
        gain = gain / np.sqrt(variance + _NORM_EPSILON)
        return kernel * gain[:, None, None, None], bias - mean * gain


class _Graph:
    """The ONNX nodes and constants of a network while it grows; remembers the side of the feature map."""

    def __init__(self, weights: _Weights, side_px: int) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self._weights = weights
        self._side = side_px
        self._relu6 = (self.constant(np.array(0, np.float32)), self.constant(np.array(6, np.float32)))

    def constant(self, values: npt.NDArray[Any]) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(values, name))
        return name

    def add(self, kind: str, inputs: list[str], output: str | None = None, **attributes: Any) -> str:
        name = output or f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def conv(
        self,
        image: str,
        names: tuple[str, str],
        shape: tuple[int, int, int, int],
        *,
        stride: int = 1,
        groups: int = 1,
        activate: bool = True,
        scale: float = 1.0,
    ) -> str:
        """Convolution + normalization (+ ReLU6) with TensorFlow's 'same' padding: the odd pixel goes last."""
        kernel, bias = self._weights.folded(*names, shape)
        size = shape[-1]
        out_side = math.ceil(self._side / stride)
        padding = max((out_side - 1) * stride + size - self._side, 0)
        before, after = padding // 2, padding - padding // 2
        self._side = out_side
        image = self.add(
            "Conv",
            [
                image,
                self.constant((kernel * scale).astype(np.float32)),
                self.constant(bias.astype(np.float32)),
            ],
            kernel_shape=[size, size],
            strides=[stride, stride],
            pads=[before, before, after, after],
            group=groups,
        )
        return self.add("Clip", [image, *self._relu6]) if activate else image

    def block(self, image: str, index: int, block: Block) -> str:
        prefix = f"_blocks.{index}."
        inner = block.inputs * block.expand
        hidden = image
        if block.expand != 1:
            names = (f"{prefix}_expand_conv", f"{prefix}_bn0")
            hidden = self.conv(hidden, names, (inner, block.inputs, 1, 1))
        names = (f"{prefix}_depthwise_conv", f"{prefix}_bn1")
        shape = (inner, 1, block.kernel, block.kernel)
        hidden = self.conv(hidden, names, shape, stride=block.stride, groups=inner)
        names = (f"{prefix}_project_conv", f"{prefix}_bn2")
        hidden = self.conv(hidden, names, (block.outputs, inner, 1, 1), activate=False)
        if block.stride == 1 and block.inputs == block.outputs:
            hidden = self.add("Add", [hidden, image])
        return hidden

    def classify(self, image: str, plan: list[Block]) -> int:
        """Stem, blocks, head and softmax, to the output ``probabilities``; the number of classes."""
        stem = (STEM_CHANNELS, 3, 3, 3)
        image = self.conv(image, ("_conv_stem", "_bn0"), stem, stride=2, scale=1 / _SPREAD)
        for index, block in enumerate(plan):
            image = self.block(image, index, block)
        image = self.conv(image, ("_conv_head", "_bn1"), (HEAD_CHANNELS, plan[-1].outputs, 1, 1))
        features = self.add("Flatten", [self.add("GlobalAveragePool", [image])])
        bias = self._weights.take("_fc.bias")
        matrix = self._weights.take("_fc.weight", len(bias), HEAD_CHANNELS)
        logits = self.add(
            "Gemm",
            [features, self.constant(matrix.astype(np.float32)), self.constant(bias.astype(np.float32))],
            transB=1,
        )
        self.add("Softmax", [logits], "probabilities", axis=1)
        return len(bias)
