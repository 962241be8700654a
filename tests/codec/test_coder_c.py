"""The C coders compile without a warning and run clean under the sanitizers."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

CODEC = Path(__file__).parents[2] / "host/codec"
STRICT = ["-std=c11", "-Wall", "-Wextra", "-Wconversion", "-Werror"]
#: How many sound packets a fuzz program makes, and the sources that it runs.
SOUND = {"coder": 1000, "planes": 1500}
PARTS = {"coder": ["coder"], "planes": ["analysis", *(path.stem for path in sorted(CODEC.glob("planes*.c")))]}


def compiler(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


@pytest.mark.parametrize("source", [*PARTS["coder"], *PARTS["planes"]])
@pytest.mark.parametrize("name", ["gcc", "clang"])
def test_the_coder_compiles_without_a_warning(name: str, source: str, tmp_path: Path) -> None:
    command = [compiler(name), *STRICT, "-O2", "-c", str(CODEC / f"{source}.c"), "-o", str(tmp_path / "coder.o")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def fuzz(source: str, options: list[str], program: Path) -> str:
    """Build the coder's fuzz program, run it, and give what it printed."""
    build = [compiler("gcc"), *STRICT, *options, f"-I{CODEC}", str(Path(__file__).parent / f"{source}_fuzz.c")]
    build += [*(str(CODEC / f"{part}.c") for part in PARTS[source]), "-o", str(program)]
    built = subprocess.run(build, capture_output=True, text=True, check=False)
    if "cannot find" in built.stderr:
        pytest.skip("the compiler has no sanitizer runtime")
    assert built.returncode == 0, built.stderr
    done = subprocess.run([program], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("source", SOUND)
def test_hostile_packets_are_clean_under_the_sanitizers(source: str, tmp_path: Path) -> None:
    options = ["-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    assert fuzz(source, options, tmp_path / "fuzz").startswith(f"{SOUND[source]} sound")


def test_code_for_wider_vectors_and_plain_code_make_the_same_bytes(tmp_path: Path) -> None:
    plain, wide = (fuzz("planes", options, tmp_path / "fuzz") for options in (["-O0", "-DPNC_PLAIN"], ["-O3"]))
    assert plain == wide
    assert plain.startswith("1500 sound")
