"""``python -m tests.link.mutants``: the share of the changes of each file of ``host/link`` that ``tests/link`` notices.

What was found is kept in ``build/mutants/link.jsonl``: a mutant that is noticed is not tried again while its file does
not change, a survivor not while the tests do not, either. Exit status 1 below the bar.
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

from tests import goal
from tests.link.mutants import generate

generate.install()

import pytest  # noqa: E402

from tests.equivalent import Equivalent  # noqa: E402
from tests.link.mutants.journal import SURVIVED, TESTS, Journal  # noqa: E402
from tests.link.mutants.reach import Reach  # noqa: E402
from tests.link.mutants.trial import Trial  # noqa: E402

#: The least share of the changes that are not equivalent that is noticed.
BAR = 0.9
TABLE = Path(__file__).with_name("equivalent.toml")
#: pytest without what a test costs time for that nobody reads.
QUIET = ("-q", "-s", "--tb=short", *(f"-pno:{plugin}" for plugin in ("xdist", "logging", "warnings", "cacheprovider")))
KINDS = ("noticed", "equivalent", "survive", "untried")


def _options() -> argparse.Namespace:
    files = sorted(path.stem for path in generate.LINK.glob("*.py") if path.stem != "__init__")
    parser = argparse.ArgumentParser(prog="python -m tests.link.mutants", description=__doc__)
    parser.add_argument("files", nargs="*", metavar="FILE", help=f"of {', '.join(files)}; all of them by default")
    parser.add_argument("--ending", default="", help="a digit: only mutants whose number ends in it, about a tenth")
    parser.add_argument("--quick", type=float, metavar="S", help="for each mutant only tests that take S s together")
    parser.add_argument("--report", action="store_true", help="try nothing, report what earlier runs found")
    options = parser.parse_args()
    options.files = [file.removesuffix(".py") for file in options.files] or files
    if unknown := set(options.files) - set(files):
        parser.error(f"no file of host/link: {', '.join(sorted(unknown))}")
    return options


def main() -> int:
    """Try the mutants and print survivors and scores; the last line is the score of all files."""
    options = _options()
    kept = generate.ROOT / "build" / "mutants"
    journal, known = Journal(kept / "link.jsonl", options.quick), Equivalent(TABLE)
    everything = list(generate.all_mutants())
    mutants = [m for m in everything if m.file in options.files and str(m.number).endswith(options.ending)]
    if not options.report:
        todo = [m for m in mutants if m.change not in known or journal.get(m, any_tests=True) != SURVIVED]
        trial = Trial(todo, journal, Reach(kept / "link-reach.json", everything), options.quick)
        if status := pytest.main([*map(str, TESTS), *QUIET], [trial]):
            return int(status)
    counts: Counter[tuple[str, str]] = Counter()
    for mutant in mutants:
        verdict = journal.get(mutant, any_tests=True)
        kind = "untried" if verdict is None else "noticed" if verdict != SURVIVED else "survive"
        if kind == "survive" and mutant.change in known:
            kind = "equivalent"
        counts[mutant.file, kind] += 1
        if kind == "survive":
            print(f"survives: {mutant}")
    print(f"{'file':<14} {'mutants':>8} {'noticed':>8} {'equivalent':>10} {'survive':>8} {'untried':>8} {'score':>7}")
    for file in options.files:
        _show(file, {kind: counts[file, kind] for kind in KINDS})
    score = _show("all", {kind: sum(counts[file, kind] for file in options.files) for kind in KINDS})
    stale = known.stale((mutant.change for mutant in everything), known.places)
    for entry in stale:
        print(entry)
    return int(score < BAR or bool(stale))


def _show(name: str, counts: dict[str, int]) -> float:
    """Print a row and return the share of the tried mutants noticed that are not equivalent."""
    noticed, equivalent, survive, untried = (counts[kind] for kind in KINDS)
    score = noticed / max(1, noticed + survive)
    numbers = f"{sum(counts.values()):>8} {noticed:>8} {equivalent:>10} {survive:>8} {untried:>8}"
    print(f"{name:<14} {numbers} {score:>7.1%}")
    return score


if __name__ == "__main__":
    goal.run("mutants-link", main)
