"""Encodes each picture with each codec, decodes and classifies the streams, and counts."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..codec import PictureError, load_picture
from ..edge.classifier import Classifier
from .accuracy import Tally, class_rank
from .codec_under_test import EVERYTHING, CodecUnderTest, OperatingPoint, Picture, Stream
from .codecs import Originals
from .errors import EvaluationError
from .fidelity import compare
from .labels import LabelledPicture
from .result_cache import NOTHING_SENT, PictureResult, ResultCache, key_of, open_cache

# Pictures that are in memory at a time, and decoded pictures that are classified at a time.
_BATCH = 32


@dataclass(slots=True)
class CodecCounts:
    """Counts of one codec by operating point, in the order of the report."""

    codec: CodecUnderTest
    tallies: dict[OperatingPoint, Tally]
    cache: ResultCache


@dataclass(slots=True)
class Counts:
    """All that was counted. ``original``: the pictures themselves; ``skipped``: how many could not be read."""

    classifier: str
    original: Tally
    codecs: list[CodecCounts]
    skipped: int = 0


@dataclass(slots=True)
class Measurement:
    """Codecs with their operating points, and the classifier that the decoded pictures are shown to.

    ``identity``: all that the classifier's answers depend on; ``cache``: the folder of the result cache, if any.
    """

    codecs: Mapping[CodecUnderTest, Sequence[OperatingPoint]]
    classifier: Classifier
    identity: Mapping[str, object] = field(default_factory=dict)
    cache: Path | None = None

    def run(
        self,
        labelled: Sequence[LabelledPicture],
        *,
        notice: Callable[[str], None],
        progress: Callable[[int], object],
    ) -> Counts:
        """Measure all pictures.

        Args:
            labelled: the pictures.
            notice: takes a line about each picture that is missing or broken and therefore left out.
            progress: takes the number of pictures that were processed since its last call.

        Raises:
            EvaluationError: no picture is left, or the cache cannot be written.
        """
        originals = self._counts(Originals(), [EVERYTHING])
        codecs = [self._counts(codec, points) for codec, points in self.codecs.items()]
        counts = Counts(self.classifier.name, originals.tallies[EVERYTHING], codecs)
        for start in range(0, len(labelled), _BATCH):
            batch = labelled[start : start + _BATCH]
            pictures: list[tuple[Picture, int]] = []
            for item in batch:
                try:
                    pictures.append((load_picture(item.path), item.class_index))
                except PictureError as error:
                    counts.skipped += 1
                    notice(f"left out: {error}")
            for each in (originals, *codecs):
                self._count(each, pictures)
            progress(len(batch))
        if not counts.original.pictures:
            raise EvaluationError(f"none of the {len(labelled)} pictures could be read")
        return counts

    def _counts(self, codec: CodecUnderTest, points: Sequence[OperatingPoint]) -> CodecCounts:
        identity = dict(codec.identity()) | {"classifier": dict(self.identity)}
        return CodecCounts(codec, {point: Tally() for point in points}, open_cache(self.cache, identity))

    def _count(self, counts: CodecCounts, pictures: Sequence[tuple[Picture, int]]) -> None:
        keys = [key_of(picture, right) for picture, right in pictures]
        self._measure_missing(counts, pictures, keys)
        counts.cache.save()
        for key in keys:
            results = counts.cache.results(key)
            for point, tally in counts.tallies.items():
                result = results[str(point)]
                tally.add(result.class_rank, result.size_bytes, result.payload_bytes, result.fidelity)

    def _measure_missing(
        self, counts: CodecCounts, pictures: Sequence[tuple[Picture, int]], keys: Sequence[str]
    ) -> None:
        """Encode, decode and classify for the operating points without a result in the cache."""
        # Points with the same content of a picture share one decoding.
        streams: dict[tuple[int, Hashable], list[tuple[OperatingPoint, Stream]]] = {}
        for index, (picture, _) in enumerate(pictures):
            known = counts.cache.results(keys[index])
            missing = [point for point in counts.tallies if str(point) not in known]
            if not missing:
                continue
            for point, stream in zip(missing, counts.codec.streams(picture, missing), strict=True):
                if stream is None:
                    counts.cache.add(keys[index], str(point), NOTHING_SENT)
                else:
                    streams.setdefault((index, stream.content), []).append((point, stream))
        contents = list(streams)
        for start in range(0, len(contents), _BATCH):
            batch = contents[start : start + _BATCH]
            decoded = counts.codec.decode_batch([content for _, content in batch])
            probabilities = self.classifier.probabilities(np.stack(decoded))
            for (index, content), pixels, row in zip(batch, decoded, probabilities, strict=True):
                picture, right = pictures[index]
                rank, fidelity = class_rank(right, row), compare(pixels, picture)
                for point, stream in streams[index, content]:
                    result = PictureResult(stream.size_bytes, stream.payload_bytes, rank, fidelity)
                    counts.cache.add(keys[index], str(point), result)
