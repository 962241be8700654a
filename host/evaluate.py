"""Accuracy of a classifier on what a codec leaves of labelled pictures at byte budgets.

    python -m host.evaluate DIR --labels labels.csv --budgets 500,1000 --json report.json

The CSV has a header with the columns ``file`` (relative to DIR) and ``class_index`` (in the classifier's order;
for ImageNet the order of synset ids). Bytes are the codec's own, its headers among them, without the link's
7-byte packet header; a budget takes whole packets, the most important first.

Exit status: 0 done, 1 failed, 2 wrong usage, 130 interrupted.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import NoReturn

DEFAULT_BUDGETS_BYTES = (500, 1000, 1500, 2000, 3000, 5000)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (--help explains)\n")


def _budgets(text: str) -> tuple[int, ...]:
    return tuple(_positive(part) for part in text.split(","))


def _positive(text: str) -> int:
    if not text.strip().isascii() or not text.strip().isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="host.evaluate",
        description="Accuracy on what the codec leaves of labelled pictures at byte budgets.",
        epilog="Bytes are the codec's own, its headers among them, without the link's 7-byte packet header. A "
        "budget takes whole packets, the most important first, so that no picture is above it. The last row "
        "(budget_bytes null) is everything that the codec sends, 'original' the pictures themselves.",
    )
    default = ",".join(map(str, DEFAULT_BUDGETS_BYTES))
    parser.add_argument("dir", metavar="DIR", type=Path, help="the folder of the pictures")
    parser.add_argument(
        "--labels", metavar="CSV", type=Path, required=True, help="columns file and class_index, others ignored"
    )
    parser.add_argument(
        "--budgets",
        metavar="BYTES,...",
        type=_budgets,
        default=DEFAULT_BUDGETS_BYTES,
        help=f"bytes a picture (default {default})",
    )
    parser.add_argument("--first", metavar="N", type=_positive, help="only the first N rows of the CSV")
    parser.add_argument(
        "--classifier", metavar="NAME|FILE", help="a built-in classifier or an ONNX file (default efficientnet-lite0)"
    )
    parser.add_argument("--codec", metavar="NAME", help="the codec that is measured (default: the one that is sent)")
    parser.add_argument("--json", metavar="FILE", type=Path, help="where to write the figures")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit status."""
    options = _parser().parse_args(arguments)
    try:
        return _evaluate(options)
    except KeyboardInterrupt:
        return _fail("interrupted: nothing was written", 130)


def _evaluate(options: argparse.Namespace) -> int:
    # Imported here: numpy and onnxruntime take longer than it takes to say that an argument is wrong.
    from host import codec as codecs
    from host.edge import classifier as classifiers
    from host.evaluation import output
    from host.evaluation.accuracy import Evaluation
    from host.evaluation.errors import EvaluationError
    from host.evaluation.labelled import check_classes, read_labels
    from host.evaluation.progress import Progress

    try:
        labelled = read_labels(options.dir, options.labels, options.first)
        if options.json:
            output.check_writable(options.json)
        classifier = classifiers.load(options.classifier or classifiers.DEFAULT_CLASSIFIER)
        check_classes(labelled, options.labels, classifier.name, len(classifier.labels))
        codec = codecs.load(options.codec) if options.codec else codecs.load()
        progress = Progress(len(labelled))
        try:
            report = Evaluation(codec, classifier, options.budgets).run(
                labelled, notice=progress.notice, progress=progress
            )
        finally:
            progress.clear()
        if options.json:
            output.write_json(options.json, report)
    except (EvaluationError, classifiers.ClassifierError, codecs.CodecError) as error:
        return _fail(str(error), 1)
    print(output.table(report))
    return 0


def _fail(message: str, status: int) -> int:
    print(f"host.evaluate: {message}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
