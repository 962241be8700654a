"""The table of mutants that change nothing: each of its lines is still there, and has a reason."""

from __future__ import annotations

import tomllib

import pytest

from tests.core.core_build import CORE, HERE

TABLE = HERE / "mutants" / "equivalent.toml"
ENTRIES = [
    (file, entry) for file, entries in tomllib.loads(TABLE.read_text(encoding="utf-8")).items() for entry in entries
]


@pytest.mark.parametrize(("file", "entry"), ENTRIES, ids=[f"{file}: {entry['line']}" for file, entry in ENTRIES])
def test_an_entry_names_a_line_of_its_file_and_a_reason(file: str, entry: dict[str, object]) -> None:
    lines = (CORE / "src" / file).read_text(encoding="utf-8").splitlines()
    assert entry["line"] in [line.strip() for line in lines]
    assert entry["changed"]
    assert str(entry["why"]).endswith(".")


def test_no_mutant_is_listed_twice() -> None:
    listed = [(file, entry["line"], changed) for file, entry in ENTRIES for changed in entry["changed"]]
    assert len(listed) == len(set(listed))
