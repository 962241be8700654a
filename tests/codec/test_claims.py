"""Runs each claim of the codec's C test programs; then every program whole under ASan and UBSan."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.core.core_build import HERE as CHECK
from tests.core.core_build import SANITIZERS, STRICT, can_link, claims, compile_or_fail, compiler, run

ROOT = Path(__file__).resolve().parents[2]
NATIVE = ROOT / "host" / "codec" / "native"
HERE = Path(__file__).resolve().parent / "native"
TEXTS = {path.stem: path.read_text(encoding="utf-8") for path in sorted(HERE.glob("test_*.c"))}
CASES = [(program, claim) for program, text in TEXTS.items() for claim in claims(text)]


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


@pytest.mark.parametrize(("program", "claim"), CASES, ids=[f"{program}-{claim}" for program, claim in CASES])
def test_claim(said: dict[str, str], program: str, claim: str) -> None:
    assert f"{claim} holds" in said[program].splitlines(), said[program]


@pytest.mark.parametrize("program", TEXTS)
def test_program_is_clean_under_the_sanitizers(tmp_path: Path, program: str) -> None:
    if not can_link(compiler() or "cc", *SANITIZERS):
        pytest.skip("this compiler has no sanitizers")
    done = run([built(tmp_path, program, "-O1", "-g", *SANITIZERS)])
    assert done.returncode == 0, done.stdout


def test_every_program_makes_claims() -> None:
    assert len(TEXTS) >= 3
    assert all(claims(text) for text in TEXTS.values())
