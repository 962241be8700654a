"""The C sources make the same bytes on other processors: 64-bit Arm with NEON, 32-bit Arm, and big-endian s390x.

QEMU runs the programs. That says nothing about their speed there.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.codec import picture_program
from tests.codec.test_native import NATIVE, SOURCES, STRICT, compiler

#: Rounds of the program: each codes a picture and 20 damaged packets.
ROUNDS = "240"
PROGRAM = Path(__file__).with_name("native_fuzz.c")


@dataclass(frozen=True)
class Processor:
    """A processor, by its cross compiler and its emulator, and what its compiler should make of the sources."""

    compiler: str
    emulator: str
    big_endian: bool = False
    neon: bool = False


PROCESSORS = {
    "aarch64": Processor("aarch64-linux-gnu-gcc", "qemu-aarch64", neon=True),
    "armhf": Processor("arm-linux-gnueabihf-gcc", "qemu-arm"),
    "s390x": Processor("s390x-linux-gnu-gcc", "qemu-s390x", big_endian=True),
}


def run(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def built(command: str, program: Path, *options: str) -> Path:
    """Compile the program that codes pictures and hostile packets and prints a sum over all that it made."""
    run(compiler(command), *STRICT, "-O2", *options, f"-I{NATIVE}", PROGRAM, *SOURCES, "-o", program)
    return program


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What this machine prints."""
    return run(built("gcc", tmp_path_factory.mktemp("processors") / "here"), ROUNDS)


@pytest.fixture(params=PROCESSORS)
def processor(request: pytest.FixtureRequest) -> Processor:
    found = PROCESSORS[request.param]
    compiler(found.compiler)
    if shutil.which(found.emulator) is None:
        pytest.skip(f"{found.emulator} is not installed")
    return found


def test_another_processor_makes_the_same_bytes(processor: Processor, expected: str, tmp_path: Path) -> None:
    program = built(processor.compiler, tmp_path / "there", "-static")
    assert run(processor.emulator, program, ROUNDS) == expected


def test_another_processor_makes_the_same_packets_of_a_picture(processor: Processor, tmp_path: Path) -> None:
    program = picture_program.build([compiler(processor.compiler), *STRICT, "-O3", "-static"], tmp_path / "there")
    assert run(processor.emulator, program).split() == picture_program.packets()


@pytest.mark.parametrize("options", [["-O3"], ["-O3", "-DPNC_NO_SIMD"]], ids=["vector", "scalar"])
def test_this_processor_makes_them_too(options: list[str], tmp_path: Path) -> None:
    program = picture_program.build([compiler("gcc"), *STRICT, *options], tmp_path / "here")
    assert run(program).split() == picture_program.packets()


def test_the_processors_are_those_that_they_should_be(processor: Processor) -> None:
    macros = run(compiler(processor.compiler), "-dM", "-E", "-include", NATIVE / "simd.h", "-x", "c", "/dev/null")
    assert ("__ORDER_BIG_ENDIAN__" in macros.split("#define __BYTE_ORDER__")[1][:30]) == processor.big_endian
    assert bool(re.search(r"^#define HAS_NEON", macros, re.MULTILINE)) == processor.neon
    assert "TARGET_AVX2" not in macros
