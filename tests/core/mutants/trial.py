"""Builds a mutant of the core and runs the tests in C on it.

Most mutants die in a quick build: tcc compiles the changed file and links it with the optimized objects of the others,
in a tenth of the time that gcc takes. Without tcc, gcc does it without optimizing. Those that live are built again with
optimization, then with ASan and UBSan.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tests.core import vector_tables
from tests.core.core_build import CORE, HERE, ROOT, SANITIZERS, compiler

VARIANTS = {"optimized": ["-O2"], "sanitized": ["-O1", *SANITIZERS]}
QUICK = "quick"
#: Programs that contain a file of the core, so that they are built again for its mutants, with their options.
CONTAIN = {"test_queue_shape": ("queue.c", []), "explore_queue": ("queue.c", ["-DPNC_QUEUE_SLOTS=2u"])}
ARGUMENTS = {"explore_queue": ["--depth", "3"]}
#: CPU time after which a program has failed, ms. The slowest takes a fifth; the exploration has three times as much.
CPU_MS = {QUICK: 200, "optimized": 200, "sanitized": 500}
#: Programs that are not part of the quick build: tcc has no constructors, which register the tests.
NOT_QUICK = {"test_queue_shape"}
INVALID, SAME, DOUBLE, SURVIVED = "invalid", "same", "double", "survived"
#: Survived the quick build; the others have not been tried.
OPEN = "open"


@dataclass(frozen=True)
class Program:
    """A test program."""

    name: str
    path: Path
    files: frozenset[str]
    """The files of the core that it runs, by name without suffix: a change of another cannot fail it."""


@dataclass(frozen=True)
class _Object:
    """A compiled file of the core."""

    name: str
    defines: set[str]
    calls: set[str]


class Bench:
    """A copy of the core and its tests, in which one file at a time is changed.

    With ``quick`` there is the quick build alone, and a mutant that survives it stays open.
    """

    def __init__(self, folder: Path, *, quick: bool = False) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        self.folder = folder
        self._quick = quick
        self._cc = compiler() or "cc"
        self._quick_cc = ["tcc"] if shutil.which("tcc") else [self._cc, "-std=c11", "-O0", "-fPIC"]
        self.sources = folder / "firmware" / "core" / "src"
        self._tests = folder / "tests" / "core"
        shutil.copytree(CORE, folder / "firmware" / "core")
        shutil.copytree(ROOT / "protocol", folder / "protocol", ignore=shutil.ignore_patterns("vectors"))
        shutil.copytree(HERE, self._tests, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
        (self._tests / "test_vectors.c").write_text(vector_tables.program(), encoding="utf-8")
        includes = (folder / "firmware/core/include", folder / "protocol", self._tests)
        self._includes = [f"-I{path}" for path in includes]
        self._seen: set[str] = set()
        self._file = ""
        self._kills: Counter[str] = Counter()
        (folder / QUICK).mkdir()
        self._limit = folder / "limit"
        assert _runs([self._cc, "-O1", HERE / "mutants" / "limit.c", "-o", self._limit])
        self.programs = {variant: self._build(variant) for variant in (["optimized"] if quick else VARIANTS)}

    def choose(self, file: str, seen: set[str]) -> None:
        """Put back the file that was changed, and change ``file`` from now on.

        ``seen`` are the digests of objects that were tried before.
        """
        if self._file:
            self._restore()
        self._file = file
        self._text = (self.sources / file).read_text(encoding="utf-8")
        self._seen = seen
        self._kills.clear()
        self._original = self._quick_object()
        self._optimized = self._object(file, "optimized")
        assert self._original
        assert self._optimized
        for variant in (QUICK, *self.programs):
            assert self.run(variant) is None, f"the tests fail on the core as it is ({variant})"

    def verdict(self, text: str, *, quick: bool) -> tuple[str, str]:
        """Return what becomes of the chosen file's mutant ``text``, and the digest of its object.

        The first is the program that killed it, or why none did. With ``quick`` no other build is tried.
        """
        (self.sources / self._file).write_text(text, encoding="utf-8")
        made = self._quick_object()
        if made == "":
            return INVALID, made
        if made == self._original:
            return SAME, made
        if made in self._seen:
            return DOUBLE, made
        self._seen.add(made)
        found = self.run(QUICK) or (OPEN if quick or self._quick else self._try_rest())
        if found not in (INVALID, OPEN, SAME, SURVIVED):
            self._kills[found] += 1
        return found, made

    def run(self, variant: str) -> str | None:
        """Link the core and return the name of the first test program that fails, None if all pass.

        The programs that killed most mutants of this file run first; those that are built again run last.
        """
        if not self._link(variant):
            return "link"
        programs = self.programs["optimized" if variant == QUICK else variant]
        for program in sorted(programs, key=lambda p: (p.name in CONTAIN, -self._kills[p.name])):
            contains, options = CONTAIN.get(program.name, ("", []))
            if Path(self._file).stem not in program.files:
                continue
            if contains == self._file and variant == QUICK and program.name in NOT_QUICK:
                continue
            if contains == self._file and not self._contained(program, variant, options):
                return program.name
            if not self._passes(program, variant):
                return program.name
        return None

    def _try_rest(self) -> str:
        optimized = self._object(self._file, "optimized")
        if optimized in ("", self._optimized):
            return SAME if optimized else INVALID
        killer = self.run("optimized")
        if killer is None and self._object(self._file, "sanitized"):
            killer = self.run("sanitized")
        return killer or SURVIVED

    def _restore(self) -> None:
        (self.sources / self._file).write_text(self._text, encoding="utf-8")
        for variant in self.programs:
            self._object(self._file, variant)
            for program in self.programs[variant]:
                contains, options = CONTAIN.get(program.name, ("", []))
                if contains == self._file:
                    self._contained(program, variant, options)

    def _passes(self, program: Program, variant: str) -> bool:
        arguments = ARGUMENTS.get(program.name, [])
        limit_ms = CPU_MS[variant] * (3 if arguments else 1)
        try:
            done = subprocess.run(
                [self._limit, str(limit_ms), program.path, *arguments],
                check=False,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={"LD_LIBRARY_PATH": str(self.folder / variant)},
                close_fds=False,
                timeout=120,
            )
        except subprocess.TimeoutExpired:
            return False
        return done.returncode == 0

    def _build(self, variant: str) -> list[Program]:
        """Build the core's objects, its library and every test program."""
        (self.folder / variant).mkdir()
        for source in sorted(self.sources.glob("*.c")):
            assert self._object(source.name, variant)
        objects = [
            _Object(path.stem, _symbols(path, "--defined-only", "--extern-only"), _symbols(path, "--undefined-only"))
            for path in sorted((self.folder / variant).glob("*.o"))
        ]
        assert self._link(variant)
        programs = []
        sources = [*self._tests.glob("test_*.c"), *self._tests.glob("explore_*.c")]
        for source in sorted(sources, key=lambda path: -path.stat().st_mtime):  # the newest tests first
            contains, options = CONTAIN.get(source.stem, ("", []))
            path = self.folder / variant / source.stem
            assert self._contained(Program(source.stem, path, frozenset()), variant, options), source.stem
            files = {Path(contains).stem} if contains else _needed(path, objects)
            programs.append(Program(source.stem, path, frozenset(files)))
        return programs

    def _contained(self, program: Program, variant: str, options: list[str]) -> bool:
        source = self._tests / f"{program.name}.c"
        if variant == QUICK:
            return _runs([*self._quick_cc, "-w", *self._includes, *options, source, "-o", program.path])
        link: list[str | Path] = [] if program.name.startswith("explore_") else ["-L", program.path.parent, "-lcore"]
        speed = (
            [] if program.name in CONTAIN else ["-O0"]
        )  # of the tests themselves, which compile in a fifth of the time
        return self._compile([*VARIANTS[variant], *speed, *options, source, *link, "-o", program.path])

    def _link(self, variant: str) -> bool:
        objects = sorted((self.folder / ("optimized" if variant == QUICK else variant)).glob("*.o"))
        library = self.folder / variant / "libcore.so"
        library.unlink(missing_ok=True)
        if variant != QUICK:
            return self._compile([*VARIANTS[variant], "-shared", *objects, "-o", library])
        quick = self.folder / QUICK / f"{Path(self._file).stem}.o"
        others = [path for path in objects if path.name != quick.name]
        return _runs([*self._quick_cc, "-shared", quick, *others, "-o", library])

    def _object(self, file: str, variant: str) -> str:
        """Compile a file of the core and return the object's digest; "" if it does not compile."""
        at = self.folder / variant / f"{Path(file).stem}.o"
        if not self._compile([*VARIANTS[variant], "-fPIC", "-c", self.sources / file, "-o", at]):
            return ""
        return _digest(at)

    def _quick_object(self) -> str:
        at = self.folder / QUICK / f"{Path(self._file).stem}.o"
        done = _runs([*self._quick_cc, "-w", *self._includes, "-c", self.sources / self._file, "-o", at])
        return _digest(at) if done else ""

    def _compile(self, words: list[str | Path]) -> bool:
        return _runs([self._cc, "-std=c11", "-w", *self._includes, *words])


def _runs(command: list[str | Path]) -> bool:
    words = [str(word) for word in command]
    done = subprocess.run(words, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, close_fds=False)
    return done.returncode == 0


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _symbols(path: Path, *options: str) -> set[str]:
    command = ["nm", "--format=just-symbols", *options, str(path)]
    return set(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())


def _needed(program: Path, objects: list[_Object]) -> set[str]:
    """Return the names of the objects that a program calls, and that these call."""
    wanted = _symbols(program, "--undefined-only")
    found: set[str] = set()
    while more := [one for one in objects if one.name not in found and one.defines & wanted]:
        found |= {one.name for one in more}
        wanted = set().union(*(one.calls for one in more))
    return found
