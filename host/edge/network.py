"""One ONNX network run by onnxruntime: what may be its input, and how probable it says each class is."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from ..codec.errors import CodecError
from ..codec.onnx_session import first_line, open_session
from ..errors import Reason
from .errors import ClassifierError
from .onnx_size import weight_bytes
from .pictures import PICTURE_SIDE_PX, InputSpec, input_spec
from .views import ONE_VIEW, View

# Pictures in one run. It limits the memory; a larger batch is not faster on a CPU.
_BATCH = 8
_SUM_TOLERANCE = 1e-3
#: Most memory for the tensors of a classifier of the user's, weights and results; most of it for its input.
MOST_BYTES, MOST_INPUT_BYTES = 2 << 30, 256 << 20
#: The wire numbers classes with 16 bits.
MOST_CLASSES = 1 << 16


class Network:
    """A network that sees pictures in some views.

    ``metadata`` is the model's, ``classes`` the number of its classes. Several threads may use it at once.
    """

    metadata: Mapping[str, str]
    classes: int

    def __init__(
        self, name: str, model: bytes | Path, threads: int | None = None, views: Sequence[View] = ONE_VIEW
    ) -> None:
        """Open a serialized ONNX model, or the one in a file. Raises ClassifierError, which calls it ``name``."""
        self._name = name
        self._model = model
        self._views = views
        self._check_size()
        self._open(threads)
        self.metadata = self._session.get_modelmeta().custom_metadata_map
        inputs = self._session.get_inputs()
        try:
            if len(inputs) != 1:
                raise ClassifierError(f"it has {len(inputs)} inputs: only one is supported")
            self._spec: InputSpec = input_spec(inputs[0].shape, inputs[0].type, self.metadata)
            _check_declared(self._spec, self._session.get_outputs()[0].shape)
            self._input: str = inputs[0].name
            self._output: str = self._session.get_outputs()[0].name
            trial = self._scores(_trial_picture(), self._spec)
        except ClassifierError as error:
            raise ClassifierError(f"{name} cannot serve as a classifier: {error}", reason=Reason.BAD_FILE) from error
        self._gives_probabilities = bool(trial.min() >= 0 and abs(trial.sum() - 1) < _SUM_TOLERANCE)
        self.classes = trial.shape[1]

    def probabilities(self, pictures: npt.NDArray[np.uint8]) -> list[npt.NDArray[np.float32]]:
        """Return how probable each class is, float32 [n, classes] for each view of pictures uint8 [n, 224, 224, 3].

        Raises ClassifierError if the network fails.
        """
        return [self._seen(view.of(pictures), view.spec(self._spec)) for view in self._views]

    def with_threads(self, threads: int) -> Self:
        """Return the same network that computes with so many threads. Raises ClassifierError if it cannot be opened."""
        other = copy.copy(self)
        other._open(threads)
        return other

    def _seen(self, pictures: npt.NDArray[np.uint8], spec: InputSpec) -> npt.NDArray[np.float32]:
        """Return the probabilities of one view of pictures."""
        size = spec.batch or _BATCH
        parts = [self._scores(pictures[start : start + size], spec) for start in range(0, len(pictures), size)]
        scores = np.concatenate(parts) if parts else np.empty((0, self.classes), np.float32)
        return scores if self._gives_probabilities else _softmax(scores)

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
            raise ClassifierError(f"{self._name} cannot serve as a classifier: {text}", reason=Reason.BAD_FILE)

    def _open(self, threads: int | None) -> None:
        try:
            limit = None if isinstance(self._model, bytes) else MOST_BYTES
            self._session = open_session(self._name, self._model, threads, limit)
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
