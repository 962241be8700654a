"""The C tests and the corpora at 32 bits, on 32-bit and 64-bit Arm and big-endian s390x, and under MSan.

QEMU runs what this machine's processor cannot.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.codec.test_processors import PROCESSORS
from tests.core import vector_tables
from tests.core.core_build import HERE as CORE_TESTS
from tests.core.core_build import STRICT, can_link, compile_or_fail, sources
from tests.fuzz.run import COMPILERS
from tests.fuzz.targets import CODEC_TESTS, INCLUDES, NATIVE, SANITIZERS, TARGETS

#: Compilers with their options, and the emulator that runs what they make.
MACHINES: dict[str, tuple[list[list[str]], list[str]]] = {
    name: ([[processor.compiler, "-O2", "-static"]], [processor.emulator]) for name, processor in PROCESSORS.items()
}
MACHINES["32 bits"] = ([["gcc", "-m32", "-O2"], ["i686-linux-gnu-gcc", "-O2", "-static"]], [])
MACHINES["memory sanitizer"] = ([[name, "-O1", "-g", *SANITIZERS["memory"]] for name in COMPILERS], [])


@pytest.fixture(scope="module", params=MACHINES)
def machine(request: pytest.FixtureRequest) -> tuple[list[str], list[str]]:
    """A compiler with its options, and what runs its programs."""
    compilers, emulator = MACHINES[request.param]
    if emulator and shutil.which(emulator[0]) is None:
        pytest.skip(f"{emulator[0]} is not installed")
    for command in compilers:
        if can_link(*command):
            return command, emulator
    pytest.skip(f"none of {', '.join(command[0] for command in compilers)} links such a program")


def told(emulator: Sequence[str], *command: str | Path) -> str:
    """What a program prints; it must end well."""
    done = subprocess.run([*emulator, *command], capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout


def test_the_c_tests_hold_there(machine: tuple[list[str], list[str]], tmp_path: Path) -> None:
    command, emulator = machine
    vectors = tmp_path / "test_vectors.c"
    vectors.write_text(vector_tables.program(), encoding="utf-8")
    objects = tmp_path / "objects"
    objects.mkdir()
    codes = [*sources(), *sorted(NATIVE.glob("*.c"))]
    compile_or_fail([*command, *STRICT, *INCLUDES, "-c", *codes], cwd=objects)
    compile_or_fail(["ar", "rcs", tmp_path / "all.a", *sorted(objects.glob("*.o"))])
    programs = [*sorted(CORE_TESTS.glob("test_*.c")), *sorted(CODEC_TESTS.glob("test_*.c")), vectors]
    assert len(programs) > 14
    for source in programs:
        program = tmp_path / source.stem
        compile_or_fail([*command, *STRICT, *INCLUDES, source, tmp_path / "all.a", "-o", program])
        assert " failed" not in told(emulator, program)


def test_no_target_finds_anything_there(machine: tuple[list[str], list[str]], tmp_path: Path) -> None:
    command, emulator = machine
    for target in TARGETS.values():
        program = target.build(command, tmp_path / target.name)
        inputs = target.unpack(tmp_path / f"{target.name}-inputs")
        assert f"{len(inputs)} inputs" in told(emulator, program, *inputs)
