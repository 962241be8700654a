"""Writes the classifier that ships: an ONNX model with the same input and output as the published network's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import Tensor

from ...codec.weights import kind_of
from ...reference.efficientnet.graph import build
from ..files import write
from .network import NORM_EPSILON, LiteNetwork, NormedConv
from .recipe import ClassifierRecipe

#: Raised with every new set of weights that ships.
VERSION = 1


def model_path(recipe: ClassifierRecipe, out: Path) -> Path:
    """Name the file that ``export_classifier`` writes in ``out``."""
    return out / f"{recipe.network}-pnc.onnx"


def export_classifier(network: LiteNetwork, recipe: ClassifierRecipe, out: Path) -> Path:
    """Write the network, its filters in half precision. Raises TrainingError when the disk refuses."""
    path, kind = model_path(recipe, out), kind_of(recipe.codec)
    notes = {"name": path.stem, "version": str(VERSION), "codec": f"{kind.name} version {kind.version}"}
    write(build(recipe.network, tensors_of(network), half=True, metadata=notes), path)
    return path


def tensors_of(network: LiteNetwork) -> dict[str, npt.NDArray[Any]]:
    """Give the weights under the names, and in the layout, in which they are published."""
    found: dict[str, Tensor] = {"_fc.weight": network.last.weight, "_fc.bias": network.last.bias}
    for part in network.modules():
        if isinstance(part, NormedConv):
            found[f"{part.conv}.weight"] = part.weight
            found[f"{part.norm}.weight"], found[f"{part.norm}.bias"] = part.gain, part.bias
            found[f"{part.norm}.running_mean"] = part.mean
            found[f"{part.norm}.running_var"] = part.scale.double() ** -2 - NORM_EPSILON
    return {name: np.asarray(tensor.detach().numpy()) for name, tensor in found.items()}
