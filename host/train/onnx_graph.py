"""Builds the ONNX graph of a decoder."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import helper
from torch import nn

from ..codec.weights import Kind
from ..reference.onnx_graph import FLOAT, UINT8, OnnxGraph, tensor


class Graph(OnnxGraph):
    """An ONNX graph under construction, of float32 constants. Methods add nodes and return the name of their output."""

    def constant(self, values: np.ndarray | float, name: str | None = None) -> str:
        """Add a float32 constant."""
        return super().constant(np.asarray(values, np.float32), name)

    def edge(self, x: str) -> str:
        """Repeat the border of ``x`` once on each side."""
        return self.add("Pad", x, super().constant(np.array([0, 0, 1, 1, 0, 0, 1, 1], np.int64)), mode="edge")

    def conv(self, conv: nn.Conv2d, x: str, name: str) -> str:
        """Add a convolution with its padding. Its constants are called ``name.weight`` and ``name.bias``."""
        assert conv.bias is not None
        w = self.constant(conv.weight.detach().numpy(), f"{name}.weight")
        b = self.constant(conv.bias.detach().numpy(), f"{name}.bias")
        pads = [int(pad) for pad in conv.padding] * 2
        return self.add("Conv", x, w, b, kernel_shape=conv.kernel_size, pads=pads, dilations=[1, 1])

    def halves(self, x: str) -> tuple[str, str]:
        """Split the channels in two halves."""
        first, second = (f"{x}_{half}" for half in ("first", "second"))
        self.nodes.append(helper.make_node("Split", [x], [first, second], axis=1))
        return first, second

    def pixels(self, planes: str) -> None:
        """End the graph: convert ``planes`` [n, 3, h, w], (x - 127) / 128, to ``pixels`` uint8 [n, h, w, 3]."""
        scaled = self.add("Add", self.add("Mul", planes, self.constant(128)), self.constant(127))
        limited = self.add("Clip", self.add("Round", scaled), self.constant(0), self.constant(255))
        self.add("Transpose", self.add("Cast", limited, to=UINT8), output="pixels", perm=[0, 2, 3, 1])

    def decoder(self, kind: Kind, inputs: Sequence[str], shape: tuple[int, ...], side: int) -> onnx.ModelProto:
        """Return the checked model: ``inputs`` float [n, *shape] to ``pixels`` uint8 [n, side, side, 3]."""
        return self.model(
            kind.name,
            [tensor(name, FLOAT, "n", *shape) for name in inputs],
            [tensor("pixels", UINT8, "n", side, side, 3)],
            metadata={"name": kind.name, "version": str(kind.version)},
        )
