"""Measures accuracy under deadlines, on virtual boards in virtual time.

    python -m host.simulate DIR --labels labels.csv --deadlines 300ms,500ms --traces none,heavy

Exit status: 0 done, 1 failed, 2 wrong usage, 130 interrupted.
"""

from __future__ import annotations

import sys

from ..cli.start import start_command

if __name__ == "__main__":  # before the imports below: cli/start.py says why
    sys.exit(start_command("simulate"))

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tqdm import tqdm

from ..cli import table
from ..cli.command import CommandError, CommandParser
from ..cli.units import milliseconds
from ..codec import PictureError, load, load_picture
from ..edge.classifier import DEFAULT_CLASSIFIER
from ..edge.classifier import load as load_classifier
from ..evaluate.errors import EvaluationError
from ..evaluate.labels import add_picture_arguments, check_classes, read_labels
from ..evaluate.output import as_json
from ..files import check_writable, write_file
from ..ranked import RankedPacket
from ..sim.trace import Trace, TraceError
from ..sim.world import WorldSettings
from ..wire import MAX_DEADLINE_MS
from .experiment import Experiment
from .scoring import Row, Scorer

NAME = "simulate"
_HEAD = ("air", "deadline", "in time", "mean bytes", "top-1", "top-5")


def _deadlines(text: str) -> list[float]:
    """Parse deadlines in ms, separated by commas."""
    deadlines_ms = [_time(part) for part in text.split(",")]
    for part, deadline_ms in zip(text.split(","), deadlines_ms, strict=True):
        if not 0 < deadline_ms <= MAX_DEADLINE_MS:
            raise argparse.ArgumentTypeError(f"{part!r} is not above 0 ms and at most {MAX_DEADLINE_MS} ms")
    return deadlines_ms


def _service(text: str) -> float:
    """Parse the server's time in ms."""
    service_ms = _time(text)
    if service_ms > MAX_DEADLINE_MS:
        raise argparse.ArgumentTypeError(f"{text!r} is more than the longest deadline, {MAX_DEADLINE_MS} ms")
    return service_ms


def _time(text: str) -> float:
    try:
        return milliseconds(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _traces(text: str) -> dict[str, Trace]:
    """Read traces by the names or files, separated by commas."""
    try:
        return {name: Trace.read(name) for name in text.split(",")}
    except TraceError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def parser() -> CommandParser:
    """Return the parser of the command line."""
    p = CommandParser(command="simulate")
    add_picture_arguments(p)
    p.add_argument(
        "--deadlines",
        type=_deadlines,
        default="300ms,500ms,700ms",
        metavar="300ms,…",
        help="from a picture to its answer (default %(default)s)",
    )
    p.add_argument(
        "--traces",
        type=_traces,
        default="none,light,heavy",
        metavar="NAME|FILE,…",
        help="the channel over time: shipped traces, or CSV files (default %(default)s)",
    )
    p.add_argument(
        "--service",
        type=_service,
        default="50ms",
        metavar="50ms",
        help="the server's time to decode and classify a picture (default %(default)s)",
    )
    p.add_argument(
        "--classifier",
        default=DEFAULT_CLASSIFIER,
        metavar="NAME|FILE",
        help="a built-in classifier or an ONNX file (default %(default)s)",
    )
    p.add_argument("--json", metavar="FILE", type=Path, help="where to write the figures")
    return p


def simulate(options: argparse.Namespace) -> int:
    """Measure all combinations of channel and deadline and print a table."""
    labelled = read_labels(options.dir, options.labels, options.first)
    if options.json:
        check_writable(options.json, EvaluationError)
    classifier = load_classifier(options.classifier)
    check_classes(labelled, options.labels, classifier.name, len(classifier.labels))
    codec = load()
    pictures: list[list[RankedPacket]] = []
    classes: list[int] = []
    for item in tqdm(labelled, desc="encode", unit="picture", disable=None):
        try:
            pictures.append(codec.encode(load_picture(item.path)))
        except PictureError as error:
            print(f"{NAME}: left out: {error}", file=sys.stderr)
        else:
            classes.append(item.class_index)
    if not pictures:
        raise CommandError(f"none of the {len(labelled)} pictures could be read")
    scorer = Scorer(codec, classifier, pictures, classes)
    rows: list[Row] = []
    for name, trace in options.traces.items():
        for deadline_ms in options.deadlines:
            experiment = Experiment(WorldSettings(trace=trace), round(options.service * 1000))
            rows.append(scorer.row(name, deadline_ms, experiment.send(pictures, round(deadline_ms * 1000))))
    report: dict[str, Any] = {"n": len(pictures), "classifier": classifier.name, "codec": codec.name}
    report |= {"service_ms": options.service, "rows": [asdict(row) for row in rows]}
    if options.json:
        write_file(as_json(report), options.json, EvaluationError)
    print(f"{len(pictures)} pictures, codec {codec.name}, classifier {classifier.name}")
    print("\n".join(table.lines(_HEAD, [_cells(row) for row in rows], right=True)))
    return 0


def _cells(row: Row) -> list[str]:
    accuracies = [f"{row.top1:.3f}", f"{row.top5:.3f}"]
    return [row.air, f"{row.deadline_ms:.0f} ms", f"{row.in_time:.1%}", f"{row.mean_bytes:,.0f}", *accuracies]


def main() -> int:
    """Run the command line and return the exit status."""
    return simulate(parser().parse_args())
