"""Count the changes of ``host/link`` that ``tests/link`` notices: mutmut changes one expression at a time.

    python -m tests.link.mutants [ENDING]

ENDING: a digit; only changes whose number in their function ends in it (about a tenth; 1 has the most) are made.
mutmut keeps what it found in mutants/, so a run that was stopped goes on; a change of the tests alone does not discard
it (delete mutants/ then). The settings are those of ``pyproject.toml``. Exit status: 1 below the bar.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOUND = ROOT / "mutants" / "host" / "link"
#: The least share of changes that are noticed.
BAR = 0.9
#: mutmut's exit codes: a test failed, or a test took far too long; all passed; no test reaches the function.
NOTICED = {1, 3, 24, -24, 36, 152, 255}
SURVIVED = {0, 5, 33}


def main() -> int:
    """Run mutmut, print the survivors and the figures, and return the exit status."""
    ending = sys.argv[1] if len(sys.argv) > 1 else ""
    pattern = f"host.link.*mutmut_*{ending}" if ending else "host.link.*"
    program = Path(sys.executable).with_name("mutmut")
    done = subprocess.run([program, "run", "--max-children", "1", pattern], cwd=ROOT, check=False)
    if done.returncode:
        print(f"mutants: mutmut ended with status {done.returncode}", file=sys.stderr)
        return 1
    noticed = survived = 0
    for path in sorted(FOUND.glob("*.meta")):
        codes = json.loads(path.read_text())["exit_code_by_key"]
        chosen = {name: code for name, code in codes.items() if name.endswith(ending) and code is not None}
        unclear = [name for name, code in chosen.items() if code not in NOTICED | SURVIVED]
        alive = sorted(name for name, code in chosen.items() if code in SURVIVED)
        for name in (*unclear, *alive):
            print(f"mutants: {'unclear' if name in unclear else 'survived'}: {name} (mutmut show '{name}')")
        print(f"mutants: {path.stem}: {len(chosen) - len(alive) - len(unclear)} of {len(chosen)}")
        noticed += len(chosen) - len(alive) - len(unclear)
        survived += len(alive) + len(unclear)
    share = noticed / max(1, noticed + survived)
    print(f"mutants: {noticed} of {noticed + survived} changes of host/link noticed: {share:.1%} (bar {BAR:.0%})")
    return 0 if share >= BAR else 1


if __name__ == "__main__":
    sys.exit(main())
