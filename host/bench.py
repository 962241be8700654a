"""``python -m host.bench link``: what this machine, or the model, measures of the toolkit's own figures."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from host.benches import link
from host.command import CommandParser, run_command

BENCHES = {"link": link.run}


def parser() -> CommandParser:
    """The command line."""
    p = CommandParser(prog="python -m host.bench", description=__doc__)
    p.add_argument("bench", choices=sorted(BENCHES), help="link: goodput of useful bytes against the air's limit")
    p.add_argument("--json", action="store_true", help="JSON instead of a table")
    return p


def main(arguments: argparse.Namespace) -> int:
    """Measure and print."""
    result = BENCHES[arguments.bench]()
    print(json.dumps(result) if arguments.json else "\n".join(_table(result["rows"])))
    return 0


def _table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    cells = [list(rows[0]), *([str(value) for value in row.values()] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    return ["  ".join(text.rjust(width) for text, width in zip(row, widths, strict=True)) for row in cells]


if __name__ == "__main__":
    sys.exit(run_command("bench", lambda: main(parser().parse_args())))
