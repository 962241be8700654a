"""Runs as many rules of the stateful test as wanted: ``python -m tests.system --rules 100000``.

Hypothesis prints the shortest history that it finds to a deviation, as a program that repeats it.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

from hypothesis import HealthCheck, Phase, settings
from hypothesis import seed as with_seed
from hypothesis.stateful import run_state_machine_as_test

from tests import goal
from tests.system.rules import Rules

#: Rules in a history, and histories between two lines of progress.
STEPS, BATCH = 50, 100


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status: 1 at a deviation."""
    return run(arguments, Rules)


def run(
    arguments: Sequence[str] | None,
    rules: type[Rules],
    *,
    batch: int = BATCH,
    shrink: bool = True,
    default_rules: int = 100_000,
) -> int:
    """Run histories as the arguments say, and return the exit status: 1 at a deviation."""
    p = argparse.ArgumentParser(prog="python -m tests.system", description=__doc__.partition("\n")[0])
    p.add_argument("--rules", type=int, default=default_rules, metavar="N", help="rules to apply (%(default)s)")
    p.add_argument("--minutes", type=float, default=0, metavar="N", help="end after so long at the latest")
    p.add_argument("--seed", type=int, default=1, metavar="N", help="of the histories (%(default)s)")
    p.add_argument("--key", action="store_true", help="with keys, on virtual boards")
    options = p.parse_args(arguments)
    if options.key:
        if rules is not Rules:
            p.error("--key is for virtual boards")
        from tests.system.keyed import KeyedRules

        rules = KeyedRules
    start_s, batches = time.monotonic(), 0
    while Rules.applied < options.rules:
        if options.minutes and time.monotonic() - start_s > 60 * options.minutes:
            break
        run_batch(options.seed * 1_000_000 + batches, batch, rules, shrink=shrink)
        batches += 1
        pictures = f"{Rules.answered} pictures answered and {Rules.unanswered} not"
        print(f"{Rules.applied} rules in {batches * batch} histories, {pictures}: 0 deviations", flush=True)
    return 0 if Rules.applied >= options.rules else 1


def run_batch(seed: int, histories: int, rules: type[Rules] = Rules, *, shrink: bool = True) -> None:
    """Run so many histories; what hypothesis finds is raised."""
    limits = settings(
        max_examples=histories,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        phases=[Phase.generate, *([Phase.shrink] if shrink else [])],
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )
    # Each class is seeded once: a new one for each batch.
    run_state_machine_as_test(with_seed(seed)(type("History", (rules,), {})), settings=limits)


if __name__ == "__main__":
    goal.run("histories", main)
