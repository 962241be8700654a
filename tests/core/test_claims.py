"""Runs each claim of the C test programs, and each vector; then every program whole under ASan and UBSan."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.core import vector_tables
from tests.core.claims import assert_clean, assert_holds, each_claim
from tests.core.core_build import HERE, Workshop, run

VECTORS = "test_vectors"
TEXTS = {path.stem: path.read_text(encoding="utf-8") for path in sorted(HERE.glob("test_*.c"))}
TEXTS[VECTORS] = vector_tables.program()


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


@each_claim(TEXTS)
def test_claim(said: dict[str, str], program: str, claim: str) -> None:
    assert_holds(said[program], claim)


@pytest.mark.parametrize("program", TEXTS)
def test_program_is_clean_under_the_sanitizers(workshop: Workshop, program: str) -> None:
    assert_clean(lambda: built(workshop, program, "sanitized"))


def test_every_program_is_found() -> None:
    assert len(TEXTS) >= 8


def test_a_claim_that_is_not_there_fails(workshop: Workshop) -> None:
    assert run([built(workshop, "test_queue", "optimized"), "test_nothing"]).returncode != 0
