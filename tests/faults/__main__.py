"""Runs every single fault at every place of the reference scene, or pairs of them by the hour.

python -m tests.faults                      all single faults
python -m tests.faults --sample 1500        some of each kind and place
python -m tests.faults --hours 0.5          random pairs for half an hour
python -m tests.faults --replay ID          one run

With --key the pictures are sealed.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import takewhile

from tests import goal
from tests.faults.fault import KINDS, Fault, parse_faults, run_id
from tests.faults.places import every_fault, pairs, sample
from tests.faults.scene import RECOVERY_US, Outcome, run

#: So many failing runs are printed in full.
_MOST_PRINTED = 20

Run = tuple[Fault, ...]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status: 1 if a run failed."""
    options = parser().parse_args(arguments)
    if options.replay:
        return _replay(options.replay, key=options.key)
    faults = [fault for fault in every_fault(key=options.key) if options.kind in (None, fault.kind)]
    minutes = options.hours * 60 + options.minutes
    if minutes:
        end_s = time.monotonic() + minutes * 60
        runs: Iterable[Run] = takewhile(lambda _: time.monotonic() < end_s, pairs(faults, options.seed))
    else:
        runs = [(fault,) for fault in (sample(faults, options.sample, options.seed) if options.sample else faults)]
    tally = _Tally(key=options.key)
    for faults_of_run, outcome in _all(runs, options.jobs, key=options.key):
        tally.add(faults_of_run, outcome)
    return tally.report()


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    p = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__.partition("\n")[0])
    p.add_argument("--sample", type=int, default=0, metavar="N", help="so many single faults instead of all")
    p.add_argument("--hours", type=_time, default=0, metavar="N", help="random pairs for so long")
    p.add_argument("--minutes", type=_time, default=0, metavar="N", help="random pairs for so long")
    p.add_argument("--seed", type=int, default=1, metavar="N", help="of sample and pairs (%(default)s)")
    p.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="processes (%(default)s)")
    p.add_argument("--kind", choices=KINDS, help="single faults of this kind only")
    p.add_argument("--key", action="store_true", help="with a key at both ends")
    p.add_argument("--replay", metavar="ID", help="repeat the run that was printed with this id")
    return p


def _time(text: str) -> float:
    try:
        time = float(text)
    except ValueError:
        time = -1
    if not (math.isfinite(time) and time >= 0):
        raise argparse.ArgumentTypeError(f"{text!r} is not a time")
    return time


def _replay(text: str, *, key: bool) -> int:
    faults = parse_faults(text)
    outcome = run(faults, key=key)
    for fault in faults:
        at_us = outcome.happened_us.get(fault)
        when = "did not happen" if at_us is None else f"at {at_us / 1000:.1f} ms"
        print(f"{fault}: {KINDS[fault.kind][1]}, {when}")
    print(f"recovered within {RECOVERY_US / 1e6:g} s: {'yes' if outcome.recovered else 'no'}")
    print(*outcome.wrong, sep="\n", end="\n" if outcome.wrong else "")
    return 0 if outcome.sound else 1


def _all(runs: Iterable[Run], jobs: int, *, key: bool) -> Iterator[tuple[Run, Outcome]]:
    one = partial(_run, key=key)
    if jobs == 1:
        yield from map(one, runs)
        return
    with multiprocessing.get_context("fork").Pool(jobs) as pool:
        # A batch at a time: a pool would take all of an endless supply.
        supply = iter(runs)
        while batch := [each for _, each in zip(range(64 * jobs), supply, strict=False)]:
            yield from pool.imap_unordered(one, batch, chunksize=8)


def _run(faults: Run, *, key: bool) -> tuple[Run, Outcome]:
    try:
        outcome = run(faults, key=key)
    except Exception as error:  # whatever it is, its run's id is to be printed
        outcome = Outcome(recovered=False, wrong=[f"{type(error).__name__}: {error}"])
    outcome.credits, outcome.counts = {}, {}
    return faults, outcome


class _Tally:
    """The figures of all runs."""

    def __init__(self, *, key: bool) -> None:
        self._option = "--key " if key else ""
        self._runs: Counter[str] = Counter()
        self._figures: Counter[tuple[str, str]] = Counter()
        self._failed = 0

    def add(self, faults: Run, outcome: Outcome) -> None:
        """Count a run, and print it if it failed."""
        kind = faults[0].kind if len(faults) == 1 else "pairs"
        self._runs[kind] += 1
        self._figures[kind, "happened"] += all(fault in outcome.happened_us for fault in faults)
        self._figures[kind, "recovered"] += outcome.recovered
        self._figures[kind, "whole"] += outcome.whole
        self._figures[kind, "exact"] += not outcome.wrong
        if outcome.sound:
            return
        self._failed += 1
        if self._failed <= _MOST_PRINTED:
            lines = [*([] if outcome.recovered else ["not recovered"]), *outcome.wrong]
            print(
                f"FAILED {'; '.join(lines)}\n  python -m tests.faults {self._option}--replay {run_id(faults)}",
                flush=True,
            )

    def report(self) -> int:
        """Print the figures and return the exit status."""
        print(f"{'fault':8} {'runs':>7} {'happened':>9} {'recovered':>10} {'exact':>7} {'first whole':>12}")
        for kind, runs in self._runs.items():
            happened, recovered, exact, whole = (
                self._figures[kind, name] for name in ("happened", "recovered", "exact", "whole")
            )
            print(f"{kind:8} {runs:>7} {happened:>9} {recovered:>10} {exact:>7} {whole:>12}")
        total = self._runs.total()
        print(f"{total} runs, {self._failed} failed: recovery within {RECOVERY_US / 1e6:g} s, pictures and accounts")
        return 1 if self._failed or not total else 0


if __name__ == "__main__":
    goal.run("faults", main)
