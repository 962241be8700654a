"""What a classifier is to say about a picture of which it sees only a prefix: what is said of the original."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from ...edge.classifier import Classifier


class Goals(NamedTuple):
    """Probabilities float32 [n, classes], and feature maps float16 [n, ...]."""

    answers: npt.NDArray[np.float32]
    maps: tuple[npt.NDArray[np.float16], ...] = ()


class Teacher(Protocol):
    """Says what the goals for original pictures are."""

    def goals(self, pictures: npt.NDArray[np.uint8], /) -> Goals:
        """Return the goals for pictures uint8 [n, 224, 224, 3]."""
        ...


class ClassifierTeacher:
    """Classifiers in ONNX: the goal is the mean of their answers."""

    def __init__(self, classifiers: Sequence[Classifier]) -> None:
        self._classifiers = classifiers

    def goals(self, pictures: npt.NDArray[np.uint8]) -> Goals:
        """Return the goals for pictures uint8 [n, 224, 224, 3]."""
        said = [classifier.probabilities(pictures) for classifier in self._classifiers]
        return Goals(np.asarray(np.mean(said, axis=0), np.float32))
