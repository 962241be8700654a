"""Measures what is answered by a deadline, in scenarios of the radio link, on virtual boards in virtual time.

    python -m host.simulate DIR --labels labels.csv --scenario heavy,bursts --policy ours,oracle

Exit status: 0 done, 1 failed, 2 wrong usage, 130 interrupted.
"""

from __future__ import annotations

import sys

from ..cli.start import start_command

if __name__ == "__main__":  # before the imports below: cli/start.py says why
    sys.exit(start_command("simulate"))

import argparse
from dataclasses import asdict

from tqdm import tqdm

from ..cli import table
from ..cli.command import CommandError
from ..codec import PictureError, load_picture
from ..evaluate.classifiers import classifier_identity, load_classifier
from ..evaluate.errors import EvaluationError
from ..evaluate.labels import LabelledPicture, check_classes, read_labels
from ..evaluate.output import as_json
from ..evaluate.result_cache import open_cache
from ..files import check_writable, write_file
from ..log.recorder import Recorder
from ..log.sinks import FileSink
from ..printing import note, show
from .comparison import Comparison
from .options import parser
from .plots import check_format, draw_accuracy, draw_timeline
from .scoring import Row, Scorer
from .streams import STREAMS

NAME = "simulate"
_HEAD = (
    "scenario",
    "deadline",
    "policy",
    "codec",
    "in time",
    "unsent",
    "useful bytes",
    "of oracle",
    "p5",
    "top-5",
    "any time",
)


def simulate(options: argparse.Namespace) -> int:
    """Measure all combinations that the options name and print a table."""
    labelled = read_labels(options.dir, options.labels, options.first)
    for path in (options.plot, options.timeline):
        if path:
            check_format(path)
    if options.plot and options.bytes_only:
        raise CommandError("--plot draws accuracies, which --bytes-only leaves out")
    for path in (options.json, options.plot, options.timeline, options.log):
        if path:
            check_writable(path, EvaluationError)
    scorers = _scorers(options, labelled)
    for item in tqdm(labelled, desc="encode", unit="picture", disable=None):
        try:
            picture = load_picture(item.path)
        except PictureError as error:
            note(f"{NAME}: left out: {error}")
            continue
        for scorer in scorers:
            scorer.add(picture, item.class_index)
    count, classifier = len(scorers[0].pictures), scorers[0].classifier_name
    if not count:
        raise CommandError(f"none of the {len(labelled)} pictures could be read")
    recorder = _recorder(options)
    comparisons = [
        Comparison(scenario, deadline_ms, scorer)
        for scenario in options.scenario
        for deadline_ms in options.deadlines or scenario.deadlines_ms
        for scorer in scorers
    ]
    comparisons[0].recorder = recorder
    rows = [row for comparison in comparisons for row in comparison.rows(options.policy)]
    if recorder is not None:
        recorder.close()
    if options.json:
        report = {"classifier": classifier, "rows": [asdict(row) for row in rows]}
        write_file(as_json(report), options.json, EvaluationError)
    if options.plot:
        write_file(draw_accuracy(rows, options.plot.suffix[1:]), options.plot, EvaluationError)
    if options.timeline:
        first = comparisons[0]
        write_file(
            draw_timeline(first, options.policy[0], options.timeline.suffix[1:]), options.timeline, EvaluationError
        )
    show(f"{count} pictures" + (f", classifier {classifier}" if classifier else ""))
    show(*table.lines(_HEAD, [_cells(row) for row in rows], right=True))
    return 0


def _recorder(options: argparse.Namespace) -> Recorder | None:
    if options.log is None:
        return None
    sink = FileSink(options.log, lambda text: note(f"{NAME}: {text}"))
    return Recorder(NAME, [sink], in_thread=False, clock="virtual")


def _scorers(options: argparse.Namespace, labelled: list[LabelledPicture]) -> list[Scorer]:
    """Return a scorer without pictures for each codec."""
    if options.bytes_only:
        return [Scorer(STREAMS[name](), None, open_cache(None, {})) for name in options.codec]
    classifier = load_classifier(options.classifier)
    check_classes(labelled, options.labels, classifier.name, len(classifier.labels))
    identity = classifier_identity(options.classifier)
    streams = [STREAMS[name]() for name in options.codec]
    return [Scorer(each, classifier, open_cache(options.cache, each.identity() | identity)) for each in streams]


def _cells(row: Row) -> list[str]:
    ratios = ["" if ratio is None else f"{ratio:.2f}" for ratio in (row.oracle_ratio, row.ratio_p5)]
    return [
        row.scenario,
        f"{row.deadline_ms:g} ms",
        row.policy,
        row.codec,
        f"{row.in_time:.1%}",
        f"{row.unsent:.1%}",
        f"{row.useful_bytes:,.0f}",
        *ratios,
        *("" if share is None else f"{share:.3f}" for share in (row.top5, row.top5_any_time)),
    ]


def main() -> int:
    """Run the command line and return the exit status."""
    return simulate(parser().parse_args())
