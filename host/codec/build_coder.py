"""Builds the C entropy coder as the extension module ``host.codec._coder`` (cffi, API mode).

``setup.py`` names this file; ``python host/codec/build_coder.py`` builds it in place, from the root of the repository.
"""

from __future__ import annotations

from pathlib import Path

from cffi import FFI

FOLDER = Path("host/codec")


def declarations() -> str:
    """The header without its preprocessor lines: what cffi reads."""
    lines = (FOLDER / "coder.h").read_text(encoding="utf-8").splitlines()
    return "\n".join(line for line in lines if not line.startswith("#"))


ffibuilder = FFI()
ffibuilder.cdef(declarations())
ffibuilder.set_source(
    "host.codec._coder",
    '#include "coder.h"',
    sources=[str(FOLDER / "coder.c")],
    include_dirs=[str(FOLDER)],
    depends=[str(FOLDER / "coder.h")],
    extra_compile_args=["-O2", "-std=c11"],
)

if __name__ == "__main__":
    ffibuilder.compile(verbose=True)
