"""Compiles the firmware's core and the programs that test it."""

from __future__ import annotations

import ctypes
import fcntl
import functools
import re
import runpy
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CORE = ROOT / "firmware" / "core"
HERE = Path(__file__).resolve().parent
INCLUDES = [f"-I{path}" for path in (CORE / "include", ROOT / "protocol", HERE)]
STRICT = ["-std=c11", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror"]
SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
VARIANTS = {"optimized": ["-O2"], "sanitized": ["-O1", "-g", *SANITIZERS]}


def sources() -> list[Path]:
    """The files of the core."""
    return sorted((CORE / "src").glob("*.c"))


def claims(text: str) -> list[str]:
    """Names of the tests in a C program's text, in order."""
    return re.findall(r"^TEST\((\w+)\)", text, re.MULTILINE)


def run(command: Sequence[str | Path], cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run a program; what it prints on either stream is in ``stdout``."""
    words = [str(word) for word in command]
    return subprocess.run(words, cwd=cwd, check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def compile_or_fail(command: Sequence[str | Path], cwd: Path | None = None) -> None:
    """Run a compiler; AssertionError with what it said if it fails."""
    done = run(command, cwd)
    assert done.returncode == 0, done.stdout


@functools.cache
def compiler() -> str | None:
    """The C compiler of this machine."""
    return next((cc for cc in ("cc", "gcc", "clang") if shutil.which(cc)), None)


@functools.cache
def arm_flags() -> tuple[str, ...] | None:
    """What arm-none-eabi-gcc needs to find a C library; None if it, or the library, is not there."""
    try:
        flags: tuple[str, ...] = runpy.run_path(str(CORE / "size.py"))["library_flags"]()
    except FileNotFoundError:
        return None
    return flags


@functools.cache
def can_link(cc: str, *flags: str) -> bool:
    """True if the compiler is there and links a program with these flags."""
    if not shutil.which(cc):
        return False
    program = "int LLVMFuzzerTestOneInput(void); int LLVMFuzzerTestOneInput(void) { return 0; }"
    main = "" if "-fsanitize=fuzzer" in flags else " int main(void) { return 0; }"
    with tempfile.TemporaryDirectory() as folder:
        command = [cc, *flags, "-x", "c", "-", "-o", f"{folder}/program"]
        done = subprocess.run(command, input=program + main, text=True, capture_output=True, check=False)
    return done.returncode == 0


class Workshop:
    """Builds each thing once in ``folder``, also when several test processes share it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def program(self, source: Path, variant: str) -> Path:
        """A test program, linked with the core."""
        return self._once(variant, source.stem, lambda at: self._link(source, variant, at))

    def written(self, name: str, text: str) -> Path:
        """A source file of that text."""
        return self._once("sources", name, lambda at: at.write_text(text, encoding="utf-8"))

    def shared_library(self, source: Path, name: str, *defines: str) -> Path:
        """A shared library of the core and one more file."""
        cc = compiler()
        assert cc is not None
        flags = [*STRICT, "-O2", "-fPIC", "-shared", *defines, *INCLUDES]
        return self._once("shared", name, lambda at: compile_or_fail([cc, *flags, *sources(), source, "-o", at]))

    def _link(self, source: Path, variant: str, at: Path) -> None:
        cc = compiler()
        assert cc is not None
        archive = self._once(variant, "core.a", lambda library: self._archive(variant, library))
        compile_or_fail([cc, *STRICT, *VARIANTS[variant], *INCLUDES, source, archive, "-o", at])

    def _archive(self, variant: str, at: Path) -> None:
        cc = compiler()
        assert cc is not None
        objects = at.parent / "objects"
        objects.mkdir()
        compile_or_fail([cc, *STRICT, *VARIANTS[variant], *INCLUDES, "-c", *sources()], cwd=objects)
        compile_or_fail(["ar", "rcs", at, *sorted(objects.glob("*.o"))])

    def _once(self, variant: str, name: str, build: Callable[[Path], object]) -> Path:
        folder = self.folder / variant
        folder.mkdir(parents=True, exist_ok=True)
        at = folder / name
        if not at.exists():
            with (folder / f"{name}.lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                if not at.exists():
                    build(at)
        return at


def filled(out: ctypes.Array[ctypes.c_char], written: int) -> bytes:
    """The first bytes of a buffer that the core has written to."""
    return out.raw[:written]
