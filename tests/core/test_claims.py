"""Runs each claim of the C test programs, and each vector; then every program whole under ASan and UBSan."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.core import vector_tables
from tests.core.core_build import HERE, SANITIZERS, Workshop, can_link, claims, compiler, run

VECTORS = "test_vectors"
TEXTS = {path.stem: path.read_text(encoding="utf-8") for path in sorted(HERE.glob("test_*.c"))}
TEXTS[VECTORS] = vector_tables.program()
CASES = [(program, claim) for program, text in TEXTS.items() for claim in claims(text)]


def built(workshop: Workshop, program: str, variant: str) -> Path:
    """That test program; the vectors' is written first."""
    source = HERE / f"{program}.c"
    if program == VECTORS:
        source = workshop.written(f"{program}.c", TEXTS[program])
    return workshop.program(source, variant)


@pytest.fixture(scope="module")
def said(workshop: Workshop) -> dict[str, str]:
    """What each program prints when it tries all its claims."""
    return {program: run([built(workshop, program, "optimized")]).stdout for program in TEXTS}


@pytest.mark.parametrize(("program", "claim"), CASES, ids=[f"{program}-{claim}" for program, claim in CASES])
def test_claim(said: dict[str, str], program: str, claim: str) -> None:
    assert f"{claim} holds" in said[program].splitlines(), said[program]


@pytest.mark.parametrize("program", TEXTS)
def test_program_is_clean_under_the_sanitizers(workshop: Workshop, program: str) -> None:
    if not can_link(compiler() or "cc", *SANITIZERS):
        pytest.skip("this compiler has no sanitizers")
    done = run([built(workshop, program, "sanitized")])
    assert done.returncode == 0, done.stdout


def test_every_program_makes_claims() -> None:
    assert len(TEXTS) >= 8
    assert all(claims(text) for text in TEXTS.values())
    assert len(set(CASES)) == len(CASES)


def test_a_claim_that_is_not_there_fails(workshop: Workshop) -> None:
    assert run([built(workshop, "test_queue", "optimized"), "test_nothing"]).returncode != 0
