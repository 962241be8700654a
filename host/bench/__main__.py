"""Measures the speed of the codec and the edge server on this machine, and the goodput of the link on modelled radio.

python -m host.bench codec
python -m host.bench link
python -m host.bench sealed
python -m host.bench server
python -m host.bench page
python -m host.bench soak
"""

from __future__ import annotations

import sys

from ..cli.start import start_command

if __name__ == "__main__":  # before the imports below: cli/start.py says why
    sys.exit(start_command("bench"))

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..camera.pictures import PHOTOS
from ..cli import table
from ..cli.command import CommandParser
from ..codec.weights import DEFAULT
from ..printing import show
from ..text import json_line
from . import codec, link, live_soak, server, soak, soak_plot

BENCHES = ("codec", "link", "sealed", "server", "page", "soak")


def parser() -> CommandParser:
    """Return the parser of the command line."""
    p = CommandParser(command="bench")
    p.add_argument(
        "bench",
        choices=BENCHES,
        help="codec: time of its steps and of other encoders; link: goodput of useful bytes against the radio's limit; "
        "sealed: what a key costs in goodput and CPU time; "
        "server: time for a picture by workers and threads, and pictures answered in time under too much work; "
        "page: answers in time without the live page and with ten browsers that follow it; "
        "soak: very many pictures over a bad link in virtual time, or real time with --minutes",
    )
    p.add_argument("--json", action="store_true", help="JSON instead of a table")
    of_codec = p.add_argument_group("codec")
    of_codec.add_argument("--codec", default=DEFAULT, metavar="NAME", help="the codec (%(default)s)")
    of_codec.add_argument(
        "--photos",
        "--pictures",
        type=Path,
        default=PHOTOS,
        metavar="DIR",
        help="measure on the first 64 sound photos of a folder instead of the ten photos that ship with the project",
    )
    of_codec.add_argument(
        "--rounds", type=_count, default=codec.ROUNDS, metavar="N", help="how often each step is timed (%(default)s)"
    )
    of_codec.add_argument(
        "--batch", type=_count, default=codec.BATCH, metavar="N", help="pictures in a batch (%(default)s)"
    )
    of_codec.add_argument(
        "--threads", type=_count, default=1, metavar="N", help="threads that share a batch (%(default)s)"
    )
    of_soak = p.add_argument_group("soak")
    of_soak.add_argument(
        "--soak", type=_pictures, default=soak.PICTURES, metavar="N", help="pictures, at least 10 (%(default)s)"
    )
    of_soak.add_argument(
        "--minutes", type=_minutes, metavar="N", help="send in real time for so many minutes instead, with the networks"
    )
    of_soak.add_argument(
        "--plot", type=Path, metavar="FILE", help="with --minutes: where to draw the curves (.svg, .png)"
    )
    return p


def _minutes(text: str) -> float:
    """Parse a number of minutes, for argparse."""
    try:
        minutes = float(text)
    except ValueError:
        minutes = 0.0
    if not 0 < minutes <= 100_000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of minutes")
    return minutes


def _count(text: str) -> int:
    """Parse a whole number, for argparse."""
    if not text.isdecimal() or not 1 <= int(text) <= 10_000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to 10000")
    return int(text)


def _pictures(text: str) -> int:
    """Parse a number of pictures, for argparse."""
    if not text.isdecimal() or int(text) < soak.PARTS:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of at least {soak.PARTS}")
    return int(text)


def bench(options: argparse.Namespace) -> int:
    """Measure and print."""
    if options.bench == "link":
        result = link.run()
    elif options.bench == "sealed":
        from . import sealed  # only here: the others need no cryptography

        result = sealed.run(options.rounds)
    elif options.bench == "server":
        result = server.run(options.rounds)
    elif options.bench == "page":
        from . import page  # only here: it needs the extra web

        result = page.run(options.rounds)
    elif options.bench == "soak":
        result = soak.run(options.soak) if options.minutes is None else _live_soak(options.minutes, options.plot)
    else:
        result = codec.run(options.codec, options.photos, options.rounds, options.batch, options.threads)
    if options.json:
        show(json_line(result))
        return 0 if result.get("passed", True) else 1
    parts = [part for part in ("rows", "ratios", "slow", "cpu", "overload") if part in result]
    for part in parts:
        show(*_table(result[part]), *([""] if len(parts) > 1 else []))
    for note in result.get("notes", ()):
        show(note)
    return 0 if result.get("passed", True) else 1


def _live_soak(minutes: float, plot: Path | None) -> dict[str, Any]:
    if plot is not None:
        soak_plot.check(plot)
    result = live_soak.run(minutes)
    if plot is not None:
        soak_plot.save(result["rows"], plot)
    return result


def _table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    return table.lines(list(rows[0]), [[_cell(value) for value in row.values()] for row in rows], right=True)


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


def main() -> int:
    """Run the command line and return the exit status."""
    return bench(parser().parse_args())
