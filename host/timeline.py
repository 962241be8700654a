"""The command ``timeline``: print and draw the time line of each picture in an event log."""

from __future__ import annotations

import sys

from .cli.start import start_command

if __name__ == "__main__":  # before the imports below: cli/start.py says why
    sys.exit(start_command("timeline"))

import argparse
from pathlib import Path

from .cli.command import CommandError, CommandParser, argument
from .cli.units import whole
from .log.lines import legend, picture_lines
from .log.plot import check_plot, write_plot
from .log.reader import read_log
from .log.timeline import PictureTimes, time_lines
from .printing import note, show
from .text import json_line

NAME = "timeline"


def parser() -> CommandParser:
    """Return the parser of the command line."""
    p = CommandParser(command=NAME)
    p.add_argument("logs", nargs="+", type=Path, metavar="LOG", help="event logs of programs that worked together")
    p.add_argument(
        "--image", type=argument(whole(0, 65_535)), metavar="N", help="only the pictures with this number on the wire"
    )
    p.add_argument("--packets", action="store_true", help="also a line for each packet")
    p.add_argument("--json", action="store_true", help="print one JSON object for each picture on stdout")
    p.add_argument("--plot", type=Path, metavar="FILE", help="draw the first pictures (.svg, .png, .pdf)")
    return p


def timeline(arguments: argparse.Namespace) -> int:
    """Read the logs, print and draw. Raises LogError, or CommandError if there is no such picture."""
    if arguments.plot is not None:
        check_plot(arguments.plot)
    log = read_log(arguments.logs)
    if log.skipped:
        note(f"{NAME}: {log.skipped:,} lines are no entries and were skipped")
    pictures = time_lines(log.entries)
    if arguments.image is not None:
        pictures = [picture for picture in pictures if picture.image == arguments.image]
    if not pictures:
        what = "no picture" if arguments.image is None else f"no picture with the number {arguments.image}"
        raise CommandError(f"{', '.join(map(str, arguments.logs))}: {what}")
    if arguments.plot is not None:
        write_plot(pictures, arguments.plot)
    if arguments.json:
        show(*(json_line(picture.as_json()) for picture in pictures))
    else:
        show(legend(), *(line for picture in pictures for line in _lines(picture, packets=arguments.packets)))
    return 0


def _lines(picture: PictureTimes, *, packets: bool) -> list[str]:
    return ["", *picture_lines(picture, packets=packets)]


def main() -> int:
    """Run the command line and return the exit status."""
    return timeline(parser().parse_args())
