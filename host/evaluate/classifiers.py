"""The classifiers that pictures are judged with: an edge server's, those as published, and files."""

from __future__ import annotations

import hashlib
import os
from importlib.metadata import version
from pathlib import Path

from ..edge import builtin, classifier, sureness
from ..edge.classifier import Classifier
from ..edge.sureness import Sureness
from ..reference.efficientnet import published

NAMES = (*published.NAMES, *builtin.NAMES)
#: What a codec is judged with, unless another one is asked for: a network that knows no codec.
DEFAULT_CLASSIFIER = published.YARDSTICK


def load_classifier(name_or_file: str = DEFAULT_CLASSIFIER, *, threads: int | None = None) -> Classifier:
    """Load a classifier.

    Args:
        name_or_file: a name in ``NAMES``, or an ONNX file.
        threads: number of threads that it computes with. None: as many as this process may use CPUs.

    Raises:
        ClassifierError: it is not installed, does not exist or is not a classifier of pictures.
    """
    if name_or_file in published.NAMES:
        return published.load(name_or_file, threads=threads)
    if name_or_file not in NAMES and not os.path.isfile(name_or_file):
        raise builtin.unknown(name_or_file, NAMES)
    return classifier.load(name_or_file, threads=threads)


def load_sureness(name_or_file: str) -> Sureness:
    """Load the curve of a classifier. Raises ClassifierError if it has none, or if the file cannot be used."""
    if name_or_file in published.NAMES:
        return published.load_sureness(name_or_file)
    return sureness.load_sureness(name_or_file)


def classifier_identity(name_or_file: str) -> dict[str, object]:
    """Return a digest of the classifier's model and the version of onnxruntime, ready for JSON."""
    if name_or_file in published.NAMES:
        model = published.model_bytes(name_or_file)
    elif name_or_file in builtin.NAMES:
        networks = builtin.NETWORKS[name_or_file]
        model = b"".join(builtin.model_bytes(network) + repr(views).encode() for network, views in networks.items())
    else:
        model = Path(name_or_file).read_bytes()
    return {"model": hashlib.sha256(model).hexdigest(), "onnxruntime": version("onnxruntime")}
