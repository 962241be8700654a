"""``python -m tests.core.mutants``: the mutation score of each file of the core.

What was found is kept in ``build/mutants/core.jsonl`` and not tried again while neither the file nor the tests change.
Exit status 1 if fewer than 95 % of the mutants that change what the core does are killed.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

from tests import goal
from tests.core.core_build import CORE, ROOT
from tests.core.mutants.generate import Mutant, mutants_of
from tests.core.mutants.journal import Journal
from tests.core.mutants.trial import DOUBLE, INVALID, OPEN, SAME, SURVIVED, Bench
from tests.equivalent import Equivalent

BAR = 0.95
BUILD = ROOT / "build" / "mutants"
TABLE = Path(__file__).with_name("equivalent.toml")


def _options() -> argparse.Namespace:
    files = sorted(path.name for path in (CORE / "src").glob("*.c"))
    parser = argparse.ArgumentParser(prog="python -m tests.core.mutants", description=__doc__)
    parser.add_argument("files", nargs="*", metavar="FILE", help=f"of {', '.join(files)}; all of them by default")
    parser.add_argument("--sample", type=int, metavar="N", help="try only N mutants of each file, drawn by the seed")
    parser.add_argument("--seed", type=int, default=1, help="of the sample")
    parser.add_argument("--again", action="store_true", help="try the survivors of earlier runs again")
    parser.add_argument("--quick", action="store_true", help="try the quick build only; what survives it stays open")
    parser.add_argument("--report", action="store_true", help="try nothing, report what earlier runs found")
    options = parser.parse_args()
    options.files = options.files or files
    if unknown := set(options.files) - set(files):
        parser.error(f"no file of the core: {', '.join(sorted(unknown))}")
    return options


def _is_due(verdict: str | None, options: argparse.Namespace, *, equivalent: bool) -> bool:
    """Return true if a mutant has to be tried. Of those in the table, the quick build alone is tried."""
    if verdict == OPEN and not options.again:
        return not options.quick and not equivalent
    return verdict is None or (options.again and verdict in (OPEN, SURVIVED))


def _try_all(
    mutants: list[Mutant], journal: Journal, known: Equivalent, options: argparse.Namespace, bench: Bench
) -> None:
    text = (CORE / "src" / mutants[0].file).read_text(encoding="utf-8")
    todo = [m for m in mutants if _is_due(journal.get(m), options, equivalent=m.change in known)]
    if not todo:
        return
    tried = [m for m in mutants if m not in set(todo)]
    bench.choose(mutants[0].file, journal.objects(tried))
    for at, mutant in enumerate(todo):
        journal.put(mutant, *bench.verdict(mutant.text(text), quick=mutant.change in known))
        if sys.stderr.isatty():
            print(f"\r{mutant.file} {at + 1} of {len(todo)}", end="", file=sys.stderr)


def main() -> int:
    """Try the mutants and print the scores; the last line is the score of all files."""
    options = _options()
    BUILD.mkdir(parents=True, exist_ok=True)
    journal = Journal(BUILD / "core.jsonl")
    known = Equivalent(TABLE)
    bench = None if options.report else Bench(BUILD / "core", quick=options.quick)
    total: Counter[str] = Counter()
    survivors = []
    everything: list[Mutant] = []
    print(f"{'file':<16} {'mutants':>8} {'killed':>7} {'equivalent':>10} {'survive':>8} {'score':>7}")
    for file in options.files:
        possible = mutants_of(CORE / "src" / file, options.seed)
        everything += possible
        mutants = possible[: options.sample]
        if bench is not None:
            _try_all(mutants, journal, known, options, bench)
        counts: Counter[str] = Counter()
        for mutant in mutants:
            verdict = journal.get(mutant)
            if verdict in (None, INVALID, SAME, DOUBLE):
                continue
            counts["mutants"] += 1
            if verdict not in (OPEN, SURVIVED):
                counts["killed"] += 1
            elif mutant.change in known:
                counts["equivalent"] += 1
            else:
                counts["survive"] += 1
                survivors.append(mutant)
        _show(file, counts)
        total += counts
    for mutant in sorted(survivors, key=lambda m: (m.file, m.number)):
        print(f"survives: {mutant.key}")
    score = _show("all", total)
    stale = known.stale((mutant.change for mutant in everything), options.files)
    for entry in stale:
        print(entry)
    return int(score < BAR or bool(stale))


def _show(name: str, counts: Counter[str]) -> float:
    """Print a row and return the share of the mutants killed that are not equivalent."""
    score = counts["killed"] / max(1, counts["mutants"] - counts["equivalent"])
    numbers = f"{counts['mutants']:>8} {counts['killed']:>7} {counts['equivalent']:>10} {counts['survive']:>8}"
    print(f"{name:<16} {numbers} {score:>7.1%}", flush=True)
    return score


if __name__ == "__main__":
    goal.run("mutants-core", main)
