"""Runs each claim of the C test programs, on an optimized build and under ASan and UBSan."""

from __future__ import annotations

import pytest
from core_build import HERE, SANITIZERS, VARIANTS, Workshop, can_link, claims, compiler, run

PROGRAMS = sorted(HERE.glob("test_*.c"))
CASES = [(program, claim) for program in PROGRAMS for claim in claims(program.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(("program", "claim"), CASES, ids=[f"{p.stem}-{c}" for p, c in CASES])
def test_claim(workshop: Workshop, program, claim: str, variant: str) -> None:
    if variant == "sanitized" and not can_link(compiler() or "cc", *SANITIZERS):
        pytest.skip("this compiler has no sanitizers")
    done = run([workshop.program(program, variant), claim])
    assert done.returncode == 0, done.stdout


def test_every_program_makes_claims() -> None:
    assert len(PROGRAMS) >= 7
    assert all(claims(program.read_text(encoding="utf-8")) for program in PROGRAMS)
    assert len({claim for _, claim in CASES}) == len(CASES)


def test_a_claim_that_is_not_there_fails(workshop: Workshop) -> None:
    assert run([workshop.program(PROGRAMS[0], "optimized"), "test_nothing"]).returncode != 0
