"""Encodes pictures, cuts each at the byte budgets, decodes and classifies what is left.

Counted are the codec's own bytes, its headers among them: all the data of the ranked packets, without the
7-byte header that the link puts before each. A budget takes packets in the order of their ranks, the last one shortened
where the codec can be cut anywhere, whole ones only where it cannot,
as the link delivers them; so every picture, and with them the mean, stays at or below the budget.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from host.codec import Codec, PictureError, load_picture
from host.edge.classifier import Classifier
from host.evaluation.errors import EvaluationError
from host.evaluation.labelled import LabelledPicture
from protocol.ranked import RankedPacket

# Pictures that are in memory at a time, and decoded pictures that are classified at a time.
_BATCH = 32

_Picture = npt.NDArray[np.uint8]


@dataclass(slots=True)
class Tally:
    """Counts over pictures: how many, their bytes, how often the right class was first or among the first
    five."""

    pictures: int = 0
    size_bytes: int = 0
    first: int = 0
    first_five: int = 0

    def add(self, place: int, size_bytes: int = 0) -> None:
        """``place``: of the right class in the classifier's order, 0 the likeliest."""
        self.pictures += 1
        self.size_bytes += size_bytes
        self.first += place < 1
        self.first_five += place < 5

    def accuracy(self) -> dict[str, float]:
        """Shares of the pictures, 0..1."""
        return {"top1": self.first / self.pictures, "top5": self.first_five / self.pictures}


class Evaluation:
    """Accuracy of a classifier on what a codec leaves of pictures at byte budgets."""

    def __init__(self, codec: Codec, classifier: Classifier, budgets_bytes: Sequence[int]) -> None:
        self._codec = codec
        self._decoder = codec.decoder()
        self._classifier = classifier
        #: None: everything that the codec sends.
        self._budgets: list[int | None] = [*sorted(set(budgets_bytes)), None]
        self._rows = [Tally() for _ in self._budgets]
        self._original = Tally()
        self._skipped = 0

    def run(
        self,
        labelled: Sequence[LabelledPicture],
        *,
        notice: Callable[[str], None],
        progress: Callable[[int], object],
    ) -> dict[str, Any]:
        """The measured figures, ready for JSON.

        A picture that is missing or broken is passed to ``notice`` in one line and left out; ``progress``
        gets the number of pictures dealt with since its last call. Raises ``EvaluationError`` when no picture is left.
        """
        for start in range(0, len(labelled), _BATCH):
            batch = labelled[start : start + _BATCH]
            pictures: list[_Picture] = []
            classes: list[int] = []
            for item in batch:
                try:
                    pictures.append(load_picture(item.path))
                except PictureError as error:
                    self._skipped += 1
                    notice(f"left out: {error}")
                else:
                    classes.append(item.class_index)
            if pictures:
                self._measure(pictures, classes)
            progress(len(batch))
        if not self._original.pictures:
            raise EvaluationError(f"none of the {len(labelled)} pictures could be read")
        return self._report()

    def _measure(self, pictures: list[_Picture], classes: list[int]) -> None:
        probabilities = self._classifier.probabilities(np.stack(pictures))
        for row, right in zip(probabilities, classes, strict=True):
            self._original.add(place_of(right, row))
        packets = [sorted(self._codec.encode(picture), key=lambda p: p.rank) for picture in pictures]
        # Budgets that leave the same packets of a picture share one decoding.
        cuts = [[self._size_within(ranked, budget) for ranked in packets] for budget in self._budgets]
        wanted = sorted({(index, size) for row in cuts for index, size in enumerate(row)})
        places: dict[tuple[int, int], int] = {}
        for start in range(0, len(wanted), _BATCH):
            chunk = wanted[start : start + _BATCH]
            decoded = self._decoder.decode_batch([cut(packets[index], size) for index, size in chunk])
            rows = self._classifier.probabilities(np.stack([picture.picture for picture in decoded]))
            for key, row in zip(chunk, rows, strict=True):
                places[key] = place_of(classes[key[0]], row)
        for tally, row in zip(self._rows, cuts, strict=True):
            for index, size in enumerate(row):
                tally.add(places[index, size], size)

    def _size_within(self, packets: Sequence[RankedPacket], budget_bytes: int | None) -> int:
        """Bytes of a stream that a budget leaves."""
        total = sum(len(packet.data) for packet in packets)
        if budget_bytes is None or total <= budget_bytes:
            return total
        if self._codec.cuts_anywhere:
            return budget_bytes
        return sum(len(packet.data) for packet in packets[: packets_within(packets, budget_bytes)])

    def _report(self) -> dict[str, Any]:
        return {
            "n": self._original.pictures,
            "classifier": self._classifier.name,
            "codec": self._codec.name,
            "skipped": self._skipped,
            "original": self._original.accuracy(),
            "rows": [
                {"budget_bytes": budget, "mean_bytes": tally.size_bytes / tally.pictures} | tally.accuracy()
                for budget, tally in zip(self._budgets, self._rows, strict=True)
            ],
        }


def cut(packets: Sequence[RankedPacket], size_bytes: int) -> list[RankedPacket]:
    """The first ``size_bytes`` of a stream: whole packets, and the last one shortened to what is left."""
    kept: list[RankedPacket] = []
    for packet in packets:
        if size_bytes <= 0:
            break
        kept.append(RankedPacket(packet.rank, packet.position, packet.data[:size_bytes]))
        size_bytes -= len(packet.data)
    return kept


def packets_within(packets: Sequence[RankedPacket], budget_bytes: int | None) -> int:
    """How many of the packets, from the first on, fit the budget whole; all of them for None."""
    if budget_bytes is None:
        return len(packets)
    left = budget_bytes
    for count, packet in enumerate(packets):
        left -= len(packet.data)
        if left < 0:
            return count
    return len(packets)


def place_of(right: int, probabilities: npt.NDArray[np.float32]) -> int:
    """How many classes come before the right one; of equally likely ones the lower index comes first."""
    mine = probabilities[right]
    return int((probabilities > mine).sum() + (probabilities[:right] == mine).sum())
