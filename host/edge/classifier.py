"""Classifies decoded pictures with an ONNX network run by onnxruntime.

``load`` takes the name of a built-in classifier or the path of any ONNX file with one input of RGB pictures
and class scores as its first output:

- input [n, 3, h, w] or [n, h, w, 3], uint8 (0..255 as they are) or float32;
- a float32 input gets (x - mean) / std with ImageNet's mean and standard deviation, unless the model's
  metadata say otherwise: ``pnc.mean`` and ``pnc.std``, one number or three, on the scale 0..255;
- output [n, classes]; where it is no probability distribution, softmax is applied (found out by one trial
  picture when the model is loaded);
- names of the classes from the metadata key ``labels``, one a line; without it 1,000 classes are taken to be
  ImageNet's in the order of synset ids.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..codec.errors import CodecError
from ..codec.onnx_session import first_line, open_session
from .builtin import model_bytes
from .efficientnet_lite import VARIANTS
from .errors import ClassifierError
from .labels import labels_for
from .pictures import PICTURE_SIDE_PX, InputForm, input_form

__all__ = ["DEFAULT_CLASSIFIER", "Classifier", "ClassifierError", "load"]

DEFAULT_CLASSIFIER = "efficientnet-lite0"

# Pictures in one run: bounds the memory; more are not faster on a CPU.
_BATCH = 8
_SUM_TOLERANCE = 1e-3


def load(name_or_file: str = DEFAULT_CLASSIFIER, *, threads: int | None = None) -> Classifier:
    """The classifier of that name (``efficientnet-lite0``, ``-lite1``, ``-lite2``) or in that ONNX file.

    ``threads``: how many it computes with; all the CPUs that this process may use if None.
    Raises ``ClassifierError`` with one line that names what is missing or wrong.
    """
    if name_or_file in VARIANTS:
        return Classifier(name_or_file, model_bytes(name_or_file), threads)
    path = Path(name_or_file)
    if not os.path.isfile(path):
        known = ", ".join(VARIANTS)
        raise ClassifierError(f"{name_or_file} is neither a file nor a classifier's name ({known})")
    return Classifier(path.name, path, threads)


class Classifier:
    """A network that names what is in a picture. May be used from several threads at once."""

    name: str
    labels: Sequence[str]

    def __init__(self, name: str, model: bytes | Path, threads: int | None = None) -> None:
        """``model``: a serialized ONNX model, or the path of one. Raises ``ClassifierError``."""
        self.name = name
        try:
            self._session = open_session(name, model, threads)
        except CodecError as error:
            raise ClassifierError.of(error) from error
        metadata = self._session.get_modelmeta().custom_metadata_map
        inputs = self._session.get_inputs()
        try:
            if len(inputs) != 1:
                raise ClassifierError(f"it has {len(inputs)} inputs: one is served")
            self._form: InputForm = input_form(inputs[0].shape, inputs[0].type, metadata)
            self._input: str = inputs[0].name
            self._output: str = self._session.get_outputs()[0].name
            trial = self._scores(_trial_picture())
        except ClassifierError as error:
            raise ClassifierError(f"{name} cannot serve as a classifier: {error}") from error
        self._gives_probabilities = bool(trial.min() >= 0 and abs(trial.sum() - 1) < _SUM_TOLERANCE)
        self.labels = labels_for(trial.shape[1], metadata.get("labels"))

    def probabilities(self, pictures: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """uint8 [n, 224, 224, 3] to float32 [n, classes], each row a probability distribution.

        Raises ``ValueError`` for another shape or type, ``ClassifierError`` when the network fails.
        """
        if pictures.dtype != np.uint8 or pictures.shape[1:] != (PICTURE_SIDE_PX, PICTURE_SIDE_PX, 3):
            raise ValueError(f"pictures are {pictures.dtype} {pictures.shape}, not uint8 [n, 224, 224, 3]")
        size = self._form.batch or _BATCH
        parts = [self._scores(pictures[start : start + size]) for start in range(0, len(pictures), size)]
        scores = np.concatenate(parts) if parts else np.empty((0, len(self.labels)), np.float32)
        return scores if self._gives_probabilities else _softmax(scores)

    def top(self, picture: npt.NDArray[np.uint8], k: int = 5) -> list[tuple[int, str, float]]:
        """The ``k`` likeliest classes of one uint8 [224, 224, 3] picture, best first: index, name,
        probability (0..1)."""
        row = self.probabilities(picture[np.newaxis])[0]
        best = np.argsort(-row, kind="stable")[:k]
        return [(int(index), self.labels[index], float(row[index])) for index in best]

    def _scores(self, pictures: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """The network's first output for at most one batch of pictures, float32 [n, classes]."""
        count = len(pictures)
        if self._form.batch and count < self._form.batch:
            pictures = np.concatenate([pictures, np.repeat(pictures[-1:], self._form.batch - count, axis=0)])
        try:
            output = self._session.run([self._output], {self._input: self._form.prepare(pictures)})[0]
        except Exception as error:  # onnxruntime's errors have no base class of their own
            raise ClassifierError(f"onnxruntime: {first_line(error)}") from error
        if not isinstance(output, np.ndarray) or output.ndim != 2 or len(output) != len(pictures):
            shape = getattr(output, "shape", type(output).__name__)
            raise ClassifierError(f"{len(pictures)} pictures give {shape}: [n, classes] is served")
        scores = output[:count].astype(np.float32)
        if scores.shape[1] == 0 or not np.isfinite(scores).all():
            raise ClassifierError("its output is not a row of finite numbers")
        return scores


def _trial_picture() -> npt.NDArray[np.uint8]:
    ramp = np.linspace(0, 255, PICTURE_SIDE_PX).astype(np.uint8)
    shape = (1, PICTURE_SIDE_PX, PICTURE_SIDE_PX, 3)
    return np.ascontiguousarray(np.broadcast_to(ramp[:, np.newaxis], shape))


def _softmax(scores: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)
