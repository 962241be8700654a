"""``python -m host.simulate DIR --labels CSV``: accuracy under deadlines, on virtual boards in virtual time."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from ..cli import table
from ..cli.command import USAGE, CommandError, CommandParser, run_command
from ..cli.units import milliseconds
from ..codec import Codec, PictureError, load, load_picture
from ..edge.classifier import DEFAULT_CLASSIFIER, Classifier
from ..edge.classifier import load as load_classifier
from ..evaluate import output
from ..evaluate.accuracy import place_of
from ..evaluate.labelled import check_classes, read_labels
from ..ranked import RankedPacket
from ..sim.trace import Trace, TraceError
from ..sim.world import WorldSettings
from .deadlines import Passage, Run

NAME = "simulate"
BATCH = 32
HEAD = ("air", "deadline", "in time", "mean bytes", "top-1", "top-5")


@dataclass(frozen=True, slots=True)
class Row:
    """One deadline in one air. Accuracies count a picture without an answer in time as wrong."""

    air: str
    deadline_ms: float
    n: int
    in_time: float
    mean_bytes: float
    top1: float
    top5: float


def parser() -> CommandParser:
    """The command line."""
    p = CommandParser(prog="python -m host.simulate", description=__doc__)
    p.add_argument("dir", metavar="DIR", type=Path, help="the folder of the pictures")
    p.add_argument("--labels", metavar="CSV", type=Path, required=True, help="columns file and class_index")
    p.add_argument("--first", metavar="N", type=int, help="only the first N rows of the CSV")
    p.add_argument("--deadlines", default="300ms,500ms,700ms", metavar="300ms,…", help="for the answers")
    p.add_argument("--traces", default="none,light,heavy", metavar="NAME|FILE,…", help="the air")
    p.add_argument("--service", default="50ms", metavar="50ms", help="the server's time to decode and classify")
    p.add_argument("--classifier", default=DEFAULT_CLASSIFIER, metavar="NAME|FILE")
    p.add_argument("--json", metavar="FILE", type=Path, help="where to write the figures")
    return p


def simulate(arguments: argparse.Namespace) -> int:
    """Run all combinations and print a table."""
    try:
        deadlines_ms = [milliseconds(text) for text in arguments.deadlines.split(",")]
        traces = {name: Trace.read(name) for name in arguments.traces.split(",")}
        service_us = round(milliseconds(arguments.service) * 1000)
    except (ValueError, TraceError) as error:
        raise CommandError(str(error), USAGE) from error
    labelled = read_labels(arguments.dir, arguments.labels, arguments.first)
    if arguments.json:
        output.check_writable(arguments.json)
    classifier = load_classifier(arguments.classifier)
    check_classes(labelled, arguments.labels, classifier.name, len(classifier.labels))
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
    judge = _Judge(codec, classifier, pictures, classes)
    rows: list[Row] = []
    for name, trace in traces.items():
        for deadline_ms in deadlines_ms:
            passages = Run(WorldSettings(trace=trace), service_us).send(pictures, round(deadline_ms * 1000))
            rows.append(judge.row(name, deadline_ms, passages))
    report: dict[str, Any] = {"n": len(pictures), "classifier": classifier.name, "codec": codec.name}
    report |= {"service_ms": service_us / 1000, "rows": [asdict(row) for row in rows]}
    if arguments.json:
        output.write_json(arguments.json, report)
    print(f"{len(pictures)} pictures, codec {codec.name}, classifier {classifier.name}")
    print("\n".join(table.lines(HEAD, [_cells(row) for row in rows], right=True)))
    return 0


def _cells(row: Row) -> tuple[str, ...]:
    numbers = (f"{row.in_time:.1%}", f"{row.mean_bytes:,.0f}", f"{row.top1:.3f}", f"{row.top5:.3f}")
    return (row.air, f"{row.deadline_ms:.0f} ms", *numbers)


class _Judge:
    """Decodes and classifies what arrived; every set of ranks of a picture once."""

    def __init__(
        self,
        codec: Codec,
        classifier: Classifier,
        pictures: Sequence[Sequence[RankedPacket]],
        classes: Sequence[int],
    ) -> None:
        self._decoder = codec.decoder()
        self._classifier = classifier
        self._pictures = pictures
        self._classes = classes
        self._places: dict[tuple[int, frozenset[int]], int] = {}

    def row(self, air: str, deadline_ms: float, passages: Sequence[Passage]) -> Row:
        keys = [(index, passage.ranks) for index, passage in enumerate(passages)]
        wanted = [key for key in keys if key[1] and key not in self._places]
        for start in tqdm(range(0, len(wanted), BATCH), desc=f"{air} {deadline_ms:g} ms", disable=None, leave=False):
            self._classify(wanted[start : start + BATCH])
        places = [
            self._places[key] if passage.in_time and key[1] else None
            for key, passage in zip(keys, passages, strict=True)
        ]
        sizes = [sum(len(self._pictures[index][rank].data) for rank in ranks) for index, ranks in keys]
        n = len(passages)
        return Row(
            air=air,
            deadline_ms=deadline_ms,
            n=n,
            in_time=sum(passage.in_time for passage in passages) / n,
            mean_bytes=sum(sizes) / n,
            top1=sum(place == 0 for place in places) / n,
            top5=sum(place is not None and place < 5 for place in places) / n,
        )

    def _classify(self, keys: Sequence[tuple[int, frozenset[int]]]) -> None:
        packets = [[self._pictures[index][rank] for rank in sorted(ranks)] for index, ranks in keys]
        decoded = self._decoder.decode_batch(packets)
        probabilities = self._classifier.probabilities(np.stack([each.picture for each in decoded]))
        for key, row in zip(keys, probabilities, strict=True):
            self._places[key] = place_of(self._classes[key[0]], row)


if __name__ == "__main__":
    sys.exit(run_command(NAME, lambda: simulate(parser().parse_args())))
