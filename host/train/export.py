"""Writes the weights that ship: arrays for the sender, an ONNX network for the edge."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from ..codec.onnx_model import model_of
from ..codec.weights import Kind, content_of
from .files import write
from .integers import encoder_arrays
from .model import Model
from .network import CHANNELS, STRIDE, Block
from .tables import fit

GRID = 32


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


def decoder_graph(model: Model, kind: Kind) -> onnx.ModelProto:
    """``values`` (symbol less zero) and ``arrived`` (0 or 1), float [n, 10, 32, 32] -> ``pixels`` uint8.

    Pixels are [n, 224, 224, 3]; channels stand in the order of transmission.
    """
    order = model.order.tolist()
    both = order + [CHANNELS + c for c in order]
    decoder, g = model.decoder, Graph()
    spread = g.constant(model.spread[order].numpy().reshape(1, -1, 1, 1))
    x = g.add("Concat", g.add("Mul", g.add("Div", "values", spread), "arrived"), "arrived", axis=1)
    h = g.add("Relu", g.conv(decoder.enter, x, both))
    for block in decoder.blocks:
        assert isinstance(block, Block)
        h = g.add("Add", h, g.conv(block.second, g.add("Relu", g.conv(block.first, h))))
    h = g.add("Relu", g.conv(decoder.gather, h))
    cells = g.add("Add", g.conv(decoder.linear, x, both), g.conv(decoder.leave, h))
    planes = g.add("DepthToSpace", cells, blocksize=STRIDE, mode="CRD")
    g.pixels(planes)
    return g.model(kind, ("values", "arrived"), (CHANNELS, GRID, GRID), GRID * STRIDE)


def export(model: Model, photos: Sequence[np.ndarray], kind: Kind, seed: int, out: Path) -> list[Path]:
    """Fit the tables on ``photos`` and write ``NAME.npz`` and ``NAME.onnx`` to ``out``."""
    encoder = encoder_arrays(model)
    arrays = encoder | fit(model, encoder, photos, seed)
    return write_weights(kind, arrays, decoder_graph(model, kind), out)


def write_weights(kind: Kind, arrays: dict[str, np.ndarray], decoder: onnx.ModelProto, out: Path) -> list[Path]:
    """Write ``NAME.npz`` and ``NAME.onnx`` to ``out``."""
    paths = weights_paths(kind, out)
    write(content_of(kind, arrays), paths[0])
    write(decoder.SerializeToString(), paths[1])
    return paths


def weights_paths(kind: Kind, out: Path) -> list[Path]:
    """``NAME.npz`` and ``NAME.onnx`` in ``out``."""
    return [out / f"{kind.name}.npz", out / f"{kind.name}.onnx"]
