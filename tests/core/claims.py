"""The tests that C test programs have in common, whatever they are linked with: each claim, and the sanitizers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.core.core_build import SANITIZERS, can_link, claims, compiler, run


def each_claim(texts: Mapping[str, str]) -> pytest.MarkDecorator:
    """Return a decorator that runs a test for each ``program`` and ``claim`` of the programs with these texts."""
    cases = [(program, claim) for program, text in texts.items() for claim in claims(text)]
    assert all(map(claims, texts.values()))
    assert len(set(cases)) == len(cases)
    return pytest.mark.parametrize(("program", "claim"), cases, ids=["-".join(case) for case in cases])


def assert_holds(said: str, claim: str) -> None:
    """Fail unless a program that tried all its claims printed that this one holds."""
    assert f"{claim} holds" in said.splitlines(), said


def assert_clean(build: Callable[[], Path]) -> None:
    """Build a program with the sanitizers and run it; skip if this compiler has none."""
    if not can_link(compiler() or "cc", *SANITIZERS):
        pytest.skip("this compiler has no sanitizers")
    done = run([build()])
    assert done.returncode == 0, done.stdout
