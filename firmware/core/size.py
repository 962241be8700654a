"""Sizes of the core on a Cortex-M4: code of each file and RAM of a board, against their limits.

``python firmware/core/size.py`` compiles the core with arm-none-eabi-gcc, prints a table and exits with 1 when a limit
is passed, with 2 when the compiler is not there. ``make size`` calls it.
"""

from __future__ import annotations

import functools
import subprocess
import sys
import tempfile
from pathlib import Path

CORE = Path(__file__).resolve().parent
INCLUDES = (CORE / "include", CORE.parents[1] / "protocol")
WARNINGS = ("-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror")
FLAGS = ("-std=c11", "-mcpu=cortex-m4", "-mthumb", "-Os", "-ffunction-sections", *WARNINGS)
CODE_LIMIT_BYTES = 11 * 1024  # code and constants of the whole core
RAM_LIMIT_BYTES = 24 * 1024  # one board
SLOTS = 64
PARTS = {  # what a board is made of; the array's length in the object file is the struct's size
    "queue": "struct pnc_queue",
    "control": "struct pnc_control",
    "reader": "struct pnc_frame_reader",
    "sent_frames": "struct pnc_sent_frames",
    "peers": "struct pnc_peer[PNC_PEERS]",
    "board": "struct pnc_board",
}


def _run(*command: str | Path) -> str:
    return subprocess.run([str(word) for word in command], check=True, stdout=subprocess.PIPE, text=True).stdout


@functools.cache
def library_flags() -> tuple[str, ...]:
    """Return the flags with which the compiler finds the C library's headers: none for newlib, specs for picolibc.

    Raises FileNotFoundError if neither is installed.
    """
    for flags in ((), ("--specs=picolibc.specs",)):
        command = ["arm-none-eabi-gcc", *flags, "-E", "-x", "c", "-"]
        if subprocess.run(command, input=b"#include <string.h>", capture_output=True, check=False).returncode == 0:
            return flags
    raise FileNotFoundError("string.h for arm-none-eabi-gcc")


def _compile(source: Path, into: Path) -> Path:
    compiled = into / (source.stem + ".o")
    includes = [*library_flags(), *(f"-I{path}" for path in INCLUDES)]
    _run("arm-none-eabi-gcc", *FLAGS, f"-DPNC_QUEUE_SLOTS={SLOTS}u", *includes, "-c", source, "-o", compiled)
    return compiled


def code_bytes(into: Path) -> dict[str, int]:
    """Return the bytes of code, constants and initialised data of each file of the core."""
    sizes = {}
    for source in sorted((CORE / "src").glob("*.c")):
        row = _run("arm-none-eabi-size", _compile(source, into)).splitlines()[1].split()
        sizes[source.name] = int(row[0]) + int(row[1])
    return sizes


def ram_bytes(into: Path) -> dict[str, int]:
    """Return the sizes of a board and of its large parts in bytes, as the compiler lays them out."""
    probe = into / "probe.c"
    lines = [f"const unsigned char pnc_size_{name}[sizeof({type_})] = {{1}};" for name, type_ in PARTS.items()]
    probe.write_text("\n".join(['#include "pnc/board.h"', *lines, ""]), encoding="utf-8")
    rows = [line.split() for line in _run("arm-none-eabi-nm", "-S", _compile(probe, into)).splitlines()]
    sizes = {row[3].removeprefix("pnc_size_"): int(row[1], 16) for row in rows if len(row) == 4}
    return {name: sizes[name] for name in PARTS}


def main() -> int:
    """Print both tables and compare them with the limits."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            code, ram = code_bytes(Path(folder)), ram_bytes(Path(folder))
    except FileNotFoundError:
        print(
            "arm-none-eabi-gcc or its C library is not installed: on Debian, apt-get install gcc-arm-none-eabi "
            "libnewlib-arm-none-eabi",
            file=sys.stderr,
        )
        return 2
    print(f"{'code on a Cortex-M4, -Os':<28} bytes")
    for name, size in code.items():
        print(f"  {name:<26} {size:5}")
    total = sum(code.values())
    print(f"  {'all':<26} {total:5}  of at most {CODE_LIMIT_BYTES}")
    print(f"{f'RAM with {SLOTS} slots':<28} bytes")
    for name, size in ram.items():
        limit = f"  of at most {RAM_LIMIT_BYTES}" if name == "board" else ""
        print(f"  {name:<26} {size:5}{limit}")
    return int(total > CODE_LIMIT_BYTES or ram["board"] > RAM_LIMIT_BYTES)


if __name__ == "__main__":
    sys.path.insert(0, str(CORE.parents[1]))
    from tests import goal

    goal.run("size", main)
