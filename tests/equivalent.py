"""The changes of the code that no test can notice, because the code still does the same: tables beside the mutants."""

from __future__ import annotations

import tomllib
from collections.abc import Container, Iterable
from pathlib import Path

#: Where the change is (a file or a function), the line, and what it becomes.
Change = tuple[str, str, str]


class Equivalent:
    """A table: for each place the lines, their changed forms, and why they do the same."""

    def __init__(self, table: Path) -> None:
        self._table = table.name
        self._known: set[Change] = set()
        for place, entries in tomllib.loads(table.read_text(encoding="utf-8")).items():
            for entry in entries:
                assert entry["why"]
                self._known |= {(place, entry["line"], changed) for changed in entry["changed"]}

    @property
    def places(self) -> set[str]:
        """The places that the table names."""
        return {place for place, _, _ in self._known}

    def __contains__(self, change: Change) -> bool:
        return change in self._known

    def stale(self, changes: Iterable[Change], places: Container[str]) -> list[str]:
        """Return, a line each, the entries for these places that are none of their changes: the code was changed."""
        left = {each for each in self._known if each[0] in places} - set(changes)
        return [f"{self._table} has what is no mutant: {place}: {line} => {new}" for place, line, new in sorted(left)]
