"""The shipped decoder as a torch module, so that it can go on learning."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from ..codec.layout import CHANNELS
from ..codec.weights import FOLDER, Kind, load_arrays
from .model import CodecModel
from .network import Block, shrink
from .onnx_filters import tensors_of
from .passes import CodingPass
from .photos import TrainingError


@torch.no_grad()
def load_decoder(model: CodecModel, kind: Kind, folder: Path = FOLDER) -> None:
    """Give ``model`` the weights of the decoder that ships. Blocks beyond its own change nothing yet.

    Raises TrainingError if the weights are of another network.
    """
    arrays = load_arrays(kind, folder)
    path = folder / f"{kind.name}.onnx"
    found = tensors_of(path)
    wanted = model.synthesis.state_dict()
    known = {name: found[name] for name in wanted if name in found}
    missing = [name for name in wanted if name not in known and not name.startswith("blocks.")]
    if missing or any(values.shape != wanted[name].shape for name, values in known.items()):
        raise TrainingError(f"{path}: a decoder of another kind than the one that is trained")
    model.synthesis.load_state_dict(known, strict=False)
    for number, block in enumerate(model.synthesis.blocks):
        if f"blocks.{number}.second.weight" not in known:
            assert isinstance(block, Block)
            shrink(block.second, 0.0)
    model.embedded.offset.copy_(torch.from_numpy(arrays["offset"]))
    model.embedded.top.copy_(torch.from_numpy(arrays["top"]).view(CHANNELS, 1, 1))
    model.spread.copy_(1 / (model.analysis.gain * torch.from_numpy(arrays["amplitude"])))


def shipped_order(arrays: dict[str, np.ndarray]) -> list[CodingPass]:
    """Return the order of the coding passes of a coder."""
    return [(int(channel), int(plane)) for channel, plane in arrays["order"]]
