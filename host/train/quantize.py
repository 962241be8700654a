"""Gives an ONNX network 8-bit filters and features where it spends its time: less than half of the time on a CPU.

The ranges of the features are those of example inputs. onnxruntime runs such layers as integer convolutions.
"""

from __future__ import annotations

import io
import logging
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

import numpy as np
import onnx
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)

Inputs = Mapping[str, np.ndarray]


class _Examples(CalibrationDataReader):  # type: ignore[misc]
    def __init__(self, examples: Iterable[Inputs]) -> None:
        self._left = iter(examples)

    def get_next(self) -> Inputs | None:
        return next(self._left, None)


@contextmanager
def _quiet_log() -> Iterator[None]:
    """Suppress the advice that onnxruntime's quantizer logs."""
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


def wide_convolutions(model: onnx.ModelProto, channels: int) -> list[str]:
    """Return the names of the 3x3 convolutions of so many channels."""
    shapes = {each.name: tuple(each.dims) for each in model.graph.initializer}
    convolutions = [node for node in model.graph.node if node.op_type == "Conv"]
    return [node.name for node in convolutions if shapes[node.input[1]][1:] == (channels, 3, 3)]


def quantized(model: onnx.ModelProto, layers: Sequence[str], examples: Iterable[Inputs]) -> onnx.ModelProto:
    """Return the network with 8-bit filters and inputs in the named convolutions.

    Args:
        model: the network; its nodes have names.
        layers: names of the convolutions.
        examples: inputs of the network, from which the ranges of features are taken.
    """
    with tempfile.TemporaryDirectory() as folder:
        before, after = Path(folder, "before.onnx"), Path(folder, "after.onnx")
        onnx.save(model, before)
        with redirect_stdout(io.StringIO()), _quiet_log():
            quantize_static(
                before,
                after,
                _Examples(examples),
                quant_format=QuantFormat.QDQ,
                op_types_to_quantize=["Conv"],
                nodes_to_quantize=list(layers),
                per_channel=True,
                # 7 bits: the sums of CPUs without instructions for it (x86 before VNNI) would overflow.
                reduce_range=True,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                # A few features are far larger than the others.
                calibrate_method=CalibrationMethod.Percentile,
            )
        found = onnx.load(after)
    del found.metadata_props[:]
    onnx.helper.set_model_props(found, {each.key: each.value for each in model.metadata_props})
    return found
