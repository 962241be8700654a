"""The mutants that no test can kill, because they do what the core does."""

from __future__ import annotations

import tomllib
from pathlib import Path

from tests.core.mutants.generate import Mutant

TABLE = Path(__file__).with_name("equivalent.toml")


class Known:
    """The table ``equivalent.toml``: a line of the core, its changed forms, and why they do the same."""

    def __init__(self) -> None:
        self._pairs: set[tuple[str, str, str]] = set()
        for file, entries in tomllib.loads(TABLE.read_text(encoding="utf-8")).items():
            for entry in entries:
                assert entry["why"]
                self._pairs |= {(file, entry["line"], changed) for changed in entry["changed"]}

    def is_equivalent(self, mutant: Mutant) -> bool:
        """Return true if the table has this mutant."""
        return (mutant.file, mutant.line.strip(), mutant.changed.strip()) in self._pairs
