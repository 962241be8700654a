"""Reads the fields of a protocol buffer message without its schema: of an ONNX file, of a checkpoint's index.

Format: https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

#: Pieces of a memoryview are not copied.
Data = TypeVar("Data", bytes, memoryview)

_VARINT_BITS = 64


def read_varint(data: bytes | memoryview, at: int) -> tuple[int, int]:
    """Return the number at ``at`` and the offset after it. Raises ValueError if it is truncated or over 64 bits."""
    value = 0
    for shift in range(0, _VARINT_BITS, 7):
        if at >= len(data):
            raise ValueError("a number is truncated")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            if value >> _VARINT_BITS:
                break
            return value, at
    raise ValueError("a number has more than 64 bits")


def fields(data: Data) -> Iterator[tuple[int, int | Data]]:
    """Yield number and value of each field. Raises ValueError if ``data`` is not a message.

    The value is an int for varints and for fixed-width fields (little-endian, unsigned), for all others a part of
    ``data``.
    """
    at = 0
    while at < len(data):
        key, at = read_varint(data, at)
        number, kind = key >> 3, key & 7
        if kind == 0:
            value, at = read_varint(data, at)
            yield number, value
            continue
        size = {1: 8, 5: 4}.get(kind)
        if kind == 2:
            size, at = read_varint(data, at)
        if size is None:
            raise ValueError(f"a field of an unknown kind ({kind})")
        if size > len(data) - at:
            raise ValueError("a field is truncated")
        piece = data[at : at + size]
        at += size
        yield number, piece if kind == 2 else int.from_bytes(piece, "little")
