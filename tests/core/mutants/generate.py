"""Mutants of a C file: copies with one line changed, by the rules of universalmutator."""

from __future__ import annotations

import contextlib
import io
import random
from dataclasses import dataclass
from pathlib import Path

from universalmutator import mutator

from tests.equivalent import Change

RULES = ["universal.rules", "c_like.rules", "c.rules"]
#: Lines that make no code: a change of an assertion either stops the build or changes nothing.
NOT_CODE = [r"_Static_assert"]


@dataclass(frozen=True)
class Mutant:
    """One changed line."""

    file: str
    number: int
    line: str
    changed: str

    @property
    def key(self) -> str:
        """The mutant's name: it holds as long as the file does not change above or at the line."""
        return f"{self.file}:{self.number}: {self.line.strip()} => {self.changed.strip()}"

    @property
    def change(self) -> Change:
        """The change as tests/equivalent.py names it, wherever in the file it is."""
        return self.file, self.line.strip(), self.changed.strip()

    def text(self, original: str) -> str:
        """Return the file with the line changed."""
        lines = original.splitlines(keepends=True)
        lines[self.number - 1] = self.changed
        return "".join(lines)


def mutants_of(source: Path, seed: int) -> list[Mutant]:
    """Return all mutants of a file in an order drawn by ``seed``, so that the first ones are a fair sample."""
    lines = source.read_text(encoding="utf-8").splitlines(keepends=True)
    with contextlib.redirect_stdout(io.StringIO()):
        found = mutator.mutants_regexp(lines, RULES, ignorePatterns=NOT_CODE)
    mutants = [Mutant(source.name, number, lines[number - 1], changed) for number, changed, *_ in found]
    random.Random(f"{seed} {source.name}").shuffle(mutants)
    return mutants
