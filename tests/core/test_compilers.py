"""The core compiles without a warning, keeps no state of its own, and fits a Cortex-M4."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from host.wire import ErrorCode
from tests.core import vector_tables
from tests.core.core_build import CORE, HERE, INCLUDES, STRICT, arm_flags, compile_or_fail, run, sources

CORTEX_M4 = ["-mcpu=cortex-m4", "-mthumb", "-Os", "-ffunction-sections"]
ARM = "arm-none-eabi-gcc"
COMPILERS = {"gcc": ["-O2"], "clang": ["-O2"], ARM: CORTEX_M4}
CONFIGURATIONS = {
    "default": [],
    "smallest": ["-DPNC_QUEUE_SLOTS=1u", "-DPNC_CONTROL_SLOTS=2u", "-DPNC_PEERS=1u", "-DPNC_IN_FLIGHT_MAX=1u"],
    "largest": ["-DPNC_QUEUE_SLOTS=254u", "-DPNC_CONTROL_SLOTS=254u", "-DPNC_PEERS=16u", "-DPNC_IN_FLIGHT_MAX=16u"],
}
CLANG_FORMAT = 14  # Debian 12's
LIBRARY = {"memcpy", "memset", "memmove", "memcmp", "strlen"}  # all that the core asks of anybody


def _needs(tool: str) -> None:
    if not shutil.which(tool):
        pytest.skip(f"{tool} is not installed")
    if tool == ARM and arm_flags() is None:
        pytest.skip(f"{tool} has no C library")


def _flags(compiler: str) -> list[str]:
    """Strict, for its processor, with its library."""
    library = (arm_flags() or ()) if compiler == ARM else ()
    return [*STRICT, *COMPILERS[compiler], *library, *INCLUDES]


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
@pytest.mark.parametrize("compiler", COMPILERS)
def test_the_core_compiles_without_a_warning(tmp_path: Path, compiler: str, configuration: str) -> None:
    _needs(compiler)
    compile_or_fail([compiler, *_flags(compiler), *CONFIGURATIONS[configuration], "-c", *sources()], cwd=tmp_path)


@pytest.mark.parametrize("compiler", COMPILERS)
def test_every_header_stands_alone(tmp_path: Path, compiler: str) -> None:
    _needs(compiler)
    headers = sorted((CORE / "include" / "pnc").glob("*.h"))
    assert len(headers) >= 8
    for header in headers:
        (tmp_path / f"{header.stem}.c").write_text(f'#include "pnc/{header.name}"\nint dummy;\n', encoding="utf-8")
    compile_or_fail([compiler, *_flags(compiler), "-c", *sorted(tmp_path.glob("*.c"))], cwd=tmp_path)


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_the_tests_in_c_compile_without_a_warning(tmp_path: Path, compiler: str) -> None:
    _needs(compiler)
    vectors = tmp_path / "test_vectors.c"
    vectors.write_text(vector_tables.program(), encoding="utf-8")
    compile_or_fail([compiler, *STRICT, *INCLUDES, "-fsyntax-only", *sorted(HERE.glob("*.c")), vectors])


def test_the_core_keeps_no_state_and_calls_no_system(tmp_path: Path) -> None:
    _needs(ARM)
    compile_or_fail([ARM, *_flags(ARM), "-c", *sources()], cwd=tmp_path)
    listing = run(["arm-none-eabi-nm", *sorted(tmp_path.glob("*.o"))]).stdout
    symbols = re.findall(r"^(?:[0-9a-f]{8}|\s{8}) (\w) (\S+)$", listing, re.MULTILINE)
    assert len(symbols) > 40
    assert not [name for kind, name in symbols if kind in "bBdDcCsS"]
    undefined = {name for kind, name in symbols if kind == "U" and not name.startswith("pnc_")}
    assert undefined <= LIBRARY


def test_code_and_ram_stay_within_their_limits() -> None:
    _needs(ARM)
    done = run([sys.executable, CORE / "size.py"])
    assert done.returncode == 0, done.stdout
    assert re.search(r"^  all +\d+  of at most 11264$", done.stdout, re.MULTILINE)
    assert re.search(r"^  board +\d+  of at most 24576$", done.stdout, re.MULTILINE)


def test_size_says_what_to_install() -> None:
    done = subprocess.run(
        [sys.executable, CORE / "size.py"], env={"PATH": ""}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "gcc-arm-none-eabi" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_c_files_are_formatted() -> None:
    _needs("clang-format")
    if f"version {CLANG_FORMAT}." not in run(["clang-format", "--version"]).stdout:
        pytest.skip(f"clang-format is not release {CLANG_FORMAT}; others break lines elsewhere")
    files = [*CORE.rglob("*.[ch]"), *Path(__file__).parent.glob("*.[ch]")]
    assert len(files) > 20
    done = run(["clang-format", "--dry-run", "-Werror", *files])
    assert done.returncode == 0, done.stdout


def test_an_error_code_without_a_place_for_its_detail_does_not_compile(tmp_path: Path) -> None:
    _needs("gcc")
    text = (CORE / "src" / "board_report.c").read_text(encoding="utf-8")
    texts = set(re.findall(r"\[PNC_ERROR_CODE_(\w+)\] =", text))
    assert texts == {code.name for code in ErrorCode}
    last = max(ErrorCode)
    more = text.replace(f"[PNC_ERROR_CODE_{last.name}] =", f"[{last + 1}] =")
    assert more != text
    (tmp_path / "more.c").write_text(more, encoding="utf-8")
    command = ["gcc", *_flags("gcc"), f"-I{CORE / 'src'}", "-c", "more.c"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "static assertion failed" in done.stderr
