"""Decodes and classifies pictures: what a worker of the server does."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from ..codec import SIDE, Codec, Decoded, Decoder
from ..ranked import RankedPacket
from .classifier import Classifier
from .errors import ClassifierError

TOP = 5
#: The wire numbers classes from 0 to this.
_LAST_CLASS = 65535

#: Class index, label, probability.
Class = tuple[int, str, float]


@dataclass(frozen=True, slots=True)
class Recognised:
    """A decoded picture and its classes, best first; none if nothing could be decoded."""

    decoded: Decoded
    top: tuple[Class, ...]
    issues: tuple[str, ...]  # what was wrong with the packets or with the classifier's answer


class PictureClassifier(Protocol):
    """What the edge server needs to answer a picture: a ``Classifier``, or anything else that names what it shows."""

    def top(self, picture: npt.NDArray[np.uint8], k: int = 5) -> Sequence[Class]:
        """Return at most ``k`` classes of a picture, uint8 [224, 224, 3] RGB: index, label, probability; best first.

        At least one. Several threads may call it at once. What it raises costs the picture its answer.
        """
        ...


class Recogniser:
    """A decoder and a classifier, twice: with all CPUs for a picture alone, and with one thread for each worker.

    On two CPUs, both threads answer a picture alone in about 70 % of the time of one. Together they take 7 to 12 % more
    CPU time, because they wait for each other: when several pictures wait, a thread for each is better. A batch saves
    next to nothing on a CPU (docs/server.md). Several threads may call it at once.
    """

    def __init__(self, codec: Codec, classifier: PictureClassifier, workers: int) -> None:
        """Load the networks. Raises CodecError or ClassifierError."""
        self._packets = codec.encode(np.full((SIDE, SIDE, 3), 128, np.uint8))
        self._alone: tuple[Decoder, PictureClassifier] = codec.decoder(), classifier
        self._beside = self._alone
        if workers > 1:
            own = classifier.with_threads(1) if isinstance(classifier, Classifier) else classifier
            self._beside = codec.decoder(threads=1), own

    def __call__(self, pictures: Sequence[Sequence[RankedPacket]], *, alone: bool = True) -> list[Recognised]:
        """Decode and classify pictures in one run; ``alone``: no other worker has anything to do.

        Raises whatever decoder and classifier raise.
        """
        decoder, classifier = self._alone if alone else self._beside
        decoded = [decoder.decode(pictures[0])] if len(pictures) == 1 else decoder.decode_batch(pictures)
        usable = [each.picture for each in decoded if each.used]
        if len(usable) > 1 and isinstance(classifier, Classifier):
            tops: Sequence[Sequence[Class]] = classifier.top_of_each(np.stack(usable), TOP)
        else:
            tops = [classifier.top(picture, TOP) for picture in usable]
        waiting = iter(tops)
        return [_checked(each, next(waiting)) if each.used else Recognised(each, (), each.issues) for each in decoded]

    def measure(self, pictures: int = 1, *, alone: bool = True) -> None:
        """Decode and classify a grey picture, so many times in one run."""
        self([self._packets] * pictures, alone=alone)


def _checked(decoded: Decoded, top: Sequence[Class]) -> Recognised:
    """Leave out classes that no result can carry. Raises ClassifierError if none is left."""
    usable = tuple(each for each in top if 0 <= each[0] <= _LAST_CLASS and math.isfinite(each[2]))
    if not usable:
        raise ClassifierError("the classifier gave no class with a probability and a number from 0 to 65535")
    left_out = len(top) - len(usable)
    said = (f"{left_out} classes without a probability or a number from 0 to 65535 left out",) if left_out else ()
    return Recognised(decoded, usable, (*decoded.issues, *said))
