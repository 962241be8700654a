"""Picture files of kinds that Pillow does not write, and what is read of them."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

from host.codec import load_picture

SIDE = 224
#: A ramp from left to right, 0 to 1.
RAMP = np.tile(np.linspace(0, 1, SIDE), (SIDE, 1))


def read(path: Path) -> tuple[np.ndarray, list[str]]:
    """Return a picture as integers, and the notices without the name of its file."""
    notices: list[str] = []
    pixels = load_picture(path, notices.append)
    assert all(line.startswith(f"{path}: ") and "\n" not in line for line in notices)
    return pixels.astype(int), [line.removeprefix(f"{path}: ") for line in notices]


def saved(values: np.ndarray, path: Path) -> Path:
    Image.fromarray(values).save(path)
    return path


def grey_levels(pixels: np.ndarray) -> np.ndarray:
    """Return the levels of a grey picture's middle row."""
    assert np.abs(pixels - pixels[..., :1]).max() <= 1
    row: np.ndarray = pixels[SIDE // 2, :, 0]
    return row


def png_16(values: np.ndarray, icc: bytes = b"") -> bytes:
    """Write a PNG file with 16 bits a colour: uint16 [h, w, 2 to 4], the last of 2 and 4 is alpha."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    height, width, colours = values.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    header = struct.pack(">IIBBBBB", width, height, 16, {2: 4, 3: 2, 4: 6}[colours], 0, 0, 0)
    coloured = chunk(b"iCCP", b"profile\0\0" + zlib.compress(icc)) if icc else b""
    chunks = chunk(b"IHDR", header) + coloured + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def netpbm(values: np.ndarray, largest: int, *, plain: bool = False) -> bytes:
    """Write a PGM or PPM file: uint16 [h, w] or [h, w, 3]."""
    height, width, *colours = values.shape
    head = f"P{(3 if plain else 6) if colours else (2 if plain else 5)}\n{width} {height}\n{largest}\n".encode()
    if not plain:
        return head + values.astype(">u2").tobytes()
    rows = (" ".join(map(str, row.reshape(-1))) for row in values)
    return head + b"# the first row\n" + "\n".join(rows).encode() + b"\n"


def tiff_16(values: np.ndarray, order: str = "<", *, planes: bool = False, compressed: bool = False) -> bytes:
    """Write a TIFF file with 16 bits a colour: uint16 [h, w, 3], bytes in ``order``."""
    height, width, _ = values.shape
    parts = list(values.transpose(2, 0, 1)) if planes else [values]
    data = [part.astype(f"{order}u2").tobytes() for part in parts]
    data = [zlib.compress(part) for part in data] if compressed else data
    tags = [
        (256, width),
        (257, height),
        (258, [16] * 3),
        (259, 8 if compressed else 1),
        (262, 2),
        (273, [0] * len(data)),
    ]
    tags += [(277, 3), (278, height), (279, [len(part) for part in data]), (284, 2 if planes else 1)]
    start = 8 + 2 + 12 * len(tags) + 4
    outside = sum(4 * len(value) for _, value in tags if isinstance(value, list) and len(value) > 1)
    first = start + outside
    offsets = [first + sum(map(len, data[:number])) for number in range(len(data))]
    entries, lists = b"", b""
    for tag, given in tags:
        value = offsets if tag == 273 else given if isinstance(given, list) else [given]
        if len(value) == 1:
            entries += struct.pack(f"{order}HHII", tag, 4, 1, value[0])
        else:
            entries += struct.pack(f"{order}HHII", tag, 4, len(value), start + len(lists))
            lists += struct.pack(f"{order}{len(value)}I", *value)
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}IH", 8, len(tags))
    return head + entries + bytes(4) + lists + b"".join(data)


def sgi_16(values: np.ndarray) -> bytes:
    """Write an SGI file with 16 bits a colour: uint16 [h, w, 3 or 4]."""
    height, width, colours = values.shape
    head = struct.pack(">HBBHHHH", 474, 0, 2, 3, width, height, colours).ljust(512, b"\0")
    return head + values[::-1].transpose(2, 0, 1).astype(">u2").tobytes()


def profile(space: bytes, tags: dict[bytes, bytes], name: bytes = b"test") -> bytes:
    """Write an ICC profile of version 2 for a display (ICC.1:2001-04)."""
    common = {
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", len(name) + 1) + name + b"\0" + bytes(78),
        b"cprt": b"text\0\0\0\0none\0\0\0\0",
        b"wtpt": xyz(0.9642, 1.0, 0.8249),
    }
    table, content = b"", b""
    start = 128 + 4 + 12 * len(common | tags)
    for tag, data in (common | tags).items():
        padded = data + bytes(-len(data) % 4)
        table += tag + struct.pack(">II", start + len(content), len(data))
        content += padded
    size = start + len(content)
    header = struct.pack(">I4sI4s4s4s", size, b"lcms", 0x02100000, b"mntr", space, b"XYZ ") + bytes(12) + b"acsp"
    header += bytes(28) + struct.pack(">III", 0xF6D6, 0x10000, 0xD32D)
    return header.ljust(128, b"\0") + struct.pack(">I", len(common | tags)) + table + content


def xyz(*values: float) -> bytes:
    return b"XYZ \0\0\0\0" + b"".join(struct.pack(">i", round(65536 * value)) for value in values)


def gamma(value: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(256 * value)) + b"\0\0"


def rgb_profile(curve: bytes, red: bytes, green: bytes, name: bytes = b"test") -> bytes:
    """Write a profile with sRGB's primaries for the white point D50, red and green as they are given."""
    tags = {b"rXYZ": red, b"gXYZ": green, b"bXYZ": xyz(0.1431, 0.0606, 0.7141)}
    return profile(b"RGB ", tags | dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve), name)


RED, GREEN = xyz(0.4361, 0.2225, 0.0139), xyz(0.3851, 0.7169, 0.0971)
#: Red and green exchanged, so that nobody can miss whether it was applied.
EXCHANGED = rgb_profile(gamma(2.2), GREEN, RED)
#: Grey values in proportion to light.
LINEAR_GREY = profile(b"GRAY", {b"kTRC": gamma(1.0)})


def near(pixels: np.ndarray, colour: tuple[int, int, int], limit: int = 12) -> bool:
    return bool(np.abs(pixels - np.array(colour)).max() <= limit)
