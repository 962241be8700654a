"""Accuracy of a classifier on what a codec leaves of labelled pictures at byte budgets.

    python -m host.evaluate DIR --labels labels.csv --budgets 500,1000 --json report.json

The CSV has a header with the columns ``file`` (relative to DIR) and ``class_index`` (in the classifier's order;
for ImageNet the order of synset ids). Bytes are the codec's own, its headers among them, without the link's
7-byte packet header; a budget takes packets, the most important first, the last one shortened where the codec can be
cut anywhere.

Exit status: 0 done, 1 failed, 2 wrong usage, 130 interrupted.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tqdm import tqdm

from host.codec import load as load_codec
from host.command import CommandParser, run_command
from host.edge.classifier import DEFAULT_CLASSIFIER
from host.edge.classifier import load as load_classifier
from host.evaluation import output
from host.evaluation.accuracy import Evaluation
from host.evaluation.labelled import check_classes, read_labels

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
        prog="python -m host.evaluate",
        description="Accuracy on what the codec leaves of labelled pictures at byte budgets.",
        epilog="Bytes are the codec's own, its headers among them, without the link's 7-byte packet header. A "
        "budget takes packets, the most important first, the last one shortened where the codec can be cut "
        "anywhere, so that no picture is above it. The last row "
        "(budget_bytes null) is everything that the codec sends, 'original' the pictures themselves.",
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
    p.add_argument("--codec", metavar="NAME", help="the codec that is measured (default: the one that is sent)")
    p.add_argument("--json", metavar="FILE", type=Path, help="where to write the figures")
    return p


def evaluate(options: argparse.Namespace) -> int:
    """Measure, print the table, write the JSON."""
    labelled = read_labels(options.dir, options.labels, options.first)
    if options.json:
        output.check_writable(options.json)
    classifier = load_classifier(options.classifier)
    check_classes(labelled, options.labels, classifier.name, len(classifier.labels))
    codec = load_codec(options.codec) if options.codec else load_codec()
    with tqdm(total=len(labelled), unit="picture", disable=None, leave=False) as bar:
        report = Evaluation(codec, classifier, options.budgets).run(
            labelled,
            notice=lambda text: tqdm.write(f"{NAME}: {text}", file=sys.stderr),
            progress=bar.update,
        )
    if options.json:
        output.write_json(options.json, report)
    print(output.table(report))
    return 0


if __name__ == "__main__":
    sys.exit(run_command(NAME, lambda: evaluate(parser().parse_args())))
