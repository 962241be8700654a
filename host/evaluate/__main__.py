"""Accuracy of a classifier on what codecs leave of labelled pictures, against bytes.

    python -m host.evaluate DIR --labels labels.csv --budgets 500,1000 --json report.json
    python -m host.evaluate DIR --labels labels.csv --codec pnc-v2,jpeg,webp --plot accuracy.svg

The CSV of labels has a header with the columns ``file`` (relative to DIR) and ``class_index`` (in the classifier's
order; for ImageNet the order of synset ids). docs/evaluation.md says what is counted.

Exit status: 0 done, 1 failed, 2 wrong usage, 130 interrupted.
"""

from __future__ import annotations

import sys

from ..cli.start import start_command

if __name__ == "__main__":  # before the imports below: cli/start.py says why
    sys.exit(start_command("evaluate"))

import argparse
from pathlib import Path

from tqdm import tqdm

from ..cli.command import USAGE, CommandError, CommandParser
from ..codec.weights import DEFAULT
from ..edge.classifier import DEFAULT_CLASSIFIER
from ..edge.classifier import load as load_classifier
from . import output
from .baselines.pnc_reference import NAME as REFERENCE
from .codecs import NAMES, subjects
from .grid import grid
from .judge import identity_of
from .labelled import check_classes, read_labels
from .markdown import markdown
from .measure import Measurement
from .report import reports
from .subject import Question, Subject

NAME = "evaluate"
DEFAULT_BUDGETS_BYTES = (500, 700, 1000, 1500, 2000, 3000, 5000)


def _budgets(text: str) -> tuple[int, ...]:
    return tuple(_positive(part) for part in text.split(","))


def _positive(text: str) -> int:
    if not text.strip().isascii() or not text.strip().isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def parser() -> CommandParser:
    """The command line."""
    p = CommandParser(
        command="evaluate",
        description="Accuracy on what codecs leave of labelled pictures, against bytes.",
        epilog="Bytes are the codec's own, its headers among them, without the link's 7-byte packet header. A "
        "budget takes packets, the most important first, the last one shortened where the codec can be cut "
        "anywhere, so that no picture is above it; of a format with a quality it takes the best file that fits. The "
        "last row (budget_bytes null) is everything that the codec sends, 'original' the pictures themselves.",
    )
    default = ",".join(map(str, DEFAULT_BUDGETS_BYTES))
    p.add_argument("dir", metavar="DIR", type=Path, help="the folder of the pictures")
    p.add_argument(
        "--labels", metavar="CSV", type=Path, required=True, help="columns file and class_index, others ignored"
    )
    p.add_argument(
        "--budgets",
        metavar="BYTES,...",
        type=_budgets,
        default=DEFAULT_BUDGETS_BYTES,
        help=f"bytes a picture (default {default})",
    )
    p.add_argument("--first", metavar="N", type=_positive, help="only the first N rows of the CSV")
    p.add_argument(
        "--classifier",
        default=DEFAULT_CLASSIFIER,
        metavar="NAME|FILE",
        help="a built-in classifier or an ONNX file (default efficientnet-lite0)",
    )
    p.add_argument(
        "--codec",
        default=DEFAULT,
        metavar="NAME,...",
        help=f"what is measured, of {', '.join(NAMES)} (default: {DEFAULT}, the one that is sent)",
    )
    p.add_argument("--weights", metavar="FILE", type=Path, help="the weights of pnc-reference, which ship with nothing")
    p.add_argument(
        "--fine",
        action="store_true",
        help="codecs that can be cut at any byte: every 50 bytes up to 1000, every 250 up to the largest budget",
    )
    p.add_argument("--cache", metavar="FOLDER", type=Path, help="keep what was measured, so that it is not done again")
    p.add_argument("--json", metavar="FILE", type=Path, help="where to write the figures; a list for several codecs")
    p.add_argument("--csv", metavar="FILE", type=Path, help="where to write all points with their 95 %% intervals")
    p.add_argument("--plot", metavar="FILE", type=Path, help="where to draw top-5 against bytes (.svg or .png)")
    p.add_argument("--table", metavar="FILE", type=Path, help="where to write the figures as a page in Markdown")
    return p


def evaluate(options: argparse.Namespace) -> int:
    """Measure, print the table, write what is asked for."""
    names = options.codec.split(",")
    if options.weights and REFERENCE not in names:
        raise CommandError(f"--weights is for {REFERENCE}, which --codec does not name", USAGE)
    labelled = read_labels(options.dir, options.labels, options.first)
    for target in (options.json, options.csv, options.plot, options.table):
        if target:
            output.check_writable(target)
    if options.plot:
        from . import plot

        plot.check_format(options.plot)
    classifier = load_classifier(options.classifier)
    check_classes(labelled, options.labels, classifier.name, len(classifier.labels))
    asked = {one: _questions(one, options) for one in subjects(names, options.weights)}
    measurement = Measurement(asked, classifier, identity_of(options.classifier), options.cache)
    with tqdm(total=len(labelled), unit="picture", disable=None, leave=False) as bar:
        result = measurement.run(
            labelled,
            notice=lambda text: tqdm.write(f"{NAME}: {text}", file=sys.stderr),
            progress=bar.update,
        )
    found = reports(result, options.budgets)
    if options.json:
        output.write_json(options.json, found if len(found) > 1 else found[0])
    if options.csv:
        output.write_csv(options.csv, found)
    if options.plot:
        output.write_bytes(options.plot, plot.draw(found, options.plot.suffix[1:]))
    if options.table:
        output.write_text(options.table, markdown(found, options.plot, options.table))
    print("\n\n".join(output.table(report) for report in found))
    return 0


def _questions(subject: Subject, options: argparse.Namespace) -> list[Question]:
    budgets = options.budgets
    if options.fine and subject.kind == "cut":
        budgets = (*budgets, *grid(max(budgets)))
    return subject.questions(budgets)


def main() -> int:
    """Run the command line and return the exit status."""
    return evaluate(parser().parse_args())
