"""Classifies decoded pictures with ONNX networks run by onnxruntime.

``load`` takes the name of a built-in classifier, or the path of any ONNX file whose only input is a batch of RGB
pictures and whose first output is class scores:

- The input is [n, 3, h, w] or [n, h, w, 3], uint8 (0..255, unchanged) or float32.
- A float32 input is (x - mean) / std with ImageNet's mean and standard deviation. The model's metadata can set others:
  ``pnc.mean`` and ``pnc.std``, one number or three, on the scale 0..255.
- The output is [n, classes]. Softmax is applied unless it is a probability distribution, which a trial picture shows
  when the model is loaded.
- Weights and results together take at most ``MOST_BYTES``, the input at most ``MOST_INPUT_BYTES``.
- The metadata key ``labels`` has the names of the classes, one per line. Without it, 1,000 classes are ImageNet's in
  the order of synset ids.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from .builtin import DEFAULT_CLASSIFIER, NETWORKS, model_bytes, unknown
from .errors import ClassifierError
from .labels import labels_for
from .network import MOST_BYTES, Network
from .pictures import PICTURE_SIDE_PX
from .views import ONE_VIEW, View, together

__all__ = ["DEFAULT_CLASSIFIER", "MOST_BYTES", "Classifier", "ClassifierError", "load"]


def load(name_or_file: str = DEFAULT_CLASSIFIER, *, threads: int | None = None) -> Classifier:
    """Load a classifier.

    Args:
        name_or_file: ``efficientnet-lite0-pnc``, which is adapted to decoded prefixes; ``best``, in which a larger
            network looks at the picture as well; or an ONNX file.
        threads: number of threads that it computes with. None: as many as this process may use CPUs.

    Raises:
        ClassifierError: it is not installed, does not exist or is not a classifier of pictures.
    """
    if name_or_file in NETWORKS:
        first, *others = [
            Classifier(name_or_file, model_bytes(network), threads, views)
            for network, views in NETWORKS[name_or_file].items()
        ]
        return first.joined_by(*others)
    path = Path(name_or_file)
    if not os.path.isfile(path):
        raise unknown(name_or_file)
    return Classifier(path.name, path, threads)


class Classifier:
    """Names what is in a picture, by a network or several. ``load_classifier`` makes one.

    Its ``name`` is that of the model or file, ``labels`` are the names of its classes. Several threads may use it at
    once.
    """

    name: str
    labels: Sequence[str]

    def __init__(
        self, name: str, model: bytes | Path, threads: int | None = None, views: Sequence[View] = ONE_VIEW
    ) -> None:
        """Open a serialized ONNX model, or the one in a file, that sees each picture in these views.

        Raises ClassifierError.
        """
        self.name = name
        network = Network(name, model, threads, views)
        self._networks = [network]
        self.labels = labels_for(network.classes, network.metadata.get("labels"))

    def joined_by(self, *others: Classifier) -> Self:
        """Return a classifier whose answers are the geometric mean of this one's and those of others.

        Raises ValueError if their classes differ.
        """
        if any(other.labels != self.labels for other in others):
            raise ValueError("classifiers of different classes have no common answer")
        joined = copy.copy(self)
        joined._networks = [*self._networks, *(network for other in others for network in other._networks)]
        return joined

    def probabilities(self, pictures: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Return the probability of every class for each picture.

        Args:
            pictures: uint8 [n, 224, 224, 3] RGB.

        Returns:
            float32 [n, classes]; each row is a probability distribution.

        Raises:
            ValueError: the array has another shape or type.
            ClassifierError: the network fails.
        """
        if pictures.dtype != np.uint8 or pictures.shape[1:] != (PICTURE_SIDE_PX, PICTURE_SIDE_PX, 3):
            raise ValueError(f"pictures are {pictures.dtype} {pictures.shape}, not uint8 [n, 224, 224, 3]")
        rows = [row for network in self._networks for row in network.probabilities(pictures)]
        return rows[0] if len(rows) == 1 else together(rows)

    def top(self, picture: npt.NDArray[np.uint8], k: int = 5) -> list[tuple[int, str, float]]:
        """Return the ``k`` most probable classes of a picture, best first: index, label, probability (0..1).

        The picture is uint8 [224, 224, 3] RGB. Raises what ``probabilities`` raises.
        """
        return self.top_of_each(picture[np.newaxis], k)[0]

    def top_of_each(self, pictures: npt.NDArray[np.uint8], k: int = 5) -> list[list[tuple[int, str, float]]]:
        """Return what ``top`` returns, for each of several pictures, uint8 [n, 224, 224, 3], in one run."""
        rows = self.probabilities(pictures)
        best = np.argsort(-rows, axis=1, kind="stable")[:, :k]
        return [
            [(int(index), self.labels[index], float(row[index])) for index in first]
            for row, first in zip(rows, best, strict=True)
        ]

    def with_threads(self, threads: int) -> Self:
        """Return the same classifier with networks of its own that compute with so many threads.

        Raises ClassifierError if it cannot be opened again.
        """
        other = copy.copy(self)
        other._networks = [network.with_threads(threads) for network in self._networks]
        return other
