"""Writes classifiers as ONNX models: the one that ships, and those of users."""

from __future__ import annotations

import inspect
import io
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import torch
from torch import Tensor

from ...codec import SIDE
from ...codec.weights import kind_of
from ...edge.classifier import Classifier
from ...edge.errors import ClassifierError
from ...reference.efficientnet.graph import build
from ..files import write
from ..photos import TrainingError
from .network import NORM_EPSILON, LiteNetwork, NormedConv
from .own import OwnNetwork
from .recipe import ClassifierRecipe

_OPSET = 17
#: The largest difference of a probability between torch's and onnxruntime's results.
_TOLERANCE = 1e-3
#: Tiles along a side of the pictures that they are compared with.
_TILES = 8


def model_path(recipe: ClassifierRecipe, out: Path) -> Path:
    """Name the file that ``export_classifier`` writes in ``out``."""
    return out / f"{recipe.network}-pnc.onnx"


def state_path(recipe: ClassifierRecipe, out: Path) -> Path:
    """Name the file of torch's weights that ``export_own`` writes in ``out``."""
    return model_path(recipe, out).with_suffix(".pt")


def export_classifier(network: LiteNetwork, recipe: ClassifierRecipe, out: Path) -> Path:
    """Write the network, its filters with ``filter_bits``. Raises TrainingError when the disk refuses."""
    path = model_path(recipe, out)
    notes = _notes(recipe, path) | {"version": str(recipe.version)}
    write(build(recipe.network, tensors_of(network), bits=recipe.filter_bits, any_side=True, metadata=notes), path)
    return path


def export_own(network: OwnNetwork, recipe: ClassifierRecipe, out: Path, labels: Sequence[str]) -> list[Path]:
    """Write a user's network: its state dictionary, and the ONNX model, with its classes' names if there are any.

    Raises TrainingError when the disk refuses, or if torch cannot write the network as ONNX.
    """
    path, state = model_path(recipe, out), state_path(recipe, out)
    buffer = io.BytesIO()
    torch.save(network.network.state_dict(), buffer)
    write(buffer.getbuffer(), state)
    notes = _notes(recipe, path) | ({"labels": "\n".join(labels)} if labels else {})
    try:
        model = _onnx_model(network, notes)
        _compare(network, Classifier(path.name, model, threads=1))
    except ClassifierError as error:
        raise TrainingError(f"{state} is written, but not {path.name}: {error}; export the network yourself") from error
    write(model, path)
    return [state, path]


def _notes(recipe: ClassifierRecipe, path: Path) -> dict[str, str]:
    kind = kind_of(recipe.codec)
    return {"name": path.stem, "codec": f"{kind.name} version {kind.version}"}


def _onnx_model(network: OwnNetwork, notes: Mapping[str, str]) -> bytes:
    """Return the network as ONNX, of any number of pictures. Raises ClassifierError if torch cannot do that."""
    options: dict[str, Any] = {"input_names": ["pictures"], "output_names": ["scores"], "opset_version": _OPSET}
    options["dynamic_axes"] = {"pictures": {0: "n"}, "scores": {0: "n"}}
    # The exporter that is the default from torch 2.9 on needs the package onnxscript:
    # https://docs.pytorch.org/docs/stable/onnx_export.html
    if "dynamo" in inspect.signature(torch.onnx.export).parameters:
        options["dynamo"] = False
    try:
        with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
            warnings.simplefilter("ignore")
            file = Path(folder, "network.onnx")
            torch.onnx.export(network.network, (torch.zeros(2, 3, SIDE, SIDE),), file, **options)
            model = onnx.load(file)
    except Exception as error:  # its errors have no common base class
        text = str(error).strip().partition("\n")[0]
        raise ClassifierError(f"torch cannot export it ({type(error).__name__}: {text})") from error
    onnx.helper.set_model_props(model, dict(notes))
    return bytes(model.SerializeToString())


def _compare(network: OwnNetwork, exported: Classifier) -> None:
    """Raise ClassifierError unless the model computes what the network computes, of another number of pictures."""
    tiles = np.random.default_rng(0).integers(0, 256, (3, _TILES, _TILES, 3), np.uint8)
    pictures = tiles.repeat(SIDE // _TILES, axis=1).repeat(SIDE // _TILES, axis=2)
    with torch.no_grad():
        wanted = torch.softmax(network(torch.from_numpy(pictures)).float(), 1).numpy()
    apart = float(np.abs(exported.probabilities(pictures) - wanted).max())
    if apart > _TOLERANCE:
        raise ClassifierError(f"as ONNX it computes something else (probabilities differ by {apart:.3f})")


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
