"""Calibrates how sure an edge server is of an answer, and measures what it saves to stop there (``recv --sure``).

    python -m host.evaluate.sure fit DIR --first 600 --out efficientnet-lite0.sure.json
    python -m host.evaluate.sure measure DIR --labels labels.csv --at 0.8,0.9,0.95 --classifier efficientnet-lite0-pnc

``fit`` needs no labels: an answer for the first bytes of a photo is right if its first class is that of the photo
itself. ``measure`` asks after each packet whether the answer is sure enough, and compares the bytes until then, and
top-5 with the labels, with those of the whole stream. The bound is an oracle that reads the label: it stops with the
first packet that brings it among the first five, and after one packet if none does. Then it says how many answers for
prefixes were right, by how sure they were. Photos that ``fit`` has seen must not be measured.
"""

from __future__ import annotations

import sys

from ..cli.start import start_command

if __name__ == "__main__":  # before the imports below: cli/start.py says why
    sys.exit(start_command("evaluate", "evaluate.sure"))

import argparse
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from ..camera.pictures import pictures_in
from ..cli.command import CommandParser
from ..codec import Codec, Decoder, PictureError, cut, load, load_picture
from ..edge.classifier import Classifier
from ..edge.sureness import Sureness, log_size, logit
from ..files import write_file
from ..printing import note, show
from ..ranked import RankedPacket
from .classifiers import DEFAULT_CLASSIFIER, load_classifier, load_sureness
from .errors import EvaluationError
from .labels import positive, read_labels

NAME = "evaluate"
#: Sizes of the prefixes that are compared with the photos; a shorter stream is compared as a whole.
SIZES_BYTES = (236, 472, 708, 1180, 1888, 2832, 4720)
#: The curve that leaves probabilities as they are, and the weight of the preference for it: that of so many answers
#: of medium sureness.
_UNCHANGED = np.array([0.0, 0.0, 1.0, 0.0])
_PRIOR = 4.0
_STEPS = 200
_LONGEST_STEP = 0.5
_BATCH = 16
_TOP = 5


@dataclass(frozen=True, slots=True)
class Tools:
    """A codec with its decoder, and a classifier."""

    codec: Codec
    decoder: Decoder
    classifier: Classifier

    def answers(self, streams: Sequence[Sequence[RankedPacket]]) -> npt.NDArray[np.float32]:
        """Decode and classify streams; return probabilities float32 [n, classes]."""
        return self.classifier.probabilities(np.stack([d.picture for d in self.decoder.decode_batch(streams)]))


def photos_in(folder: Path, first: int | None) -> Iterator[npt.NDArray[np.uint8]]:
    """Yield photos of a folder, spread evenly over its names: the files that ``send`` takes.

    Raises EvaluationError if there is none.
    """
    try:
        files = pictures_in(folder, recursive=False)
    except OSError:
        files = []
    if not files:
        raise EvaluationError(f"{folder}: no folder of photos")
    count = min(first or len(files), len(files))
    for index in range(count):
        try:
            yield load_picture(files[index * len(files) // count])
        except PictureError as error:
            note(f"{NAME}: left out: {error}")


@dataclass(frozen=True, slots=True)
class Seen:
    """The answer for a prefix: its first class's probability, and whether the photo has the same first class."""

    size_bytes: int
    probability: float
    right: bool


def fit_curve(seen: Sequence[Seen]) -> Sureness:
    """Fit the curve by Newton's method, with a weak preference for the probability as it is.

    Raises EvaluationError if that is not a curve: there are too few photos.
    """
    sizes = np.array([log_size(each.size_bytes) for each in seen])
    logits = np.array([logit(each.probability) for each in seen])
    right = np.array([each.right for each in seen])
    features = np.stack([np.ones_like(sizes), sizes, logits, sizes * logits], axis=1)
    numbers = _UNCHANGED
    for _ in range(_STEPS):
        sure = 1 / (1 + np.exp(-np.clip(features @ numbers, -30, 30)))
        gradient = features.T @ (sure - right) + _PRIOR / 4 * (numbers - _UNCHANGED)
        hessian = (features * (sure * (1 - sure))[:, None]).T @ features + _PRIOR / 4 * np.eye(4)
        numbers = numbers - np.clip(np.linalg.solve(hessian, gradient), -_LONGEST_STEP, _LONGEST_STEP)
    a, b, c, d = numbers.tolist()
    try:
        return Sureness((a, b), (c, d))
    except ValueError as error:
        raise EvaluationError(f"{len(seen)} answers give no curve ({error}): more photos are needed") from error


def look(tools: Tools, pictures: Iterable[npt.NDArray[np.uint8]], total: int | None) -> list[Seen]:
    """Answer prefixes of pictures, uint8 [224, 224, 3], of about which number there are ``total``."""
    seen: list[Seen] = []
    batch: list[npt.NDArray[np.uint8]] = []

    def flush() -> None:
        streams = [tools.codec.encode(picture) for picture in batch]
        truth = tools.classifier.probabilities(np.stack(batch)).argmax(axis=1)
        for size in SIZES_BYTES:
            prefixes = [cut(stream, size) for stream in streams]
            for prefix, row, right in zip(prefixes, tools.answers(prefixes), truth, strict=True):
                size_bytes = sum(len(packet.data) for packet in prefix)
                seen.append(Seen(size_bytes, float(row.max()), bool(row.argmax() == right)))
        batch.clear()

    for picture in tqdm(pictures, total=total, unit="picture", disable=None, leave=False):
        batch.append(picture)
        if len(batch) == _BATCH:
            flush()
    if batch:
        flush()
    return seen


def reliability(sureness: Sureness, seen: Sequence[Seen]) -> list[str]:
    """Return a table: answers by how sure they are, and how many of them were right."""
    sure = np.array([sureness(each.probability, each.size_bytes) for each in seen])
    right = np.array([each.right for each in seen])
    edges = (0, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 1.0001)
    lines = ["sure           answers   mean  right"]
    for low, high in pairwise(edges):
        chosen = (sure >= low) & (sure < high)
        if chosen.any():
            mean, share = sure[chosen].mean(), right[chosen].mean()
            lines.append(f"{low:.2f} to {min(high, 1):.2f} {chosen.sum():9} {mean:6.3f} {share:6.3f}")
    return lines


def fit(tools: Tools, folder: Path, first: int | None) -> tuple[Sureness, list[str]]:
    """Fit the curve; return it, and its reliability on the half of the answers that another fit did not see."""
    seen = look(tools, photos_in(folder, first), first)
    half = len(seen) // 2
    lines = reliability(fit_curve(seen[:half]), seen[half:]) if half else []
    return fit_curve(seen), lines


@dataclass(slots=True)
class Stop:
    """What one threshold costs and saves, summed over pictures."""

    at: float
    size_bytes: int = 0
    top5: int = 0
    sure: int = 0


def measure(tools: Tools, sureness: Sureness, options: argparse.Namespace) -> list[str]:
    """Stop each picture's stream after the first packet with a sure answer; return the lines of two tables."""
    labelled = read_labels(options.dir, options.labels, options.first)
    stops = [Stop(at) for at in options.at]
    whole, oracle = Stop(1.0), Stop(1.0)
    count = 0
    for start in tqdm(range(0, len(labelled), _BATCH), unit="batch", disable=None, leave=False):
        group = labelled[start : start + _BATCH]
        packets = [tools.codec.encode(load_picture(item.path)) for item in group]
        labels = [item.class_index for item in group]
        _add(tools, whole, packets, labels, [len(each) for each in packets])
        waiting = {(stop.at, index) for stop in stops for index in range(len(group))}
        wrong = set(range(len(group)))
        for length in range(1, max(map(len, packets)) + 1):
            active = sorted(wrong | {index for _, index in waiting})
            if not active:
                break
            rows = tools.answers([packets[index][:length] for index in active])
            for index, row in zip(active, rows, strict=True):
                size = sum(len(packet.data) for packet in packets[index][:length])
                sure, last = sureness(float(row.max()), size), length >= len(packets[index])
                right = labels[index] in np.argsort(-row, kind="stable")[:_TOP]
                if index in wrong and (right or last):
                    wrong.discard(index)
                    oracle.size_bytes += size if right else len(packets[index][0].data)
                    oracle.top5 += right
                for stop in stops:
                    if (stop.at, index) in waiting and (sure >= stop.at or last):
                        waiting.discard((stop.at, index))
                        stop.size_bytes += size
                        stop.sure += sure >= stop.at
                        stop.top5 += right
        count += len(group)
    lines = [
        f"{count} pictures, classifier {tools.classifier.name}",
        "stop at  sure   bytes  of all  top-5  difference",
    ]
    for stop in (*stops, whole, oracle):
        name = "never" if stop is whole else "oracle" if stop is oracle else f"{stop.at:g}"
        share, difference = stop.size_bytes / whole.size_bytes, (stop.top5 - whole.top5) / count
        sure_share = "" if stop is whole or stop is oracle else f"{stop.sure / count:5.3f}"
        lines.append(
            f"{name:7} {sure_share:5} {stop.size_bytes / count:7.0f} {share:7.3f} "
            f"{stop.top5 / count:6.3f} {difference:+11.3f}"
        )
    pictures = (load_picture(item.path) for item in labelled)
    return [*lines, "", *reliability(sureness, look(tools, pictures, len(labelled)))]


def _add(tools: Tools, stop: Stop, packets: list[list[RankedPacket]], labels: list[int], lengths: list[int]) -> None:
    rows = tools.answers([each[:length] for each, length in zip(packets, lengths, strict=True)])
    for row, label, each in zip(rows, labels, packets, strict=True):
        stop.size_bytes += sum(len(packet.data) for packet in each)
        stop.top5 += label in np.argsort(-row, kind="stable")[:_TOP]


def _thresholds(text: str) -> list[float]:
    try:
        values = [float(part) for part in text.split(",")]
    except ValueError:
        values = [0.0]
    if not all(0 < value <= 1 for value in values):
        raise argparse.ArgumentTypeError(f"{text!r}: each is above 0 and at most 1")
    return values


def parser() -> CommandParser:
    """Return the parser of the command line."""
    p = CommandParser(prog="evaluate.sure", description=(__doc__ or "").partition("\n")[0])
    p.add_argument("action", choices=("fit", "measure"))
    p.add_argument("dir", metavar="DIR", type=Path, help="the folder of the photos")
    p.add_argument("--classifier", default=DEFAULT_CLASSIFIER, metavar="NAME|FILE", help="a built-in one or a file")
    p.add_argument("--first", metavar="N", type=positive, help="only so many photos (fit: spread over the folder)")
    p.add_argument("--threads", metavar="N", type=positive, help="threads to compute with (default: all CPUs)")
    p.add_argument("--out", metavar="FILE", type=Path, help="fit: where to write the curve")
    p.add_argument("--labels", metavar="CSV", type=Path, help="measure: columns file and class_index")
    p.add_argument("--at", metavar="P,...", type=_thresholds, default=[0.8, 0.9, 0.95], help="measure: when to stop")
    return p


def main() -> int:
    """Run the command line and return the exit status."""
    p = parser()
    options = p.parse_args()
    if options.action == "measure" and options.labels is None:
        p.error("measure needs --labels")
    codec = load()
    tools = Tools(codec, codec.decoder(options.threads), load_classifier(options.classifier, threads=options.threads))
    if options.action == "measure":
        show(*measure(tools, load_sureness(options.classifier), options))
        return 0
    sureness, lines = fit(tools, options.dir, options.first)
    if options.out:
        write_file(sureness.as_json().encode(), options.out, EvaluationError)
    show(*lines, *sureness.as_json().rstrip().split("\n"))
    return 0
