"""Writes the weights that ship: arrays for both ends, and an ONNX network for the edge server."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import onnx
from torch import nn

from ..codec.analysis import FIXED_BITS
from ..codec.layout import CELL, CHANNELS, FINER, GRID, MEANS, PLANES
from ..codec.weights import Kind, content_of
from .files import write
from .model import CodecModel
from .network import Block, integer_filters
from .onnx_graph import Graph
from .passes import CodingPass
from .tables import fit_coder


def encoder_arrays(model: CodecModel) -> dict[str, np.ndarray]:
    """Return the arrays of the integer encoder."""
    whole, unit = integer_filters()
    inverse = model.analysis.gain.cpu().double().numpy() * unit
    return {
        "filters": whole,
        # The centre weight is in units of 1/256.
        "inverse_step": np.round(inverse * 2.0 ** (FIXED_BITS - 8)).astype(np.int64),
        "top": model.embedded.top.flatten().cpu().numpy().astype(np.uint8),
    }


def decoder_arrays(model: CodecModel) -> dict[str, np.ndarray]:
    """Return the arrays that convert coefficients to the network's inputs; see ``DecoderInputs``."""
    return {
        "offset": model.embedded.offset.detach().numpy(),
        "amplitude": (1 / (model.analysis.gain * model.spread)).numpy(),
        "level": (CELL / model.spread[:MEANS]).numpy(),
        "least_level": np.array(-FINER.max(), np.int8),
    }


def decoder_graph(model: CodecModel, kind: Kind) -> onnx.ModelProto:
    """Return ``Synthesis`` as ONNX: ``values`` and ``levels``, float [n, 52, 28, 28], to ``pixels`` uint8."""
    net, g = model.synthesis, Graph()

    def point(conv: nn.Conv2d, x: str) -> str:
        assert conv.bias is not None
        w, b = (g.constant(t.detach().numpy().astype(np.float32)) for t in (conv.weight, conv.bias))
        return g.add("Conv", x, w, b, kernel_shape=[1, 1])

    u = g.add("Mul", "levels", g.constant(1 / PLANES))
    power = g.add("Mul", g.add("Sub", "levels", g.constant(PLANES)), g.constant(float(np.log(2))))
    condition = g.add("Relu", point(net.condition, g.add("Concat", u, g.add("Exp", power), axis=1)))
    h = g.add("Relu", g.conv(net.enter, g.add("Concat", "values", u, axis=1)))
    for block in net.blocks:
        assert isinstance(block, Block)
        film = point(block.film, condition)
        scale, shift = g.halves(film)
        inner = g.conv(block.first, h)
        inner = g.add("Add", g.add("Mul", inner, g.add("Add", scale, g.constant(1))), shift)
        h = g.add("Add", h, g.conv(block.second, g.add("Relu", inner)))
    cells = g.add("Add", g.conv(net.linear, "values"), g.conv(net.leave, g.add("Relu", h)))
    g.pixels(g.add("DepthToSpace", cells, blocksize=CELL, mode="CRD"))
    return g.decoder(kind, ("values", "levels"), (CHANNELS, GRID, GRID), GRID * CELL)


def export(
    model: CodecModel,
    order: list[CodingPass],
    photos: Sequence[np.ndarray],
    kind: Kind,
    seed: int,
    out: Path,
    say: Callable[[str], None],
) -> list[Path]:
    """Fit the entropy coder on ``photos`` and write ``NAME.npz`` and ``NAME.onnx`` to ``out``.

    Returns their paths. Raises TrainingError if they cannot be written.
    """
    model = model.to("cpu")
    encoder = encoder_arrays(model)
    arrays = encoder | decoder_arrays(model) | fit_coder(encoder, order, photos, seed, say)
    return write_weights(kind, arrays, decoder_graph(model, kind), out)


def write_weights(kind: Kind, arrays: dict[str, np.ndarray], decoder: onnx.ModelProto, out: Path) -> list[Path]:
    """Write ``NAME.npz`` and ``NAME.onnx`` to ``out``. Raises TrainingError if that fails."""
    paths = weights_paths(kind, out)
    write(content_of(kind, arrays), paths[0])
    write(decoder.SerializeToString(), paths[1])
    return paths


def weights_paths(kind: Kind, out: Path) -> list[Path]:
    """Return the paths ``NAME.npz`` and ``NAME.onnx`` in ``out``."""
    return [out / f"{kind.name}.npz", out / f"{kind.name}.onnx"]
