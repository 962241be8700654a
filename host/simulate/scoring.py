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

#: Number of a picture, and its packets that are there.
_Case = tuple[int, tuple[RankedPacket, ...]]


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
        self.stream = stream
        self._classifier = classifier
        self._cache = cache
        self._classes: list[int] = []
        self._keys: list[str] = []

    def add(self, picture: Picture, class_index: int) -> None:
        """Encode a picture."""
        self.pictures.append(self.stream.encode(picture))
        self._classes.append(class_index)
        self._keys.append(key_of(picture, class_index))

    @property
    def classifier_name(self) -> str | None:
        """The name of the classifier; None without one."""
        return self._classifier.name if self._classifier else None

    def row(
        self,
        scenario: str,
        deadline_ms: float,
        policy: str,
        deliveries: Sequence[Delivery],
        oracle: Sequence[Delivery],
    ) -> Row:
        """Score the delivery of every picture."""
        in_time = [_case(each, each.ranks) for each in deliveries]
        any_time = [_case(each, self.stream.usable(len(each.packets), each.collected)) for each in deliveries]
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
        return sum(len(delivery.packets[rank].data) for rank in delivery.ranks)

    def _top5(self, cases: Sequence[_Case]) -> float | None:
        if self._classifier is None:
            return None
        hits = 0
        for index, packets in cases:
            rank = self._cache.results(self._keys[index])[_point(packets)].class_rank if packets else None
            hits += rank is not None and rank < 5
        return hits / len(cases)

    def _classify(self, classifier: Classifier, cases: Iterable[_Case], title: str) -> None:
        """Decode and classify what is not known yet."""
        missing = [
            (index, packets)
            for index, packets in dict.fromkeys(cases)
            if packets and _point(packets) not in self._cache.results(self._keys[index])
        ]
        for start in tqdm(range(0, len(missing), _BATCH), desc=title, disable=None, leave=False):
            batch = missing[start : start + _BATCH]
            decoded = self.stream.decode_batch([packets for _, packets in batch])
            for (index, packets), probabilities in zip(batch, classifier.probabilities(np.stack(decoded)), strict=True):
                size = sum(len(packet.data) for packet in packets)
                result = PictureResult(size, size, class_rank(self._classes[index], probabilities))
                self._cache.add(self._keys[index], _point(packets), result)
        self._cache.save()


def _case(delivery: Delivery, ranks: Iterable[int]) -> _Case:
    return delivery.slot.index, tuple(delivery.packets[rank] for rank in sorted(ranks))


def _point(packets: Sequence[RankedPacket]) -> str:
    """Return what is there of a picture as a short text: so many bytes of the beginning, or the ranks and sizes."""
    if all(packet.rank == number for number, packet in enumerate(packets)):
        return f"{sum(len(packet.data) for packet in packets)} B"
    return " ".join(f"{packet.rank}:{len(packet.data)}" for packet in packets)
