"""Reads sorted string tables of LevelDB, the format of the index of a TensorFlow checkpoint.

Format: https://github.com/google/leveldb/blob/main/doc/table_format.md; TensorFlow's copy of it has the same magic
number. Tables with a block that is compressed by Snappy are refused.
"""

from __future__ import annotations

import struct

from ..edge.protobuf import read_varint
from .crc32c import masked_crc32c

_MAGIC = 0xDB4775248B80FB57
_FOOTER_BYTES = 48
_TRAILER_BYTES = 5  # the kind of compression, then the checksum
_MAX_KEY_BYTES = 4096
_PLAIN, _SNAPPY = 0, 1


def read_table(data: bytes) -> dict[bytes, bytes]:
    """Return all keys and their values. Raises ValueError, in a few words, unless the table is whole and sound.

    Work and memory are bounded by the length of ``data``: blocks must follow each other and may not overlap.
    """
    if len(data) < _FOOTER_BYTES:
        raise ValueError("it is truncated")
    footer = data[-_FOOTER_BYTES:]
    if struct.unpack("<Q", footer[-8:])[0] != _MAGIC:
        raise ValueError("it does not end as a table does (wrong magic number)")
    _, _, at = _handle(footer, 0)  # filters, of which a checkpoint has none
    start, size, _ = _handle(footer, at)
    entries: dict[bytes, bytes] = {}
    end = 0
    for _, handle in _block(data, start, size):
        block_start, block_size, _ = _handle(handle, 0)
        if block_start < end:
            raise ValueError("its blocks overlap")
        end = block_start + block_size
        for key, value in _block(data, block_start, block_size):
            if key in entries:
                raise ValueError("a key occurs twice")
            entries[key] = value
    return entries


def _handle(data: bytes, at: int) -> tuple[int, int, int]:
    """Return the offset and the size of a block from its handle, and the offset after the handle."""
    offset, at = read_varint(data, at)
    size, at = read_varint(data, at)
    return offset, size, at


def _block(data: bytes, start: int, size: int) -> list[tuple[bytes, bytes]]:
    """Check the checksum of the block at ``start`` and return its entries."""
    if start + size + _TRAILER_BYTES > len(data) - _FOOTER_BYTES:
        raise ValueError("a block is outside it")
    if size < 4:
        raise ValueError("a block is too short")
    end = start + size
    kind, checksum = struct.unpack_from("<BI", data, end)
    if masked_crc32c(data[start : end + 1]) != checksum:
        raise ValueError("a block is damaged (wrong checksum)")
    if kind == _SNAPPY:
        raise ValueError("a block is compressed (Snappy), which is not supported")
    if kind != _PLAIN:
        raise ValueError(f"a block is compressed in an unknown way ({kind})")
    (restarts,) = struct.unpack_from("<I", data, end - 4)
    end -= 4 + 4 * restarts
    if end < start:
        raise ValueError("a block is too short")
    return _entries(data[start:end])


def _entries(block: bytes) -> list[tuple[bytes, bytes]]:
    """Return the entries of a block. A key is stored as the length shared with the previous key, and the rest."""
    found: list[tuple[bytes, bytes]] = []
    key, at = b"", 0
    while at < len(block):
        shared, at = read_varint(block, at)
        fresh, at = read_varint(block, at)
        size, at = read_varint(block, at)
        if shared > len(key) or fresh + size > len(block) - at:
            raise ValueError("an entry is truncated")
        if shared + fresh > _MAX_KEY_BYTES:
            raise ValueError("a key is too long")
        key = key[:shared] + block[at : at + fresh]
        at += fresh
        found.append((key, block[at : at + size]))
        at += size
    return found
