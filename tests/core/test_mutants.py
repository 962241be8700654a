"""The table of mutants that change nothing: each of its lines is still there, and has a reason. And their journal."""

from __future__ import annotations

import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from tests.core.core_build import CORE, HERE
from tests.core.mutants.journal import Journal
from tests.core.mutants.trial import DOUBLE, SURVIVED

if TYPE_CHECKING:
    from tests.core.mutants.generate import Mutant

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


def test_a_survivor_can_be_tried_again_although_another_mutant_compiles_to_the_same(tmp_path: Path) -> None:
    first, second, other = (
        cast("Mutant", SimpleNamespace(file="crc.c", key=key)) for key in ("first", "second", "other")
    )
    journal = Journal(tmp_path / "journal")
    journal.put(first, SURVIVED, "same object")
    journal.put(second, DOUBLE, "same object")
    journal.put(other, SURVIVED, "another object")
    assert journal.objects([second, other]) == {"another object"}
    assert Journal(tmp_path / "journal").objects([first, second]) == {"same object"}
