"""What became of each mutant, kept from run to run."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from tests.link.mutants.generate import ROOT, Mutant

#: The tests that are to notice a change; those of ``seal`` test the link with a key.
TESTS = [*sorted((ROOT / "tests" / "link").glob("test_*.py")), ROOT / "tests" / "seal" / "test_sealed_link.py"]
#: Verdicts on a mutant that no test noticed, and on one with which a test did not end.
SURVIVED, ENDLESS = "survived", "endless"


class Journal:
    """A file of JSON lines, the last one of a mutant counts. A mutant of a function that has changed is not found.

    A verdict is the name of the test that failed, ``SURVIVED`` or ``ENDLESS``. Survivors of other tests, or of fewer
    (``quick_s``), are not found, either.
    """

    def __init__(self, path: Path, quick_s: float | None = None) -> None:
        self._path = path
        self._tests = _digest(TESTS) + ("" if quick_s is None else f" within {quick_s:g} s")
        self._verdicts: dict[str, tuple[str, str]] = {}  # by mutant: the verdict and the tests
        if path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                entry = json.loads(line)
                self._verdicts[entry["mutant"]] = entry["verdict"], entry["tests"]

    def get(self, mutant: Mutant, *, any_tests: bool = False) -> str | None:
        """Return the verdict on a mutant; None if there is none. ``any_tests``: also that of other tests."""
        verdict, tests = self._verdicts.get(mutant.key, (None, None))
        return None if verdict == SURVIVED and tests != self._tests and not any_tests else verdict

    def put(self, mutant: Mutant, verdict: str) -> None:
        """Record a verdict."""
        self._verdicts[mutant.key] = verdict, self._tests
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"mutant": mutant.key, "verdict": verdict, "tests": self._tests}) + "\n")


def _digest(files: list[Path]) -> str:
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:12]
