"""Reads the variables of a TensorFlow SavedModel, without TensorFlow.

``variables/variables.index`` is a table (see ``table.py``) from each variable's name to a BundleEntryProto, and under
the empty name a BundleHeaderProto; ``variables/variables.data-00000-of-00001`` holds the numbers. Messages:
https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/protobuf/tensor_bundle.proto
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..codec.errors import CodecError
from ..edge.protobuf import fields
from ..files import read_file
from .crc32c import masked_crc32c
from .table import read_table

INDEX = "variables/variables.index"
DATA = "variables/variables.data-00000-of-00001"
#: A whole autoencoder with its classifier has 23 MB of variables, in an index of some kilobytes.
MAX_INDEX_BYTES = 1 << 20
MAX_DATA_BYTES = 64 << 20
_MAX_DIMENSIONS = 8
_STRING = 7
#: DataType of TensorFlow's types.proto -> numpy's name.
_TYPES = {1: "<f4", 2: "<f8", 3: "<i4", 4: "u1", 5: "<i2", 6: "i1", 9: "<i8", 10: "?", 17: "<u2", 19: "<f2"}
_TYPES |= {22: "<u4", 23: "<u8"}


@dataclass
class _Entry:
    """A BundleEntryProto."""

    kind: int = 0
    shape: list[int] = field(default_factory=list)
    shard: int = 0
    offset: int = 0
    size: int = 0
    checksum: int = 0
    sliced: bool = False


def read_variables(folder: Path) -> dict[str, np.ndarray]:
    """Return the numeric variables of the SavedModel in ``folder`` by name.

    Raises CodecError, in one line that names the file, when it is missing, cut short, damaged or too large, or when it
    has an unsupported feature: several shards, sliced variables, other types, numbers that are not little-endian.
    """
    index, data = folder / INDEX, folder / DATA
    try:
        entries = {name.decode(): value for name, value in read_table(_read(index, MAX_INDEX_BYTES)).items()}
        _check_header(entries.pop("", None))
        variables = {name: _entry(message) for name, message in entries.items()}
    except ValueError as error:
        raise CodecError(f"{index}: not the index of a TensorFlow checkpoint: {_words(error)}") from None
    content = _read(data, MAX_DATA_BYTES)
    numeric = {name: entry for name, entry in variables.items() if entry.kind != _STRING}
    if sum(entry.size for entry in numeric.values()) > len(content):
        raise CodecError(f"{data}: it is truncated, or its index belongs to another file")
    arrays = {}
    for name, entry in numeric.items():
        try:
            arrays[name] = _array(entry, content)
        except ValueError as error:
            raise CodecError(f"{data}: {name}: {error}") from None
    return arrays


def _read(path: Path, limit_bytes: int) -> bytes:
    missing = "; the folder of a SavedModel has one of this name"
    return read_file(path, limit_bytes, "a checkpoint of this network", CodecError, missing=missing)


def _words(error: ValueError) -> str:
    return "a name is not text" if isinstance(error, UnicodeDecodeError) else str(error)


def _check_header(message: bytes | None) -> None:
    """Raise ValueError unless one file holds all variables, little-endian."""
    if message is None:
        raise ValueError("it has no header")
    header = dict(fields(message))
    shards = header.get(1, 0)
    if shards != 1:
        raise ValueError(f"{shards!r} files hold the variables, one is read")
    if header.get(2, 0) != 0:
        raise ValueError("numbers are not little-endian")


def _entry(message: bytes) -> _Entry:
    entry = _Entry()
    for number, value in fields(message):
        if isinstance(value, bytes):
            if number == 2:
                entry.shape = _shape(value)
            entry.sliced |= number == 7
        elif number == 1:
            entry.kind = value
        elif number == 3:
            entry.shard = value
        elif number == 4:
            entry.offset = value
        elif number == 5:
            entry.size = value
        elif number == 6:
            entry.checksum = value
    return entry


def _shape(message: bytes) -> list[int]:
    """Return the sizes in a TensorShapeProto."""
    sizes = []
    for number, value in fields(message):
        if number == 2 and isinstance(value, bytes):
            sizes.append(dict(fields(value)).get(1, 0))
    if len(sizes) > _MAX_DIMENSIONS or not all(isinstance(size, int) for size in sizes):
        raise ValueError("a variable's shape is invalid")
    return [int(size) for size in sizes]


def _array(entry: _Entry, content: bytes) -> np.ndarray:
    """Return the numbers of one variable. Raises ValueError, in a few words."""
    if entry.kind not in _TYPES:
        raise ValueError(f"of an unsupported type ({entry.kind})")
    if entry.sliced or entry.shard != 0:
        raise ValueError("split over several places, which is not supported")
    kind = np.dtype(_TYPES[entry.kind])
    if math.prod(entry.shape) * kind.itemsize != entry.size:
        raise ValueError(f"{entry.size} bytes do not make {entry.shape} of {kind}")
    if entry.offset + entry.size > len(content):
        raise ValueError("it is outside the file, which is truncated or has another file's index")
    piece = content[entry.offset : entry.offset + entry.size]
    if masked_crc32c(piece) != entry.checksum:
        raise ValueError("damaged (wrong checksum)")
    return np.frombuffer(piece, kind).reshape(entry.shape)
