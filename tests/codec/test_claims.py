"""Runs each claim of the codec's C test programs; then every program whole under ASan and UBSan."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.core.claims import assert_clean, assert_holds, each_claim
from tests.core.core_build import HERE as CHECK
from tests.core.core_build import SANITIZERS, STRICT, compile_or_fail, compiler, run

ROOT = Path(__file__).resolve().parents[2]
NATIVE = ROOT / "host" / "codec" / "native"
HERE = Path(__file__).resolve().parent / "native"
TEXTS = {path.stem: path.read_text(encoding="utf-8") for path in sorted(HERE.glob("test_*.c"))}


def built(folder: Path, program: str, *options: str) -> Path:
    """That test program, linked with the codec."""
    cc = compiler()
    if cc is None:
        pytest.skip("no C compiler: install gcc or clang")
    command = [cc, *STRICT, *options, f"-I{NATIVE}", f"-I{CHECK}", HERE / f"{program}.c", *sorted(NATIVE.glob("*.c"))]
    compile_or_fail([*command, "-o", folder / program])
    return folder / program


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What each program prints when it tries all its claims."""
    folder = tmp_path_factory.mktemp("codec")
    return {program: run([built(folder, program, "-O2")]).stdout for program in TEXTS}


@each_claim(TEXTS)
def test_claim(said: dict[str, str], program: str, claim: str) -> None:
    assert_holds(said[program], claim)


@pytest.mark.parametrize("program", TEXTS)
def test_program_is_clean_under_the_sanitizers(tmp_path: Path, program: str) -> None:
    assert_clean(lambda: built(tmp_path, program, "-O1", "-g", *SANITIZERS))


def test_every_program_is_found() -> None:
    assert len(TEXTS) >= 3
