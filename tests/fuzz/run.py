"""Fuzzes the C code with libFuzzer: ``python -m tests.fuzz.run --minutes 9`` (``make fuzz MINUTES=9``).

The time is divided among the targets. Each starts with its corpus and is built with ASan and UBSan, or, with
``--sanitizer memory``, with MSan. What it finds that is new goes to build/fuzz/NAME; ``--merge`` minimises that into
the corpus of the repository. An input that breaks a promise is kept as build/fuzz/NAME-crash-*, and the exit status is
1: mend the fault, and put the input into tests/fuzz/regressions/NAME under a name that says what it was.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests import goal
from tests.core.core_build import can_link
from tests.fuzz.targets import ROOT, SANITIZERS, TARGETS, Target

BUILD = ROOT / "build" / "fuzz"
COMPILERS = ("clang-19", "clang")
_DONE = re.compile(r"^#(\d+)\s+DONE\s+cov: (\d+) ft: (\d+) corp: (\d+)", re.MULTILINE)


@dataclass
class Outcome:
    """What became of a target: executions, edges reached, inputs of its corpus, and what it printed if it failed."""

    target: Target
    executions: int = 0
    edges: int = 0
    inputs: int = 0
    seconds: float = 0.0
    failure: str = ""

    def line(self) -> str:
        """A line of the table."""
        rate = self.executions / self.seconds if self.seconds else 0.0
        state = "FAILED" if self.failure else "clean"
        return f"{self.target.name:<12}{self.executions:>12}{rate:>10.0f}{self.edges:>8}{self.inputs:>8}  {state}"


def fuzzer(sanitizer: str) -> list[str] | None:
    """The compiler that has libFuzzer and the sanitizer, with its options; None if there is none."""
    options = SANITIZERS[sanitizer]
    for name in COMPILERS:
        if can_link(name, "-fsanitize=fuzzer", *options):
            return [name, "-O2", "-g", *options]
    return None


def built(target: Target, command: Sequence[str]) -> Path:
    """The target, built with libFuzzer from the sources as they are now."""
    with tempfile.TemporaryDirectory() as folder:
        program = target.build(command, Path(folder) / target.name, fuzzer=True)
        return Path(shutil.copy(program, BUILD / f"fuzz-{target.name}"))


def fuzz(target: Target, command: Sequence[str], seconds: float, runs: int) -> Outcome:
    """Build a target and run it for so long, or for so many executions if that is sooner (0: no limit)."""
    BUILD.mkdir(parents=True, exist_ok=True)
    program = built(target, command)
    known, found = BUILD / f"{target.name}-known", BUILD / target.name
    shutil.rmtree(known, ignore_errors=True)
    target.unpack(known)
    found.mkdir(exist_ok=True)
    options = [f"-max_total_time={max(1, round(seconds))}", f"-max_len={target.longest}", "-timeout=10"]
    options += [f"-runs={runs}"] if runs else []
    options += [f"-artifact_prefix={BUILD / target.name}-"]
    begun = time.monotonic()
    done = subprocess.run([program, *options, found, known], capture_output=True, text=True, check=False)
    outcome = Outcome(target, seconds=time.monotonic() - begun)
    match = _DONE.search(done.stderr)
    if match:
        outcome.executions, outcome.edges, _, outcome.inputs = map(int, match.groups())
    if done.returncode != 0 or match is None:
        outcome.failure = done.stderr[-4000:] or f"status {done.returncode}"
    return outcome


def merge(target: Target, command: Sequence[str]) -> None:
    """Minimise the corpus together with what was found, and keep that in the repository."""
    program = built(target, command)
    known, small = BUILD / f"{target.name}-known", BUILD / f"{target.name}-small"
    shutil.rmtree(small, ignore_errors=True)
    small.mkdir(parents=True)
    target.unpack(known)
    found = BUILD / target.name
    found.mkdir(exist_ok=True)
    # -set_cover_merge=1 keeps few inputs that reach all, where -merge=1 keeps many
    done = subprocess.run(
        [program, "-set_cover_merge=1", small, known, found], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise SystemExit(done.stderr[-4000:])
    target.pack(list(small.iterdir()))


def report(outcomes: Sequence[Outcome]) -> list[str]:
    """The table, and before it what failed."""
    failures = [f"{each.target.name}:\n{each.failure}" for each in outcomes if each.failure]
    total = sum(each.executions for each in outcomes)
    head = f"{'target':<12}{'executions':>12}{'a second':>10}{'edges':>8}{'inputs':>8}"
    failed = sum(1 for each in outcomes if each.failure)
    last = f"{'all':<12}{total:>12}  {failed} of {len(outcomes)} targets failed"
    return [*failures, head, *(each.line() for each in outcomes), last]


def main(arguments: Sequence[str] | None = None) -> int:
    """Fuzz, print a table, and return 0 if no promise was broken, 1 if one was, 2 if there is no libFuzzer."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=9.0, help="for all targets together")
    parser.add_argument("--runs", type=int, default=0, help="most executions of a target")
    parser.add_argument("--target", action="append", choices=[*TARGETS], help="only this one; may be repeated")
    parser.add_argument("--sanitizer", choices=[*SANITIZERS], default="address")
    parser.add_argument("--merge", action="store_true", help="then minimise what was found into the corpora")
    options = parser.parse_args(arguments)
    command = fuzzer(options.sanitizer)
    if command is None:
        print("fuzzing needs clang with libFuzzer: sudo apt install clang-19 libclang-rt-19-dev", file=sys.stderr)
        return 2
    targets = [TARGETS[name] for name in options.target or TARGETS]
    outcomes = [fuzz(target, command, options.minutes * 60 / len(targets), options.runs) for target in targets]
    print("\n".join(report(outcomes)))
    failed = any(each.failure for each in outcomes)
    if options.merge and not failed:
        for target in targets:
            merge(target, command)
    return int(failed)


if __name__ == "__main__":
    goal.run("fuzz", main)
