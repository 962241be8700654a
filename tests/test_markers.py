"""The table of markers says what is there."""

from __future__ import annotations

from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.markers import MARKERS, TABLE, markers_of

TESTS = Path(__file__).parent
FILES = [path.relative_to(TESTS).as_posix() for path in TESTS.rglob("test_*.py")]


@pytest.mark.parametrize("pattern", [pattern for pattern, _ in TABLE])
def test_a_line_has_its_test(pattern: str) -> None:
    file, _, test = pattern.partition("::")
    found = [name for name in FILES if fnmatch(name, file)]
    assert found, f"no test file is {file}: correct tests/markers.py"
    names = [
        line.split("def ", 1)[1].split("(")[0]
        for name in found
        for line in (TESTS / name).read_text(encoding="utf-8").splitlines()
        if line.lstrip().startswith(("def test_", "async def test_"))
    ]
    assert not test or any(fnmatch(name, test) for name in names), f"{file} has no test {test}"


def test_markers_are_known() -> None:
    assert {name for _, names in TABLE for name in names} == set(MARKERS)


def test_markers_of_a_file_and_of_a_test() -> None:
    assert markers_of("hil/test_load.py") == {"realtime"}
    assert markers_of("docs/test_commands.py") == set()
    assert markers_of("docs/test_commands.py", "test_two_terminals") == {"realtime", "pty"}
    assert markers_of("vectors/test_frame_vectors.py") == set()


@pytest.mark.parametrize("path", FILES)
def test_what_imports_torch_is_marked(path: str) -> None:
    text = (TESTS / path).read_text(encoding="utf-8")
    imports = 'importorskip("torch"' in text or "\nimport torch" in text
    assert not imports or path == Path(__file__).name or "torch" in markers_of(path)
