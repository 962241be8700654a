"""Builds native_picture.c, which encodes the sample picture in C alone, for any processor."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

import host.codec
from host.codec.analysis import FIXED_BITS
from host.codec.bitstream import MOST_PACKETS
from host.codec.entropy import ARRAYS, BLANK_FROM
from host.codec.layout import CHANNELS, COLOUR_OF, GRID, MEANS, PLANES, centre_weight
from host.codec.weights import DEFAULT, FOLDER, kind_of, load_arrays
from host.wire import MAX_CODEC_BYTES
from tests.core.core_build import ROOT, compile_or_fail

NATIVE = ROOT / "host" / "codec" / "native"
PROGRAM = Path(__file__).with_name("native_picture.c")
PICTURE = ROOT / "host" / "assets" / "sample.jpg"


def packets() -> list[str]:
    """What the program should print: each packet without its codec tag."""
    codec = host.codec.load()
    return [packet.data[1:].hex() for packet in codec.encode(host.codec.load_picture(PICTURE))]


def header() -> str:
    """The weights and the picture as constants of C, which have no byte order."""
    weights = load_arrays(kind_of(DEFAULT), FOLDER)
    arrays: dict[str, np.ndarray] = {
        "pixels": host.codec.load_picture(PICTURE),
        "plane_of": np.array(COLOUR_OF, np.uint8),
        "all_filters": weights["filters"].astype(np.int16),
        "inverse_steps": weights["inverse_step"].astype(np.uint32),
        "all_weights": centre_weight(GRID).astype(np.uint32),
        "limits": (1 << weights["top"].astype(np.uint32)) - 1,
        **{name: weights[name] for name in ARRAYS},
    }
    sizes = {
        "CHANNELS": CHANNELS,
        "SIDE": GRID,
        "FIXED_BITS": FIXED_BITS,
        "PLANES": PLANES,
        "PASSES": len(weights["order"]),
        "BLANK": BLANK_FROM,
        "PACKETS": MOST_PACKETS,
        "ROOM": MAX_CODEC_BYTES - 1,
        "HEAD": MEANS,
    }
    lines = [f"#define {name} {value}" for name, value in sizes.items()]
    for name, array in arrays.items():
        lines.append(f"static const {array.dtype}_t {name}[] = {{{', '.join(map(str, array.ravel().tolist()))}}};")
    return "\n".join(lines) + "\n"


def build(command: Sequence[str | Path], at: Path, native: Path = NATIVE) -> Path:
    """Compile the program with a compiler and its options to ``at``; ``native``: where the codec's sources lie.

    Raises AssertionError with what the compiler says if it fails.
    """
    (at.parent / "picture.h").write_text(header(), encoding="utf-8")
    includes = [f"-I{native}", f"-I{at.parent}"]
    compile_or_fail([*command, *includes, PROGRAM, *sorted(native.glob("*.c")), "-o", at])
    return at
