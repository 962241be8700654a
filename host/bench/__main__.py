"""``python -m host.bench link|codec``: what this machine, or the model, measures of the toolkit's own figures."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..cli import table
from ..cli.command import CommandParser, run_command
from ..codec.weights import DEFAULT
from . import codec, link

BENCHES = ("codec", "link")


def parser() -> CommandParser:
    """The command line."""
    p = CommandParser(prog="python -m host.bench", description=__doc__)
    p.add_argument(
        "bench",
        choices=BENCHES,
        help="codec: time of its steps and of other encoders; link: goodput of useful bytes against the air's limit",
    )
    p.add_argument("--json", action="store_true", help="JSON instead of a table")
    of_codec = p.add_argument_group("codec")
    of_codec.add_argument("--codec", default=DEFAULT, metavar="NAME", help="which codec (%(default)s)")
    of_codec.add_argument(
        "--pictures", type=Path, metavar="DIR", help="the first 64 sound pictures there, not the sample"
    )
    of_codec.add_argument("--rounds", type=_count, default=codec.ROUNDS, metavar="N", help="rounds (%(default)s)")
    of_codec.add_argument(
        "--batch", type=_count, default=codec.BATCH, metavar="N", help="pictures in a batch (%(default)s)"
    )
    of_codec.add_argument(
        "--threads", type=_count, default=1, metavar="N", help="threads that share a batch (%(default)s)"
    )
    return p


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 10_000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to 10000")
    return int(text)


def main(arguments: argparse.Namespace) -> int:
    """Measure and print."""
    if arguments.bench == "link":
        result = link.run()
    else:
        a = arguments
        result = codec.run(a.codec, a.pictures, a.rounds, a.batch, a.threads)
    if arguments.json:
        print(json.dumps(result))
        return 0
    for part in ("rows", "ratios"):
        if part in result:
            print("\n".join(_lines(result[part])), end="\n\n" if "ratios" in result else "\n")
    for note in result.get("notes", ()):
        print(note)
    return 0


def _lines(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    return table.lines(list(rows[0]), [[_cell(value) for value in row.values()] for row in rows], right=True)


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


if __name__ == "__main__":
    sys.exit(run_command("bench", lambda: main(parser().parse_args())))
