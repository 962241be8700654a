"""Builds the C entropy coders as the extension module ``host.codec._coder`` (cffi, API mode).

``setup.py`` names this file; ``python host/codec/build_coder.py`` builds it in place, from the root of the repository.
"""

from __future__ import annotations

from pathlib import Path

from cffi import FFI

FOLDER = Path("host/codec")
NAMES = ("coder", "planes")


def declarations() -> str:
    """The headers without their preprocessor lines: what cffi reads."""
    lines = [line for name in NAMES for line in (FOLDER / f"{name}.h").read_text(encoding="utf-8").splitlines()]
    return "\n".join(line for line in lines if not line.startswith("#"))


ffibuilder = FFI()
ffibuilder.cdef(declarations())
ffibuilder.set_source(
    "host.codec._coder",
    "".join(f'#include "{name}.h"\n' for name in NAMES),
    sources=[str(FOLDER / f"{name}.c") for name in NAMES],
    include_dirs=[str(FOLDER)],
    depends=[str(FOLDER / f"{name}.h") for name in NAMES],
    extra_compile_args=["-O3", "-std=c11"],
)

if __name__ == "__main__":
    ffibuilder.compile(verbose=True)
