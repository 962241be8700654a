"""Which tests call which function, and how long each takes; kept from run to run."""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest

from tests.link.mutants.generate import Mutant


class Reach:
    """The functions that each test calls, and its processor time in s, ``took_s``.

    While ``host/link`` does not change, only the tests of a file that is new or was changed are measured again.
    """

    def __init__(self, path: Path, mutants: Iterable[Mutant]) -> None:
        self.took_s: dict[str, float] = {}
        self._names = {mutant.function.__code__: mutant.name for mutant in mutants}
        self._functions: dict[str, list[str]] = {}  # of each test
        self._of: dict[str, str] = {}  # the file of each test
        self._files: dict[str, str] = {}  # the digest of each file
        self._path = path
        if path.exists():
            kept = json.loads(path.read_text(encoding="utf-8"))
            self.took_s, self._functions, self._of, self._files = kept.values()

    def tests(self, mutant: Mutant) -> list[str]:
        """Return the tests that call a mutant's function, those first that are quick and call little else."""
        tests = [test for test, functions in self._functions.items() if mutant.name in functions]
        return sorted(tests, key=lambda test: self.took_s[test] * len(self._functions[test]))

    def measure(self, session: pytest.Session) -> None:
        """Run the tests of the files that are not known as they are, without a mutant."""
        digests = {str(path): _digest(path) for path in {item.path for item in session.items}}
        for test in [test for test, file in self._of.items() if digests.get(file) != self._files.get(file)]:
            del self._of[test], self._functions[test], self.took_s[test]
        todo = [item for item in session.items if item.nodeid not in self._of]
        for item, following in with_next(todo):
            with _calls(set(self._names)) as called:
                begun_s = time.process_time()
                session.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            self.took_s[item.nodeid] = time.process_time() - begun_s
            self._functions[item.nodeid] = sorted({self._names[code] for code in called})
            self._of[item.nodeid] = str(item.path)
        if session.testsfailed:
            raise pytest.UsageError("tests fail without a mutant, too")
        self._files = digests
        kept = {"took_s": self.took_s, "functions": self._functions, "of": self._of, "files": self._files}
        self._path.write_text(json.dumps(kept), encoding="utf-8")


@contextmanager
def _calls(codes: set[CodeType]) -> Iterator[set[CodeType]]:
    """Collect those of ``codes`` that are called."""
    called: set[CodeType] = set()

    def note(frame: FrameType, event: str, _argument: Any) -> None:
        if event == "call" and frame.f_code in codes:
            called.add(frame.f_code)

    sys.setprofile(note)
    try:
        yield called
    finally:
        sys.setprofile(None)


def with_next(items: Sequence[pytest.Item]) -> Iterable[tuple[pytest.Item, pytest.Item | None]]:
    """Return each item with the one after it, as pytest's hooks want them."""
    return zip(items, [*items[1:], None], strict=True) if items else ()


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]
