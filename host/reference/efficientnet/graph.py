"""EfficientNet-Lite as an ONNX graph, built from the tensors of its published weights.

The graph takes the pictures that the codec decodes, uint8 [n, 224, 224, 3], and returns probabilities [n, classes].
It includes the preprocessing: resize to the network's own size where that differs (bilinear, half-pixel centres),
then (x - 127) / 128. Batch normalization is folded into the convolutions.

Filters may be stored in 16 or 8 bits, the latter with a scale for each. onnxruntime widens them once, when it loads the
model.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from ...edge.errors import ClassifierError
from ...edge.pictures import PICTURE_SIDE_PX
from ..onnx_graph import FLOAT, UINT8, OnnxGraph, tensor
from .architecture import HEAD_CHANNELS, STEM_CHANNELS, VARIANTS, Block, blocks

_OPSET = 18
_NORM_EPSILON = 1e-3
_MEAN = 127.0
_SPREAD = 128.0

_Array = npt.NDArray[np.float64]


def build(
    name: str,
    tensors: Mapping[str, npt.NDArray[Any]],
    *,
    bits: Literal[8, 16, 32] = 32,
    any_side: bool = False,
    metadata: Mapping[str, str] | None = None,
) -> bytes:
    """Return the serialized ONNX model of a variant of EfficientNet-Lite.

    Args:
        name: the variant.
        tensors: its weights, with torch's names and layouts.
        bits: of a number of the filters, as it is stored.
        any_side: pictures may have any sides that are multiples of 32, and are not resized.
        metadata: keys and values that are kept in the model.

    Raises:
        ClassifierError: a tensor is missing or has another shape.
    """
    variant = VARIANTS[name]
    side_px = PICTURE_SIDE_PX if any_side else variant.side_px
    graph = _Network(_Weights(tensors), side_px, bits)
    classes = graph.classify(_preprocess(graph, side_px), blocks(variant))
    sides = ("height", "width") if any_side else (PICTURE_SIDE_PX, PICTURE_SIDE_PX)
    pictures = tensor("pictures", UINT8, None, *sides, 3)
    probabilities = tensor("probabilities", FLOAT, None, classes)
    model = graph.model(name, [pictures], [probabilities], opset=_OPSET, producer="pnc-link", metadata=metadata)
    return bytes(model.SerializeToString())


def _preprocess(graph: OnnxGraph, side_px: int) -> str:
    """Turn uint8 [n, 224, 224, 3] into centred float [n, 3, side, side]. The stem's weights include the division."""
    image = graph.add("Cast", "pictures", to=FLOAT)
    image = graph.add("Transpose", image, perm=[0, 3, 1, 2])
    if side_px != PICTURE_SIDE_PX:
        sides = graph.constant(np.array([side_px, side_px], np.int64))
        image = graph.add("Resize", image, "", "", sides, axes=[2, 3], mode="linear")
    return graph.add("Sub", image, graph.constant(np.array(_MEAN, np.float32)))


class _Weights:
    """The tensors of torch's state dictionary, each returned only if it has the expected shape."""

    def __init__(self, tensors: Mapping[str, npt.NDArray[Any]]) -> None:
        self._tensors = tensors

    def get(self, name: str, *shape: int) -> _Array:
        """Return the tensor ``name``; without a ``shape`` it may have any."""
        values = self._tensors.get(name)
        if values is None:
            raise ClassifierError(f"the weights lack {name}: they belong to another network")
        if shape and values.shape != shape:
            raise ClassifierError(f"the weights' {name} has shape {values.shape}, the network needs {shape}")
        return values.astype(np.float64)

    def folded(self, conv: str, norm: str, shape: tuple[int, ...]) -> tuple[_Array, _Array]:
        """Return kernel and bias of a convolution with the normalization that follows it: w * g / s, b - m * g / s."""
        kernel = self.get(f"{conv}.weight", *shape)
        gain, bias, mean, variance = (
            self.get(f"{norm}.{part}", shape[0]) for part in ("weight", "bias", "running_mean", "running_var")
        )
        gain = gain / np.sqrt(variance + _NORM_EPSILON)
        return kernel * gain[:, None, None, None], bias - mean * gain


class _Network(OnnxGraph):
    """The graph of a network while it grows; remembers the side of the feature map."""

    def __init__(self, weights: _Weights, side_px: int, bits: int) -> None:
        super().__init__()
        self._bits = bits
        self._weights = weights
        self._side = side_px
        self._relu6 = (self.constant(np.array(0, np.float32)), self.constant(np.array(6, np.float32)))

    def filters(self, values: npt.NDArray[Any]) -> str:
        """Add the filters of a layer; its nodes take them as float32."""
        if self._bits == 32:
            return self.constant(values.astype(np.float32))
        if self._bits == 16:
            return self.add("Cast", self.constant(values.astype(np.float16)), to=FLOAT)
        scale = np.abs(values).max(axis=tuple(range(1, values.ndim)), keepdims=True) / 127
        scale[scale == 0] = 1
        whole = self.add("Cast", self.constant(np.rint(values / scale).astype(np.int8)), to=FLOAT)
        return self.add("Mul", whole, self.constant(scale.astype(np.float32)))

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
        """Add a convolution with its normalization and, if ``activate``, ReLU6.

        The padding is TensorFlow's 'same': an odd pixel is added at the end. ``names`` are those of the convolution and
        the normalization in the weights; ``scale`` multiplies the kernel.
        """
        kernel, bias = self._weights.folded(*names, shape)
        size = shape[-1]
        out_side = math.ceil(self._side / stride)
        padding = max((out_side - 1) * stride + size - self._side, 0)
        before, after = padding // 2, padding - padding // 2
        self._side = out_side
        image = self.add(
            "Conv",
            image,
            self.filters(kernel * scale),
            self.constant(bias.astype(np.float32)),
            kernel_shape=[size, size],
            strides=[stride, stride],
            pads=[before, before, after, after],
            group=groups,
        )
        return self.add("Clip", image, *self._relu6) if activate else image

    def block(self, image: str, index: int, block: Block) -> str:
        """Add an inverted residual, with its skip connection where the shapes allow one."""
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
            hidden = self.add("Add", hidden, image)
        return hidden

    def classify(self, image: str, plan: list[Block]) -> int:
        """Add stem, blocks, head and softmax, up to the output ``probabilities``; return the number of classes."""
        stem = (STEM_CHANNELS, 3, 3, 3)
        image = self.conv(image, ("_conv_stem", "_bn0"), stem, stride=2, scale=1 / _SPREAD)
        for index, block in enumerate(plan):
            image = self.block(image, index, block)
        image = self.conv(image, ("_conv_head", "_bn1"), (HEAD_CHANNELS, plan[-1].outputs, 1, 1))
        features = self.add("Flatten", self.add("GlobalAveragePool", image))
        bias = self._weights.get("_fc.bias")
        matrix = self._weights.get("_fc.weight", len(bias), HEAD_CHANNELS)
        logits = self.add(
            "Gemm",
            features,
            self.filters(matrix),
            self.constant(bias.astype(np.float32)),
            transB=1,
        )
        self.add("Softmax", logits, output="probabilities", axis=1)
        return len(bias)
