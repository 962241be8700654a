"""Writes the weights that ship: arrays for both ends, and an ONNX network for the edge server."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import cycle
from pathlib import Path

import numpy as np
import onnx

from ..codec.analysis import FIXED_BITS, Analysis
from ..codec.bitstream import Bitstream
from ..codec.encoder import PictureEncoder
from ..codec.entropy import BitPlaneCoder
from ..codec.layout import CELL, CHANNELS, FINER, GRID, MEANS, PLANES
from ..codec.values import DecoderInputs
from ..codec.weights import Kind, content_of
from ..wire import MAX_CODEC_BYTES
from .files import write
from .model import CodecModel
from .network import WIDTH, Block, integer_filters
from .onnx_graph import Graph
from .passes import CodingPass
from .photos import whole
from .quantize import Inputs, quantized, wide_convolutions
from .tables import fit_coder

#: Photos that give the ranges of the network's features, and the bytes that their streams are cut at, in turn.
RANGE_PHOTOS = 40
RANGE_BYTES = (350, 500, 1000, 2000, 5000)


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
    u = g.add("Mul", "levels", g.constant(1 / PLANES))
    power = g.add("Mul", g.add("Sub", "levels", g.constant(PLANES)), g.constant(float(np.log(2))))
    condition = g.add("Relu", g.conv(net.condition, g.add("Concat", u, g.add("Exp", power), axis=1), "condition"))
    around = g.edge(g.add("Concat", "values", u, axis=1))
    h = g.add("Relu", g.conv(net.enter, around, "enter"))
    for number, block in enumerate(net.blocks):
        assert isinstance(block, Block)
        name = f"blocks.{number}"
        film = g.conv(block.film, condition, f"{name}.film")
        scale, shift = g.halves(film)
        inner = g.conv(block.first, h, f"{name}.first")
        inner = g.add("Add", g.add("Mul", inner, g.add("Add", scale, g.constant(1))), shift)
        h = g.add("Add", h, g.conv(block.second, g.add("Relu", inner), f"{name}.second"))
    cells = g.add("Add", g.conv(net.linear, g.edge("values"), "linear"), g.conv(net.leave, g.add("Relu", h), "leave"))
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
    encoder = encoder_arrays(model.to("cpu"))
    return write_codec(model, encoder | fit_coder(encoder, order, photos, seed, say), kind, out, photos)


def write_codec(
    model: CodecModel, arrays: dict[str, np.ndarray], kind: Kind, out: Path, photos: Sequence[np.ndarray]
) -> list[Path]:
    """Write a model's decoder, with 8-bit filters, and the encoder and coder of ``arrays``.

    The ranges of the network's features are taken from ``photos``. Returns the paths of both files.
    """
    model = model.to("cpu")
    arrays = arrays | decoder_arrays(model)
    graph = decoder_graph(model, kind)
    layers = wide_convolutions(graph, WIDTH)[2:]  # the first block is more sensitive than all others together
    small = quantized(graph, layers, examples(arrays, kind, photos[:RANGE_PHOTOS]))
    return write_weights(kind, arrays, small, out)


def examples(arrays: dict[str, np.ndarray], kind: Kind, photos: Sequence[np.ndarray]) -> Iterator[Inputs]:
    """Yield the network's inputs for photos, each cut at one of ``RANGE_BYTES``."""
    analysis, bitstream, inputs = Analysis(arrays), Bitstream(kind, BitPlaneCoder(arrays)), DecoderInputs(arrays)
    for photo, size_bytes in zip(photos, cycle(RANGE_BYTES), strict=False):
        packets = PictureEncoder(bitstream, analysis(whole(photo)), MAX_CODEC_BYTES, size_bytes).more()
        yield inputs([bitstream.depacketize(packets)])


def write_weights(kind: Kind, arrays: dict[str, np.ndarray], decoder: onnx.ModelProto, out: Path) -> list[Path]:
    """Write ``NAME.npz`` and ``NAME.onnx`` to ``out``. Raises TrainingError if that fails."""
    paths = weights_paths(kind, out)
    write(content_of(kind, arrays), paths[0])
    write(decoder.SerializeToString(), paths[1])
    return paths


def weights_paths(kind: Kind, out: Path) -> list[Path]:
    """Return the paths ``NAME.npz`` and ``NAME.onnx`` in ``out``."""
    return [out / f"{kind.name}.npz", out / f"{kind.name}.onnx"]
