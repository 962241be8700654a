"""What TensorFlow wrote and answered, and a writer of checkpoints with any fault in them."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np

from host.codec import CodecError
from host.reference.checkpoint import DATA, INDEX
from host.reference.crc32c import masked_crc32c

SAVED = Path(__file__).parents[1] / "data" / "reference"
#: Filters of the decoder that TensorFlow wrote.
WIDTH = 8
MAGIC = struct.pack("<Q", 0xDB4775248B80FB57)


def tensorflow_picture(shift: int = 5) -> np.ndarray:
    """The picture that TensorFlow encoded (see ``make_savedmodel.py``), uint8 [224, 224, 3]."""
    y, x, c = np.ogrid[:224, :224, :3]
    return ((37 * y + 91 * x + 53 * c + x * y // 16 + shift) % 256).astype(np.uint8)


def tensorflow_latent() -> np.ndarray:
    """The latent that TensorFlow decoded, float32 [32, 32, 10]."""
    y, x, c = np.ogrid[:32, :32, :10]
    return ((29 * y + 17 * x + 41 * c + x * y) % 65 / np.float32(64)).astype(np.float32)


def complaint(call: Callable[[], object]) -> str | None:
    """What a call says that refuses a file; None if it takes it. Any other error passes."""
    try:
        call()
    except (CodecError, ValueError) as error:
        return str(error)
    return None


def varint(value: int) -> bytes:
    out = b""
    while value >= 0x80:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def message(*parts: tuple[int, int | bytes]) -> bytes:
    """Fields with a number each: varints and bytes."""
    out = b""
    for number, value in parts:
        if isinstance(value, int):
            out += varint(number << 3) + varint(value)
        else:
            out += varint(number << 3 | 2) + varint(len(value)) + value
    return out


def header(shards: int = 1, endianness: int = 0) -> bytes:
    return message((1, shards), (2, endianness), (3, message((1, 1))))


def entry(array: np.ndarray, offset: int = 0, kind: int = 1, **changes: int) -> bytes:
    """A BundleEntryProto for ``array``; ``changes``: shard, size, checksum."""
    content = array.tobytes()
    shape = b"".join(message((2, message((1, side)))) for side in array.shape)
    checksum = changes.get("checksum", masked_crc32c(content))
    numbers = ((1, kind), (2, shape), (3, changes.get("shard", 0)), (4, offset), (5, changes.get("size", len(content))))
    return message(*numbers) + varint(6 << 3 | 5) + struct.pack("<I", checksum)


def block(entries: list[tuple[bytes, bytes]], kind: int = 0) -> bytes:
    """With its trailer; no prefixes are shared."""
    body = b"".join(varint(0) + varint(len(k)) + varint(len(v)) + k + v for k, v in entries)
    body += struct.pack("<II", 0, 1) + bytes([kind])
    return body + struct.pack("<I", masked_crc32c(body))


def table(*blocks: bytes, handles: list[tuple[int, int]] | None = None) -> bytes:
    """A table of these blocks; ``handles``: where the index says that they are."""
    body, true_handles = b"", []
    for piece in blocks:
        true_handles.append((len(body), len(piece) - 5))
        body += piece
    index = block(
        [(b"%03d" % place, varint(start) + varint(size)) for place, (start, size) in enumerate(handles or true_handles)]
    )
    footer = varint(0) + varint(0) + varint(len(body)) + varint(len(index) - 5)
    return body + index + footer.ljust(40, b"\0") + MAGIC


def write_saved(folder: Path, index: bytes, data: bytes) -> Path:
    (folder / "variables").mkdir(parents=True, exist_ok=True)
    (folder / INDEX).write_bytes(index)
    (folder / DATA).write_bytes(data)
    return folder


def saved(folder: Path, arrays: dict[str, np.ndarray]) -> Path:
    """A SavedModel with these variables, float32 or float64."""
    entries, data = [(b"", header())], b""
    for name, array in sorted(arrays.items()):
        kind = 1 if array.dtype == np.float32 else 2
        entries.append((f"{name}/.ATTRIBUTES/VARIABLE_VALUE".encode(), entry(array, offset=len(data), kind=kind)))
        data += array.tobytes()
    return write_saved(folder, table(block(entries)), data)
