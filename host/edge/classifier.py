"""Classifies decoded pictures with an ONNX network run by onnxruntime.

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

from ..codec.errors import CodecError
from ..codec.onnx_session import first_line, open_session
from ..errors import Reason
from .builtin import DEFAULT_CLASSIFIER, VIEWS, model_bytes, unknown
from .errors import ClassifierError
from .labels import labels_for
from .onnx_size import weight_bytes
from .pictures import PICTURE_SIDE_PX, InputSpec, input_spec
from .views import ONE_VIEW, View, together

__all__ = ["DEFAULT_CLASSIFIER", "Classifier", "ClassifierError", "load"]

# Pictures in one run. It limits the memory; a larger batch is not faster on a CPU.
_BATCH = 8
_SUM_TOLERANCE = 1e-3
#: Most memory for the tensors of a classifier of the user's, weights and results; most of it for its input.
MOST_BYTES, MOST_INPUT_BYTES = 2 << 30, 256 << 20
#: The wire numbers classes with 16 bits.
MOST_CLASSES = 1 << 16


def load(name_or_file: str = DEFAULT_CLASSIFIER, *, threads: int | None = None) -> Classifier:
    """Load a classifier.

    Args:
        name_or_file: ``efficientnet-lite0-pnc``, which is adapted to decoded prefixes; ``best``, which is the same
            network and looks at each picture twice; or an ONNX file.
        threads: number of threads that it computes with. None: as many as this process may use CPUs.

    Raises:
        ClassifierError: it is not installed, does not exist or is not a classifier of pictures.
    """
    if name_or_file in VIEWS:
        return Classifier(name_or_file, model_bytes(name_or_file), threads, VIEWS[name_or_file])
    path = Path(name_or_file)
    if not os.path.isfile(path):
        raise unknown(name_or_file)
    return Classifier(path.name, path, threads)


class Classifier:
    """A network that names what is in a picture. ``load_classifier`` makes one.

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
        self._model = model
        self._views = views
        self._check_size()
        self._open(threads)
        metadata = self._session.get_modelmeta().custom_metadata_map
        inputs = self._session.get_inputs()
        try:
            if len(inputs) != 1:
                raise ClassifierError(f"it has {len(inputs)} inputs: only one is supported")
            self._spec: InputSpec = input_spec(inputs[0].shape, inputs[0].type, metadata)
            _check_declared(self._spec, self._session.get_outputs()[0].shape)
            self._input: str = inputs[0].name
            self._output: str = self._session.get_outputs()[0].name
            trial = self._scores(_trial_picture(), self._spec)
        except ClassifierError as error:
            raise ClassifierError(f"{name} cannot serve as a classifier: {error}", reason=Reason.BAD_FILE) from error
        self._gives_probabilities = bool(trial.min() >= 0 and abs(trial.sum() - 1) < _SUM_TOLERANCE)
        self.labels = labels_for(trial.shape[1], metadata.get("labels"))

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
        rows = [self._seen(view.of(pictures), view.spec(self._spec)) for view in self._views]
        return rows[0] if len(rows) == 1 else together(rows)

    def _seen(self, pictures: npt.NDArray[np.uint8], spec: InputSpec) -> npt.NDArray[np.float32]:
        """Return the probabilities of one view of pictures."""
        size = spec.batch or _BATCH
        parts = [self._scores(pictures[start : start + size], spec) for start in range(0, len(pictures), size)]
        scores = np.concatenate(parts) if parts else np.empty((0, len(self.labels)), np.float32)
        return scores if self._gives_probabilities else _softmax(scores)

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
        """Return the same classifier with a network of its own that computes with so many threads.

        Raises ClassifierError if it cannot be opened again.
        """
        other = copy.copy(self)
        other._open(threads)
        return other

    def _check_size(self) -> None:
        """Raise ClassifierError if a file declares more weights than there is memory for."""
        if isinstance(self._model, bytes):
            return
        try:
            size = weight_bytes(self._model)
        except OSError as error:
            text = f"{self._model}: cannot be read ({error.strerror})"
            raise ClassifierError(text, reason=Reason.BAD_FILE) from error
        if size > MOST_BYTES:
            text = f"its weights have {_megabytes(size)}, and {_megabytes(MOST_BYTES)} are the limit"
            raise ClassifierError(f"{self.name} cannot serve as a classifier: {text}", reason=Reason.BAD_FILE)

    def _open(self, threads: int | None) -> None:
        try:
            limit = None if isinstance(self._model, bytes) else MOST_BYTES
            self._session = open_session(self.name, self._model, threads, limit)
        except CodecError as error:
            raise ClassifierError.of(error) from error

    def _scores(self, pictures: npt.NDArray[np.uint8], spec: InputSpec) -> npt.NDArray[np.float32]:
        """Return the network's first output for at most one batch of pictures, float32 [n, classes]."""
        count = len(pictures)
        if spec.batch and count < spec.batch:
            pictures = np.concatenate([pictures, np.repeat(pictures[-1:], spec.batch - count, axis=0)])
        try:
            output = self._session.run([self._output], {self._input: spec.prepare(pictures)})[0]
        except Exception as error:  # onnxruntime's errors have no base class of their own
            raise ClassifierError(f"onnxruntime: {first_line(error)}") from error
        if not isinstance(output, np.ndarray) or output.ndim != 2 or len(output) != len(pictures):
            shape = getattr(output, "shape", type(output).__name__)
            raise ClassifierError(f"{len(pictures)} pictures give {shape}: [n, classes] is supported")
        scores = output[:count].astype(np.float32)
        if scores.shape[1] > MOST_CLASSES:
            raise ClassifierError(f"it has {scores.shape[1]} classes, and {MOST_CLASSES} are the limit")
        if scores.shape[1] == 0 or not np.isfinite(scores).all():
            raise ClassifierError("its output is not a row of finite numbers")
        return scores


def _check_declared(spec: InputSpec, output: Sequence[object]) -> None:
    """Raise ClassifierError if the shapes of input and output alone need too much memory."""
    size = (spec.batch or _BATCH) * spec.height_px * spec.width_px * 3 * (1 if spec.dtype == "uint8" else 4)
    if size > MOST_INPUT_BYTES:
        raise ClassifierError(f"its input has {_megabytes(size)}, and {_megabytes(MOST_INPUT_BYTES)} are the limit")
    classes = output[-1] if output else None
    if isinstance(classes, int) and classes > MOST_CLASSES:
        raise ClassifierError(f"it has {classes} classes, and {MOST_CLASSES} are the limit")


def _megabytes(size: int) -> str:
    return f"{size >> 20:,} MB"


def _trial_picture() -> npt.NDArray[np.uint8]:
    ramp = np.linspace(0, 255, PICTURE_SIDE_PX).astype(np.uint8)
    shape = (1, PICTURE_SIDE_PX, PICTURE_SIDE_PX, 3)
    return np.ascontiguousarray(np.broadcast_to(ramp[:, np.newaxis], shape))


def _softmax(scores: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)
