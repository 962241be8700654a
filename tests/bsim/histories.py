"""Runs the rules of ``tests.system`` on simulated boards: ``python -m tests.bsim.histories --rules 1000``.

What happens depends on the computer only within a millisecond, so a history that is repeated may differ: the one that
deviates is printed as it was, and not made shorter.
"""

from __future__ import annotations

import sys

from tests import goal
from tests.bsim.firmware_system import firmware_rules
from tests.bsim.simulation import BUILD, missing, the_program
from tests.system.__main__ import run

#: Histories between two lines of progress.
BATCH = 5


def main() -> int:
    """Run the command and return its exit status: 1 at a deviation, 2 if something is missing."""
    why = missing()
    if why is not None:
        print(f"histories on simulated boards: {why}; docs/firmware.md says what they need", file=sys.stderr)
        return 2
    folder = BUILD / "histories"
    folder.mkdir(parents=True, exist_ok=True)
    return run(None, firmware_rules(the_program(), folder), batch=BATCH, shrink=False, default_rules=1000)


if __name__ == "__main__":
    goal.run("histories", main)
