"""The C sources compile without a warning and run clean under the sanitizers."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

NATIVE = Path(__file__).parents[2] / "host/codec/native"
STRICT = ["-std=c11", "-Wall", "-Wextra", "-Wconversion", "-Werror"]
SOURCES = sorted(NATIVE.glob("*.c"))


def compiler(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
@pytest.mark.parametrize("name", ["gcc", "clang"])
def test_each_source_compiles_without_a_warning(name: str, source: Path, tmp_path: Path) -> None:
    command = [compiler(name), *STRICT, "-O2", "-c", str(source), "-o", str(tmp_path / "coder.o")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def fuzz(options: list[str], program: Path) -> str:
    """Build the fuzz program, run it, and return what it printed."""
    build = [compiler("gcc"), *STRICT, *options, f"-I{NATIVE}", str(Path(__file__).with_name("native_fuzz.c"))]
    build += [*map(str, SOURCES), "-o", str(program)]
    built = subprocess.run(build, capture_output=True, text=True, check=False)
    if "cannot find" in built.stderr:
        pytest.skip("the compiler has no sanitizer runtime")
    assert built.returncode == 0, built.stderr
    done = subprocess.run([program], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_hostile_packets_are_clean_under_the_sanitizers(tmp_path: Path) -> None:
    options = ["-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    assert fuzz(options, tmp_path / "fuzz").startswith("1500 sound")


def test_vector_code_and_scalar_code_make_the_same_bytes(tmp_path: Path) -> None:
    scalar, vector = (fuzz(options, tmp_path / "fuzz") for options in (["-O0", "-DPNC_NO_SIMD"], ["-O3"]))
    assert scalar == vector
    assert scalar.startswith("1500 sound")
