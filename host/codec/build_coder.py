"""Builds the codec's C part as the extension module ``_coder`` (cffi, API mode).

``setup.py`` names this file; ``pip install -e .`` builds the module in place.
"""

from __future__ import annotations

from pathlib import Path

from cffi import FFI

FOLDER = Path("host/codec/native")
#: The headers that cffi reads, and the sources.
HEADERS = ("planes.h", "analysis.h")
SOURCES = (
    "planes.c",
    "planes_context.c",
    "planes_symbols.c",
    "planes_encode.c",
    "planes_decode.c",
    "analysis.c",
)


def declarations() -> str:
    """Return the headers without their preprocessor lines, which cffi does not understand."""
    lines = [line for name in HEADERS for line in (FOLDER / name).read_text(encoding="utf-8").splitlines()]
    return "\n".join(line for line in lines if not line.startswith("#"))


ffibuilder = FFI()
ffibuilder.cdef(declarations())
ffibuilder.set_source(
    "pnc_link.codec._coder",
    "".join(f'#include "{name}"\n' for name in HEADERS),
    sources=[str(FOLDER / name) for name in SOURCES],
    include_dirs=[str(FOLDER)],
    depends=[str(path) for path in sorted(FOLDER.glob("*.h"))],
    extra_compile_args=["-O3", "-std=c11"],
)
