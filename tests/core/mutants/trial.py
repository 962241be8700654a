"""Builds a mutant of the core and runs the tests in C on it."""

from __future__ import annotations

import hashlib
import resource
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.core import vector_tables
from tests.core.core_build import CORE, HERE, ROOT, SANITIZERS, compiler

VARIANTS = {"optimized": ["-O2"], "sanitized": ["-O1", *SANITIZERS]}
#: Programs that contain a file of the core, so that they are built again for its mutants, with their options.
CONTAIN = {"test_queue_shape": ("queue.c", []), "explore_queue": ("queue.c", ["-DPNC_QUEUE_SLOTS=3u"])}
ARGUMENTS = {"explore_queue": ["--depth", "7"]}
CPU_SECONDS = 2  # the slowest program takes a tenth
INVALID, SAME, DOUBLE, SURVIVED = "invalid", "same", "double", "survived"


@dataclass(frozen=True)
class Program:
    """A test program."""

    name: str
    path: Path


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


class Bench:
    """A copy of the core and its tests, in which one file at a time is changed."""

    def __init__(self, folder: Path) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        self.folder = folder
        self._cc = compiler() or "cc"
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
        self.programs = {variant: self._build(variant) for variant in VARIANTS}

    def choose(self, file: str) -> None:
        """Put back the file that was changed, and change ``file`` from now on."""
        if self._file:
            self.put(self._file, self._text)
        self._file = file
        self._text = (self.sources / file).read_text(encoding="utf-8")
        self._seen = set()
        self._original = self._object(file, "optimized")
        assert self._original
        assert self.run("optimized") is None, "the tests fail on the core as it is"
        assert self.run("sanitized") is None, "the tests fail on the core as it is"

    def put(self, file: str, text: str) -> None:
        """Write a file of the core."""
        (self.sources / file).write_text(text, encoding="utf-8")
        for variant in VARIANTS:
            self._object(file, variant)

    def verdict(self, text: str) -> str:
        """Return what becomes of the chosen file's mutant ``text``: the program that killed it, or why none did."""
        (self.sources / self._file).write_text(text, encoding="utf-8")
        made = self._object(self._file, "optimized")
        if made == "":
            return INVALID
        if made == self._original:
            return SAME
        if made in self._seen:
            return DOUBLE
        self._seen.add(made)
        killer = self.run("optimized")
        if killer is None and self._object(self._file, "sanitized"):
            killer = self.run("sanitized")
        return SURVIVED if killer is None else killer

    def run(self, variant: str) -> str | None:
        """Link the core and return the name of the first test program that fails, None if all pass."""
        objects = sorted((self.folder / variant).glob("*.o"))
        library = self.folder / variant / "libcore.so"
        library.unlink(missing_ok=True)
        linked = self._compile([*VARIANTS[variant], "-shared", *objects, "-o", library])
        if not linked:
            return "link"
        for program in self.programs[variant]:
            contains, options = CONTAIN.get(program.name, ("", []))
            if contains == self._file and not self._contained(program, variant, options):
                return program.name
            command = [program.path, *ARGUMENTS.get(program.name, [])]
            try:
                done = subprocess.run(
                    command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=_limit, timeout=120
                )
            except subprocess.TimeoutExpired:
                return program.name
            if done.returncode != 0:
                return program.name
        return None

    def _build(self, variant: str) -> list[Program]:
        """Build the core's objects, its library and every test program, the quickest first."""
        (self.folder / variant).mkdir()
        for source in sorted(self.sources.glob("*.c")):
            assert self._object(source.name, variant)
        objects = sorted((self.folder / variant).glob("*.o"))
        assert self._compile([*VARIANTS[variant], "-shared", *objects, "-o", self.folder / variant / "libcore.so"])
        programs = []
        for source in sorted([*self._tests.glob("test_*.c"), *self._tests.glob("explore_*.c")]):
            program = Program(source.stem, self.folder / variant / source.stem)
            assert self._contained(program, variant, CONTAIN.get(source.stem, ("", []))[1]), program.name
            programs.append(program)
        return programs

    def _contained(self, program: Program, variant: str, options: list[str]) -> bool:
        source = self._tests / f"{program.name}.c"
        link = [] if program.name.startswith("explore_") else ["-L", program.path.parent, "-lcore"]
        rpath = f"-Wl,-rpath,{program.path.parent}"
        return self._compile([*VARIANTS[variant], *options, source, *link, rpath, "-o", program.path])

    def _object(self, file: str, variant: str) -> str:
        """Compile a file of the core and return the object's digest; "" if it does not compile."""
        at = self.folder / variant / f"{Path(file).stem}.o"
        if not self._compile([*VARIANTS[variant], "-fPIC", "-c", self.sources / file, "-o", at]):
            return ""
        return hashlib.sha256(at.read_bytes()).hexdigest()

    def _compile(self, words: list[str | Path]) -> bool:
        command = [self._cc, "-std=c11", "-w", *self._includes, *words]
        done = subprocess.run([str(w) for w in command], capture_output=True, check=False)
        return done.returncode == 0
