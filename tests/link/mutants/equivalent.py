"""The mutants that no test can notice, because they do what the link does."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from pathlib import Path

from tests.link.mutants.generate import Mutant

TABLE = Path(__file__).with_name("equivalent.toml")


class Known:
    """The table ``equivalent.toml``: a line of a function, its changed forms, and why they do the same."""

    def __init__(self) -> None:
        self._known: set[tuple[str, str, str]] = set()
        for name, entries in tomllib.loads(TABLE.read_text(encoding="utf-8")).items():
            for entry in entries:
                assert entry["why"]
                self._known |= {(name, entry["line"], changed) for changed in entry["changed"]}

    def stale(self, mutants: Iterable[Mutant]) -> list[str]:
        """Return the entries that are none of the mutants: their functions were changed."""
        left = self._known - {(mutant.name, mutant.line, mutant.new_line) for mutant in mutants}
        return [f"{name}: {line} => {changed}" for name, line, changed in sorted(left)]

    def is_equivalent(self, mutant: Mutant) -> bool:
        """Return true if the table has this mutant."""
        return (mutant.name, mutant.line, mutant.new_line) in self._known
