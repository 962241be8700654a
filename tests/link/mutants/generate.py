"""The changed functions of ``host/link``: mutmut makes them, and they are imported beside the original ones."""

from __future__ import annotations

import difflib
import hashlib
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import inspect
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType, ModuleType

from tests.equivalent import Change

ROOT = Path(__file__).resolve().parents[3]
LINK = ROOT / "host" / "link"
KEPT = ROOT / "build" / "mutants" / "link"
_PACKAGE = "host.link."
#: How mutmut names what it makes of a function, and the line by which its files import what we put in its place.
_ORIGINAL, _MUTANT = "__mutmut_orig", "__mutmut_"
_IMPORT = "from mutmut.mutation.trampoline import wrap_in_trampoline as _mutmut_mutated, MutantDict"
_OURS = f"from {__name__} import MutantDict, register as _mutmut_mutated"
#: mutmut leaves out functions with a decorator. So it is not shown that of a property.
_PROPERTY, _HIDDEN = "    @property\n", "    # property\n"

MutantDict = dict[str, FunctionType | property]
_registered: list[tuple[FunctionType, MutantDict]] = []


def register(mutants: MutantDict) -> Callable[[FunctionType], FunctionType]:
    """Take note of a function that has mutants; it stays as it is."""

    def note(function: FunctionType) -> FunctionType:
        _registered.append((function, mutants))
        return function

    return note


@dataclass(frozen=True)
class Mutant:
    """A function with one expression changed."""

    function: FunctionType
    changed: FunctionType
    name: str  # file and function, such as sender.Sender.submit
    digest: str  # of the function as it is
    number: int
    line: str
    new_line: str

    @property
    def file(self) -> str:
        """The name of its file, without its ending."""
        return self.name.partition(".")[0]

    @property
    def key(self) -> str:
        """A name that holds as long as the function does not change."""
        return f"{self.digest} {self}"

    @property
    def change(self) -> Change:
        """The change as tests/equivalent.py names it."""
        return self.name, self.line, self.new_line

    def __str__(self) -> str:
        return f"{self.name}#{self.number}: {self.line} => {self.new_line}"

    def activate(self) -> None:
        """Put the changed code into the function, wherever it was imported to."""
        self.function.__code__ = self.changed.__code__
        self.function.__defaults__ = self.changed.__defaults__
        self.function.__kwdefaults__ = self.changed.__kwdefaults__


def all_mutants() -> Iterator[Mutant]:
    """Import all modules of ``host.link`` and yield their mutants."""
    for source in sorted(LINK.glob("*.py")):
        importlib.import_module(_PACKAGE + source.stem)
    for function, mutants in _registered:
        plain = {name: inspect.unwrap(getattr(each, "fget", each)) for name, each in mutants.items()}
        original = inspect.getsource(plain.pop("_mutmut_orig"))
        digest = hashlib.sha256(original.encode()).hexdigest()[:12]
        name = f"{function.__module__.removeprefix(_PACKAGE)}.{function.__qualname__}"
        for mangled, changed in plain.items():
            number = mangled.rpartition(_MUTANT)[2]
            source = inspect.getsource(changed).replace(f"{_MUTANT}{number}(", f"{_ORIGINAL}(", 1)
            yield Mutant(function, changed, name, digest, int(number), *_difference(original, source))


def _difference(original: str, changed: str) -> tuple[str, str]:
    lines = list(difflib.ndiff(original.splitlines(), changed.splitlines()))
    return tuple(" ".join(line[2:].strip() for line in lines if line.startswith(sign)) for sign in ("- ", "+ "))


class Finder(importlib.abc.MetaPathFinder):
    """Lets the modules of ``host/link`` be imported with their mutants."""

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Find a module of ``host.link``."""
        source = LINK / f"{fullname.removeprefix(_PACKAGE)}.py"
        if not fullname.startswith(_PACKAGE) or not source.exists():
            return None
        return importlib.util.spec_from_file_location(fullname, mutated(source))


def install() -> None:
    """Have all modules of ``host.link`` that are imported from now on brought with their mutants."""
    assert not any(name.startswith(_PACKAGE) for name in sys.modules)
    sys.meta_path.insert(0, Finder())


def mutated(source: Path) -> Path:
    """Return the file with the mutants of a module; it is made if there is none for its present text."""
    text = source.read_text(encoding="utf-8")
    made = KEPT / f"{source.stem}-{hashlib.sha256((text + _OURS).encode()).hexdigest()[:12]}.py"
    if not made.exists():
        from mutmut.mutation.file_mutation import mutate_file_contents

        code = mutate_file_contents(str(source), text.replace(_PROPERTY, _HIDDEN)).code
        KEPT.mkdir(parents=True, exist_ok=True)
        made.write_text(code.replace(_HIDDEN, _PROPERTY).replace(_IMPORT, _OURS), encoding="utf-8")
    return made
