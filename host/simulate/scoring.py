"""Scores deliveries: decodes and classifies what arrived of each picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from ..codec import Codec
from ..edge.classifier import Classifier
from ..evaluate.accuracy import class_rank
from ..ranked import RankedPacket
from .experiment import Delivery

_BATCH = 32


@dataclass(frozen=True, slots=True)
class Row:
    """The figures of one deadline on one channel, named ``air`` after its trace.

    ``in_time`` and the accuracies are shares of the ``n`` pictures; a picture without an answer in time counts as
    wrong.
    """

    air: str
    deadline_ms: float
    n: int
    in_time: float
    mean_bytes: float
    top1: float
    top5: float


class Scorer:
    """Decodes and classifies deliveries, each set of ranks of a picture once."""

    def __init__(
        self,
        codec: Codec,
        classifier: Classifier,
        pictures: Sequence[Sequence[RankedPacket]],
        classes: Sequence[int],
    ) -> None:
        """Prepare to score deliveries.

        ``pictures`` are the packets of each picture, by rank; ``classes`` are the right classes.
        """
        self._decoder = codec.decoder()
        self._classifier = classifier
        self._pictures = pictures
        self._classes = classes
        self._class_ranks: dict[tuple[int, frozenset[int]], int] = {}

    def row(self, air: str, deadline_ms: float, deliveries: Sequence[Delivery]) -> Row:
        """Score the delivery of every picture."""
        keys = [(index, delivery.ranks) for index, delivery in enumerate(deliveries)]
        missing = [key for key in keys if key[1] and key not in self._class_ranks]
        for start in tqdm(range(0, len(missing), _BATCH), desc=f"{air} {deadline_ms:g} ms", disable=None, leave=False):
            self._classify(missing[start : start + _BATCH])
        class_ranks = [
            self._class_ranks[key] if delivery.in_time and key[1] else None
            for key, delivery in zip(keys, deliveries, strict=True)
        ]
        sizes = [sum(len(self._pictures[index][rank].data) for rank in ranks) for index, ranks in keys]
        n = len(deliveries)
        return Row(
            air=air,
            deadline_ms=deadline_ms,
            n=n,
            in_time=sum(delivery.in_time for delivery in deliveries) / n,
            mean_bytes=sum(sizes) / n,
            top1=sum(rank == 0 for rank in class_ranks) / n,
            top5=sum(rank is not None and rank < 5 for rank in class_ranks) / n,
        )

    def _classify(self, keys: Sequence[tuple[int, frozenset[int]]]) -> None:
        packets = [[self._pictures[index][rank] for rank in sorted(ranks)] for index, ranks in keys]
        decoded = self._decoder.decode_batch(packets)
        probabilities = self._classifier.probabilities(np.stack([each.picture for each in decoded]))
        for key, row in zip(keys, probabilities, strict=True):
            self._class_ranks[key] = class_rank(self._classes[key[0]], row)
