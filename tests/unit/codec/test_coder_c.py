"""The C coder compiles without a warning and runs clean under the sanitizers."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SOURCE = ROOT / "host/codec/coder.c"
STRICT = ["-std=c11", "-Wall", "-Wextra", "-Wconversion", "-Werror"]


def compiler(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


@pytest.mark.parametrize("name", ["gcc", "clang"])
def test_the_coder_compiles_without_a_warning(name: str, tmp_path: Path) -> None:
    command = [compiler(name), *STRICT, "-O2", "-c", str(SOURCE), "-o", str(tmp_path / "coder.o")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_hostile_packets_are_clean_under_the_sanitizers(tmp_path: Path) -> None:
    program = tmp_path / "fuzz"
    build = [compiler("gcc"), *STRICT, "-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    here = Path(__file__).parent
    build += [f"-I{SOURCE.parent}", str(here / "coder_fuzz.c"), str(SOURCE), "-o", str(program)]
    built = subprocess.run(build, capture_output=True, text=True, check=False)
    if "cannot find" in built.stderr:
        pytest.skip("the compiler has no sanitizer runtime")
    assert built.returncode == 0, built.stderr
    done = subprocess.run([program], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("1000 sound")
