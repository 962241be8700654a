"""What became of each mutant, kept from run to run."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

from tests.core.core_build import CORE
from tests.core.mutants.trial import DOUBLE

if TYPE_CHECKING:
    from tests.core.mutants.generate import Mutant


class Journal:
    """A file of JSON lines, the last one of a mutant counts. A mutant of a file that has changed is not found.

    With each verdict goes the digest of the object that the mutant compiles to, so that a run that goes on where an
    earlier one stopped still recognises mutants that compile to the same code.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._digests: dict[str, str] = {}
        self._verdicts: dict[str, str] = {}
        self._objects: dict[str, str] = {}
        if path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                entry = json.loads(line)
                self._verdicts[entry["mutant"]] = entry["verdict"]
                self._objects[entry["mutant"]] = entry.get("object", "")

    def get(self, mutant: Mutant) -> str | None:
        """Return the verdict on a mutant; None if there is none."""
        return self._verdicts.get(self._name(mutant))

    def objects(self, mutants: list[Mutant]) -> set[str]:
        """Return the digests of the objects that were tried for these mutants, as far as they are known.

        A double is not tried: were its object among them, the mutant that it is a double of could not be tried again.
        """
        names = [self._name(mutant) for mutant in mutants]
        return {self._objects.get(name, "") for name in names if self._verdicts.get(name) != DOUBLE} - {""}

    def put(self, mutant: Mutant, verdict: str, compiled: str) -> None:
        """Record a verdict and the digest of the object."""
        name = self._name(mutant)
        self._verdicts[name] = verdict
        self._objects[name] = compiled
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"mutant": name, "verdict": verdict, "object": compiled}) + "\n")

    def _name(self, mutant: Mutant) -> str:
        if mutant.file not in self._digests:
            text = (CORE / "src" / mutant.file).read_bytes()
            self._digests[mutant.file] = hashlib.sha256(text).hexdigest()[:12]
        return f"{self._digests[mutant.file]} {mutant.key}"
