"""Counts the instructions that the encoder takes for a picture on 64-bit Arm, with and without NEON.

``python -m tests.codec.arm_instructions`` builds native_picture.c as a wheel is built, runs it in QEMU, and prints a
table. Instructions are no times: how long one takes depends on the processor. It needs a cross compiler and qemu-user.
"""

from __future__ import annotations

import argparse
import re
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from tests import goal
from tests.codec import picture_program

EMULATOR = "qemu-aarch64"
COMPILER = "aarch64-linux-gnu-gcc"
#: Those that Python gives to an extension, and those of build_coder.py.
FLAGS = ("-std=c11", "-O3", "-fwrapv", "-DNDEBUG", "-fPIC", "-static")
_INSTRUCTION = re.compile(r"^0x([0-9a-f]+): ")
_TRACE = re.compile(r"^Trace \d+: \S+ \[[0-9a-f]+/([0-9a-f]+)/")


def count(log: Iterable[str]) -> int:
    """Count the instructions in QEMU's log of blocks: what each has when it is translated, and each time it runs."""
    lengths: dict[int, int] = {}
    first: int | None = None
    executed = 0
    for line in log:
        if line.startswith("IN:"):
            first = None
        elif (instruction := _INSTRUCTION.match(line)) is not None:
            if first is None:
                first = int(instruction[1], 16)
                lengths[first] = 0
            lengths[first] += 1
        elif (trace := _TRACE.match(line)) is not None:
            executed += lengths[int(trace[1], 16)]
    return executed


def executed(program: Path, transforms: int, codings: int) -> int:
    """Run the program in the emulator; return the instructions of the whole run."""
    log = program.with_suffix(".log")
    options = ["-d", "in_asm,exec,nochain", "-D", str(log)]
    subprocess.run([EMULATOR, *options, program, str(transforms), str(codings)], check=True, stdout=subprocess.DEVNULL)
    with log.open(encoding="utf-8") as lines:
        return count(lines)


def measure(compiler: Sequence[str], native: Path, folder: Path) -> dict[str, int]:
    """Return the instructions of each step: what a run takes that does it once more."""
    program = picture_program.build([*compiler, *FLAGS], folder / "picture", native)
    once = executed(program, 1, 1)
    transform, coding = executed(program, 2, 1) - once, executed(program, 1, 2) - once
    return {"transform": transform, "entropy coding": coding, "both": transform + coding}


def main(words: Sequence[str] | None = None) -> int:
    """Print the table; return 2 if a tool is not there."""
    parser = argparse.ArgumentParser(prog="python -m tests.codec.arm_instructions", description=__doc__)
    parser.add_argument("--compiler", default=COMPILER, help="a compiler for 64-bit Arm and its options")
    parser.add_argument("--native", type=Path, default=picture_program.NATIVE, help="other sources of the codec")
    chosen = parser.parse_args(words)
    compiler = shlex.split(chosen.compiler)
    if missing := [tool for tool in (compiler[0], EMULATOR) if shutil.which(tool) is None]:
        print(f"{', '.join(missing)}: not installed; on Debian, apt install gcc-aarch64-linux-gnu qemu-user")
        return 2
    with tempfile.TemporaryDirectory() as folder:
        without = measure([*compiler, "-DPNC_NO_SIMD"], chosen.native, Path(folder))
        neon = measure(compiler, chosen.native, Path(folder))
    print(f"{'instructions':<16}{'without NEON':>14}{'with NEON':>14}{'ratio':>8}")
    for step, instructions in neon.items():
        print(f"{step:<16}{without[step]:>14,}{instructions:>14,}{instructions / without[step]:>8.2f}")
    return 0


if __name__ == "__main__":
    goal.run("arm_instructions", main)
