"""Measures how much of the C code the tests in C reach: lines, branches and MC/DC, with clang's counters.

``python -m tests.coverage`` (``make coverage``) builds the core and the codec with clang 19, runs their C tests, prints
a table and exits with 1 unless every figure is 100 %. It needs clang-19, llvm-19 and, for the codec's scalar code,
which a processor with AVX2 does not run, qemu-user (Debian's names).
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests import goal
from tests.core import vector_tables

ROOT = Path(__file__).resolve().parents[1]
TESTS = ROOT / "tests"
CORE = ROOT / "firmware" / "core"
WIRE = ROOT / "protocol"
NATIVE = ROOT / "host" / "codec" / "native"
#: MC/DC came with clang 18; from 19 on it takes any number of conditions.
RELEASE = "-19"
#: Assertions are left out, as in a wheel: what they say cannot happen, so their other side is never reached. The
#: sanitizers' builds have them.
FLAGS = ("-std=c11", "-O0", "-DNDEBUG", "-fprofile-instr-generate", "-fcoverage-mapping", "-fcoverage-mcdc")
TOOLS = (f"clang{RELEASE}", f"llvm-profdata{RELEASE}", f"llvm-cov{RELEASE}")
#: Processors that the codec's tests run on: with vector instructions (emulated where this one has none), and without.
HAS_AVX2 = " avx2 " in Path("/proc/cpuinfo").read_text(encoding="ascii")
PROCESSORS = {"avx2": () if HAS_AVX2 else ("qemu-x86_64", "-cpu", "max"), "no-avx2": ("qemu-x86_64", "-cpu", "Nehalem")}


class CoverageError(Exception):
    """A tool is missing, or a program failed."""


@dataclass
class Part:
    """Code that is measured, the programs that drive it, and the processors that they run on."""

    name: str
    measured: tuple[Path, ...]
    includes: tuple[Path, ...]
    sources: list[Path]
    programs: list[Path]
    processors: dict[str, tuple[str, ...]] = field(default_factory=lambda: {"here": ()})


@dataclass
class Figures:
    """What of a file was reached: (covered, all) of its lines, branches and conditions (MC/DC)."""

    file: str
    lines: tuple[int, int]
    branches: tuple[int, int]
    conditions: tuple[int, int]
    missed: list[str]

    def complete(self) -> bool:
        """True if nothing is missed."""
        return all(done == every for done, every in (self.lines, self.branches, self.conditions))


def run(command: Sequence[str | Path], **options: object) -> str:
    """Run a program and return what it printed; CoverageError if it fails."""
    words = [str(word) for word in command]
    done = subprocess.run(words, capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload]
    if done.returncode != 0:
        raise CoverageError(f"{' '.join(words)[:300]}: status {done.returncode}\n{done.stdout}{done.stderr}")
    return str(done.stdout)


def c_tests(folder: Path) -> Iterator[Path]:
    """The test programs of a folder. Not those that compile a source again, with other sizes."""
    for path in sorted(folder.glob("test_*.c")):
        if '.c"' not in path.read_text(encoding="utf-8"):
            yield path


def parts(folder: Path) -> list[Part]:
    """The generated packet readers, the core and the codec; ``folder`` takes the program of the vectors."""
    vectors = folder / "test_vectors.c"
    vectors.write_text(vector_tables.program(), encoding="utf-8")
    core = [*c_tests(TESTS / "core"), vectors]
    codec = list(c_tests(TESTS / "codec" / "native"))
    return [
        # Every program compiles a header again; llvm-cov adds the lines of such copies up wrongly, so one drives it.
        Part("protocol/pnc_wire.h", (WIRE,), (WIRE, TESTS / "core"), [], [TESTS / "core" / "test_packets.c"]),
        Part(
            "firmware/core",
            (CORE,),
            (CORE / "include", WIRE, TESTS / "core"),
            sorted((CORE / "src").glob("*.c")),
            core,
        ),
        Part(
            "host/codec/native",
            (NATIVE,),
            (NATIVE, TESTS / "core"),
            sorted(NATIVE.glob("*.c")),
            codec,
            PROCESSORS,
        ),
    ]


def measure(part: Part, folder: Path) -> list[Figures]:
    """Build and run a part's programs in ``folder``; return the figures of each file."""
    flags = [*FLAGS, *(f"-I{path}" for path in part.includes)]
    objects = folder / "objects"
    objects.mkdir(parents=True)
    if part.sources:
        run([TOOLS[0], *flags, "-c", *part.sources], cwd=objects)
    built = []
    for program in part.programs:
        at = folder / program.stem
        run([TOOLS[0], *flags, program, *sorted(objects.glob("*.o")), "-o", at])
        built.append(at)
        for name, emulator in part.processors.items():
            run([*emulator, at], env={"LLVM_PROFILE_FILE": f"{at}-{name}.profraw"})
    profile = folder / "all.profdata"
    run([TOOLS[1], "merge", "-o", profile, *sorted(folder.glob("*.profraw"))])
    more = [word for at in built[1:] for word in ("-object", str(at))]
    text = run([TOOLS[2], "export", built[0], *more, f"-instr-profile={profile}", *part.measured])
    return [figures(each) for each in json.loads(text)["data"][0]["files"]]


def figures(file: dict[str, object]) -> Figures:
    """The figures of a file of llvm-cov's export."""
    summary = file["summary"]
    assert isinstance(summary, dict)
    found = {key: (summary[key]["covered"], summary[key]["count"]) for key in ("lines", "branches", "mcdc")}
    name = str(Path(str(file["filename"])).relative_to(ROOT))
    return Figures(name, found["lines"], found["branches"], found["mcdc"], list(missed(file, name)))


def missed(file: dict[str, object], name: str) -> Iterator[str]:
    """Say where a branch was not taken and where a condition did not decide alone.

    A file that several programs compile (a header) has several records of one place; those of one where nothing is
    missed say so for all.
    """
    branches, decisions = file["branches"], file.get("mcdc_records", [])
    assert isinstance(branches, list)
    assert isinstance(decisions, list)
    taken: dict[tuple[int, ...], list[int]] = {}
    for line, column, to, last, true, false, *_ in branches:
        counts = taken.setdefault((line, column, to, last), [0, 0])
        counts[0] += true
        counts[1] += false
    for (line, column, *_), counts in sorted(taken.items()):
        for side, count in zip(("true", "false"), counts, strict=True):
            if count == 0:
                yield f"{name}:{line}:{column}: never {side}"
    decided: dict[tuple[int, ...], list[bool]] = {}
    for line, column, to, last, *_, conditions in decisions:
        best = decided.setdefault((line, column, to, last), [False] * len(conditions))
        best[:] = [a or b for a, b in zip(best, conditions, strict=True)]
    for (line, column, *_), conditions in sorted(decided.items()):
        for number, alone in enumerate(conditions, 1):
            if not alone:
                yield f"{name}:{line}:{column}: condition {number} never decides alone"


def percent(share: tuple[int, int]) -> str:
    """A share in percent, rounded down; a dash if there is nothing to reach."""
    done, every = share
    return f"{done * 1000 // every / 10:.1f}" if every else "-"


def total(files: Sequence[Figures], name: str) -> Figures:
    """The sum over files."""

    def added(shares: list[tuple[int, int]]) -> tuple[int, int]:
        return sum(done for done, _ in shares), sum(every for _, every in shares)

    return Figures(
        name,
        added([each.lines for each in files]),
        added([each.branches for each in files]),
        added([each.conditions for each in files]),
        [place for each in files for place in each.missed],
    )


def row(each: Figures) -> str:
    """A line of the table."""
    shares = (each.lines, each.branches, each.conditions)
    return f"{each.file:<42}" + "".join(f"{percent(share):>8} %{share[1]:>6}" for share in shares)


def report(measured: dict[str, list[Figures]]) -> list[str]:
    """The table: a line for each file that is not complete, what it misses, and last a line for each part."""
    lines = [f"{'':<42}{'lines':>16}{'branches':>16}{'MC/DC':>16}"]
    for files in measured.values():
        for each in files:
            if not each.complete():
                lines += [row(each), *(f"  {place}" for place in each.missed)]
    return lines + [row(total(files, name)) for name, files in measured.items()]


def missing_tools() -> list[str]:
    """Programs that the measurement needs and that are not installed."""
    return [tool for tool in (*TOOLS, "qemu-x86_64") if shutil.which(tool) is None]


def main() -> int:
    """Measure, print the table, and return 0 if all is covered, 1 if not, 2 if it could not be measured."""
    lacking = missing_tools()
    if lacking:
        print(f"coverage needs {', '.join(lacking)}: sudo apt install clang-19 llvm-19 libclang-rt-19-dev qemu-user")
        return 2
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            measured = {part.name: measure(part, folder / str(n)) for n, part in enumerate(parts(folder))}
        except CoverageError as error:
            print(error, file=sys.stderr)
            return 2
    print("\n".join(report(measured)))
    return 0 if all(each.complete() for files in measured.values() for each in files) else 1


if __name__ == "__main__":
    goal.run("coverage", main)
