"""Reads the tensors of a torch ``.pth`` file without torch, and without executing anything in it.

A ``.pth`` file is a pickle, and a pickle is a program: it may name any function of any module and have it called. This
reader resolves four names only (``OrderedDict``, the function that rebuilds a tensor, and two kinds of storage), each
to an inert object of its own. Any other name ends the reading before anything is called.

The layout is torch's legacy one (``torch.save`` before version 1.6), which the weights packages use: the
pickles of a magic number, a version, the machine's sizes, the object and the list of storage keys; then for
each key the number of elements (int64, little-endian) and the elements themselves.
"""

from __future__ import annotations

import math
import pickle
import struct
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import numpy.typing as npt

from ...errors import PncError

_MAGIC = 0x1950A86A20F9469CFC6C
_VERSION = 1001
_ZIP_SIGNATURE = b"PK\x03\x04"
_MAX_DIMENSIONS = 8


class TorchFileError(PncError):
    """The file is not a plain dictionary of tensors in torch's legacy format; the message is one line."""


# A pickle may set the state of any object that it was given. Tuples have none.
class _StorageKind(NamedTuple):
    """Stand-in for a class of torch's storages."""

    dtype: str


class _Storage(NamedTuple):
    """Numbers that follow later in the file, under ``key``."""

    kind: _StorageKind
    key: str
    elements: int


class _Tensor(NamedTuple):
    """A view of a storage, as the pickle describes it."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def over(self, data: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return a copy of the view of a storage's numbers."""
        bytes_each = data.dtype.itemsize
        view = np.lib.stride_tricks.as_strided(
            data[self.offset :], self.shape, tuple(s * bytes_each for s in self.strides), writeable=False
        )
        return np.ascontiguousarray(view).reshape(self.shape)


class _RebuildTensor:
    """Stand-in for ``torch._utils._rebuild_tensor_v2``; has no attribute that a pickle could set."""

    __slots__ = ()

    def __call__(self, storage: object, offset: object, shape: object, strides: object, *_: object) -> _Tensor:
        if not isinstance(storage, _Storage):
            raise pickle.UnpicklingError("a tensor without a storage")
        start, sizes, steps = _natural(offset), _naturals(shape), _naturals(strides)
        if len(sizes) != len(steps):
            raise pickle.UnpicklingError("a tensor whose shape and strides differ in length")
        last = start + sum((size - 1) * step for size, step in zip(sizes, steps, strict=True))
        if not 0 < math.prod(sizes) <= storage.elements or last >= storage.elements:
            raise pickle.UnpicklingError("a tensor that is empty or larger than its storage")
        return _Tensor(storage, start, sizes, steps)


def _natural(value: object) -> int:
    if not isinstance(value, int) or value < 0:
        raise pickle.UnpicklingError(f"{value!r} in place of a count")
    return value


def _naturals(values: object) -> tuple[int, ...]:
    if not isinstance(values, tuple) or len(values) > _MAX_DIMENSIONS:
        raise pickle.UnpicklingError("a tensor's shape is not a short tuple")
    return tuple(_natural(value) for value in values)


_ALLOWED: dict[tuple[str, str], Callable[..., Any] | _StorageKind] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _RebuildTensor(),
    ("torch", "FloatStorage"): _StorageKind("<f4"),
    ("torch", "LongStorage"): _StorageKind("<i8"),
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        try:
            return _ALLOWED[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"it names {module}.{name}, which is not allowed") from None

    def persistent_load(self, pid: Any) -> _Storage:
        word, kind, key, _location, elements, view = pid
        if word != "storage" or not isinstance(kind, _StorageKind) or view is not None:
            raise pickle.UnpicklingError("a storage of an unsupported kind")
        return _Storage(kind, str(key), _natural(elements))


def read_tensors(path: Path) -> dict[str, npt.NDArray[Any]]:
    """Return the named tensors of a state dictionary, as read-only copies in C order.

    Raises ``OSError`` when the file cannot be read, and ``TorchFileError``, which names the file, when it is
    not a dictionary of float32 and int64 tensors.
    """
    size_bytes = path.stat().st_size
    with path.open("rb") as file:
        if file.peek(4)[:4] == _ZIP_SIGNATURE:
            raise TorchFileError(f"{path} is in torch's zip format; only the legacy format is read")
        try:
            return _read(file, size_bytes)
        except OSError:
            raise
        # A damaged pickle may raise nearly anything (the pickle module's documentation says so).
        except Exception as error:
            raise TorchFileError(f"{path} is not a file of weights: {error}") from error


def _read(file: BinaryIO, size_bytes: int) -> dict[str, npt.NDArray[Any]]:
    if _Unpickler(file).load() != _MAGIC or _Unpickler(file).load() != _VERSION:
        raise ValueError("the magic number is missing")
    if not _Unpickler(file).load()["little_endian"]:
        raise ValueError("it was written by a big-endian machine")
    tensors = _Unpickler(file).load()
    keys = _Unpickler(file).load()
    if not isinstance(tensors, dict) or not all(isinstance(t, _Tensor) for t in tensors.values()):
        raise ValueError("it holds something other than named tensors")
    storages = {tensor.storage.key: tensor.storage for tensor in tensors.values()}
    data: dict[str, npt.NDArray[Any]] = {}
    for key in keys:
        storage = storages[key]
        (elements,) = struct.unpack("<q", file.read(8))
        dtype = np.dtype(storage.kind.dtype)
        if elements != storage.elements or elements * dtype.itemsize > size_bytes - file.tell():
            raise ValueError(f"storage {key} is cut off or of another size than announced")
        data[key] = np.frombuffer(file.read(elements * dtype.itemsize), dtype)
    return {str(name): tensor.over(data[tensor.storage.key]) for name, tensor in tensors.items()}
