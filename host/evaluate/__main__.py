"""Measures the accuracy of a classifier on labelled pictures that codecs compressed, against bytes.

    python -m host.evaluate DIR --labels labels.csv --budgets 500,1000 --json report.json
    python -m host.evaluate DIR --labels labels.csv --codec pnc-v2,jpeg,webp --plot accuracy.svg

The CSV file has a header with the columns ``file`` (relative to DIR) and ``class_index`` (in the classifier's order;
for ImageNet the order of synset ids). docs/evaluation.md says what is counted.

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
from ..files import check_writable, write_file
from ..printing import note, show
from . import output
from .accuracy import grid
from .classifiers import DEFAULT_CLASSIFIER, classifier_identity, load_classifier
from .classifiers import NAMES as CLASSIFIERS
from .codec_under_test import CodecUnderTest, OperatingPoint
from .codecs import NAMES, load_codecs
from .errors import EvaluationError
from .labels import add_picture_arguments, check_classes, positive, read_labels
from .measurement import Measurement
from .pnc_reference import NAME as REFERENCE
from .report import reports

NAME = "evaluate"
DEFAULT_BUDGETS_BYTES = (500, 700, 1000, 1500, 2000, 3000, 5000)


def _budgets(text: str) -> tuple[int, ...]:
    return tuple(positive(part) for part in text.split(","))


def parser() -> CommandParser:
    """Return the parser of the command line."""
    p = CommandParser(
        command="evaluate",
        description="Measure how often a classifier recognises pictures that codecs compressed, against bytes.",
        epilog="Bytes are the codec's own, its headers among them, without the link's 7-byte packet header. No picture "
        "exceeds a budget: a stream is cut there, and of a format with a quality the best file that fits is sent. The "
        "last row (budget_bytes null) is everything that the codec sends; 'original' is the accuracy on the pictures "
        "themselves.",
    )
    default = ",".join(map(str, DEFAULT_BUDGETS_BYTES))
    add_picture_arguments(p)
    p.add_argument(
        "--budgets",
        metavar="BYTES,...",
        type=_budgets,
        default=DEFAULT_BUDGETS_BYTES,
        help=f"bytes per picture, at most (default {default})",
    )
    p.add_argument(
        "--classifier",
        default=DEFAULT_CLASSIFIER,
        metavar="NAME|FILE",
        help=f"{', '.join(CLASSIFIERS)} or an ONNX file (default: %(default)s)",
    )
    p.add_argument(
        "--codec",
        default=DEFAULT,
        metavar="NAME,...",
        help=f"the codecs to measure, of {', '.join(NAMES)} (default: {DEFAULT}, which `send` uses)",
    )
    p.add_argument(
        "--weights", metavar="FILE", type=Path, help="the weights of pnc-reference, which are not part of this package"
    )
    p.add_argument(
        "--fine",
        action="store_true",
        help="codecs that can be cut at any byte: every 50 bytes up to 1000, every 250 up to the largest budget",
    )
    p.add_argument("--cache", metavar="FOLDER", type=Path, help="keep results, so that nothing is measured twice")
    p.add_argument("--json", metavar="FILE", type=Path, help="where to write the figures; a list for several codecs")
    p.add_argument("--csv", metavar="FILE", type=Path, help="where to write all points with their 95 %% intervals")
    p.add_argument("--plot", metavar="FILE", type=Path, help="where to draw top-5 against bytes (.svg or .png)")
    p.add_argument("--table", metavar="FILE", type=Path, help="where to write the figures as a page in Markdown")
    return p


def evaluate(options: argparse.Namespace) -> int:
    """Measure, write the files that were asked for and print the table."""
    names = options.codec.split(",")
    if options.weights and REFERENCE not in names:
        raise CommandError(f"--weights is for {REFERENCE}, which --codec does not name", USAGE)
    labelled = read_labels(options.dir, options.labels, options.first)
    for target in (options.json, options.csv, options.plot, options.table):
        if target:
            check_writable(target, EvaluationError)
    if options.plot:
        from . import plot

        plot.check_format(options.plot)
    classifier = load_classifier(options.classifier)
    check_classes(labelled, options.labels, classifier.name, len(classifier.labels))
    codecs = {codec: _operating_points(codec, options) for codec in load_codecs(names, options.weights)}
    measurement = Measurement(codecs, classifier, classifier_identity(options.classifier), options.cache)
    with tqdm(total=len(labelled), unit="picture", disable=None, leave=False) as bar:
        counts = measurement.run(
            labelled,
            notice=_note,
            progress=bar.update,
        )
    found = reports(counts, options.budgets)
    if options.json:
        write_file(output.as_json(found if len(found) > 1 else found[0]), options.json, EvaluationError)
    if options.csv:
        write_file(output.as_csv(found), options.csv, EvaluationError)
    if options.plot:
        write_file(plot.draw(found, options.plot.suffix[1:]), options.plot, EvaluationError)
    if options.table:
        write_file(output.as_page(found, options.plot, options.table), options.table, EvaluationError)
    show(*"\n\n".join(output.summary(report) for report in found).split("\n"))
    return 0


def _note(text: str) -> None:
    with tqdm.external_write_mode():  # not into the bar
        note(f"{NAME}: {text}")


def _operating_points(codec: CodecUnderTest, options: argparse.Namespace) -> list[OperatingPoint]:
    budgets = options.budgets
    if options.fine and codec.kind == "cut":
        budgets = (*budgets, *grid(max(budgets)))
    return codec.operating_points(budgets)


def main() -> int:
    """Run the command line and return the exit status."""
    return evaluate(parser().parse_args())
