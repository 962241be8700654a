"""Scores deliveries: decodes and classifies what arrived of each picture, and compares it with the oracle."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from ..edge.classifier import Classifier
from ..evaluate.accuracy import class_rank
from ..evaluate.codec_under_test import Picture
from ..evaluate.result_cache import PictureResult, ResultCache, key_of
from ..ranked import RankedPacket
from .delivery import Delivery
from .streams import Stream

_BATCH = 32


@dataclass(frozen=True, slots=True)
class Row:
    """The figures of one policy in one scenario at one deadline.

    ``in_time``, ``unsent`` and the accuracies are shares of the ``pictures``; a picture without an answer in time
    counts as wrong. ``useful_bytes``: the mean codec bytes that answers in time rest on, 0 for the others;
    ``oracle_ratio``: the same over the oracle's; ``ratio_p5``: the 5th percentile of the ratio of single pictures; both
    None where the oracle delivers nothing. ``top5_any_time`` counts what the server had, however late and without the
    way back: the measure of the reference's paper. The accuracies are None if nothing was classified.
    """

    scenario: str
    deadline_ms: float
    policy: str
    codec: str
    pictures: int
    in_time: float
    unsent: float
    useful_bytes: float
    oracle_ratio: float | None
    ratio_p5: float | None
    top5: float | None
    top5_any_time: float | None


class Scorer:
    """The encoded pictures of one codec. It decodes and classifies each set of ranks of a picture once."""

    def __init__(self, stream: Stream, classifier: Classifier | None, cache: ResultCache) -> None:
        """Start without pictures. ``classifier``: None to count bytes only."""
        self.name = stream.name
        self.pictures: list[list[RankedPacket]] = []
        self._stream = stream
        self._classifier = classifier
        self._cache = cache
        self._classes: list[int] = []
        self._keys: list[str] = []

    def add(self, picture: Picture, class_index: int) -> None:
        """Encode a picture."""
        self.pictures.append(self._stream.encode(picture))
        self._classes.append(class_index)
        self._keys.append(key_of(picture, class_index))

    @property
    def classifier_name(self) -> str | None:
        """The name of the classifier; None without one."""
        return self._classifier.name if self._classifier else None

    def usable(self, index: int, ranks: Iterable[int]) -> frozenset[int]:
        """Return which of the ranks of a picture can be decoded."""
        return self._stream.usable(len(self.pictures[index]), ranks)

    def row(
        self,
        scenario: str,
        deadline_ms: float,
        policy: str,
        deliveries: Sequence[Delivery],
        oracle: Sequence[Delivery],
    ) -> Row:
        """Score the delivery of every picture."""
        in_time = [(each.slot.index, each.ranks) for each in deliveries]
        any_time = [(each.slot.index, self.usable(each.slot.index, each.collected)) for each in deliveries]
        if self._classifier is not None:
            self._classify(
                self._classifier, [*in_time, *any_time], f"{scenario} {deadline_ms:g} ms, {policy}, {self.name}"
            )
        useful, best = (np.array([self._bytes(each) for each in some]) for some in (deliveries, oracle))
        possible = best > 0
        count = len(deliveries)
        return Row(
            scenario=scenario,
            deadline_ms=deadline_ms,
            policy=policy,
            codec=self.name,
            pictures=count,
            in_time=sum(each.in_time for each in deliveries) / count,
            unsent=sum(each.unsent for each in deliveries) / count,
            useful_bytes=float(useful.mean()),
            oracle_ratio=float(useful.sum() / best.sum()) if possible.any() else None,
            ratio_p5=float(np.percentile(useful[possible] / best[possible], 5)) if possible.any() else None,
            top5=self._top5(in_time),
            top5_any_time=self._top5(any_time),
        )

    def _bytes(self, delivery: Delivery) -> int:
        packets = self.pictures[delivery.slot.index]
        return sum(len(packets[rank].data) for rank in delivery.ranks)

    def _top5(self, keys: Sequence[tuple[int, frozenset[int]]]) -> float | None:
        if self._classifier is None:
            return None
        hits = 0
        for index, ranks in keys:
            rank = self._cache.results(self._keys[index])[_point(ranks)].class_rank if ranks else None
            hits += rank is not None and rank < 5
        return hits / len(keys)

    def _classify(self, classifier: Classifier, keys: Iterable[tuple[int, frozenset[int]]], title: str) -> None:
        """Decode and classify what is not known yet."""
        missing = [
            (index, ranks)
            for index, ranks in dict.fromkeys(keys)
            if ranks and _point(ranks) not in self._cache.results(self._keys[index])
        ]
        for start in tqdm(range(0, len(missing), _BATCH), desc=title, disable=None, leave=False):
            batch = missing[start : start + _BATCH]
            packets = [[self.pictures[index][rank] for rank in sorted(ranks)] for index, ranks in batch]
            decoded = self._stream.decode_batch(packets)
            for (index, ranks), probabilities in zip(batch, classifier.probabilities(np.stack(decoded)), strict=True):
                size = sum(len(self.pictures[index][rank].data) for rank in ranks)
                result = PictureResult(size, size, class_rank(self._classes[index], probabilities))
                self._cache.add(self._keys[index], _point(ranks), result)
        self._cache.save()


def _point(ranks: frozenset[int]) -> str:
    """Return a set of ranks as a short text: a number in base 16 with a bit for each."""
    return f"{sum(1 << rank for rank in ranks):x}"
