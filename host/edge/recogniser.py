"""Decodes and classifies pictures: what a worker of the server does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from ..codec import SIDE, Codec, Decoded, Decoder
from ..link.answers import Class, sound_class
from ..ranked import RankedPacket
from .classifier import Classifier
from .errors import ClassifierError

TOP = 5


@dataclass(frozen=True, slots=True)
class Recognised:
    """A decoded picture and its classes, best first; none if nothing could be decoded, or with a ``failure``."""

    decoded: Decoded
    top: tuple[Class, ...]
    issues: tuple[str, ...]  # what was wrong with the packets or with the classifier's answer
    failure: Exception | None = None  # why the classifier gave no class of this picture, others of the run apart


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

        Raises whatever decoder and classifier raise. What a classifier of the user's raises, or gives that is no
        class, is the ``failure`` of its picture.
        """
        decoder, classifier = self._alone if alone else self._beside
        decoded = [decoder.decode(pictures[0])] if len(pictures) == 1 else decoder.decode_batch(pictures)
        usable = [each.picture for each in decoded if each.used]
        if len(usable) > 1 and isinstance(classifier, Classifier):
            found = [_checked(top) for top in classifier.top_of_each(np.stack(usable), TOP)]
        else:
            found = [_top(classifier, picture) for picture in usable]
        waiting = iter(found)
        return [
            _recognised(each, next(waiting)) if each.used else Recognised(each, (), each.issues) for each in decoded
        ]

    def measure(self, pictures: int = 1, *, alone: bool = True) -> None:
        """Decode and classify a grey picture, so many times in one run. Raises what decoder and classifier raise."""
        for recognised in self([self._packets] * pictures, alone=alone):
            if recognised.failure is not None:
                raise recognised.failure


#: The classes that a classifier gave of a picture, how many of what it gave are none, and why there are none at all.
_Found = tuple[tuple[Class, ...], int, Exception | None]


def _top(classifier: PictureClassifier, picture: npt.NDArray[np.uint8]) -> _Found:
    """Ask a classifier about a picture."""
    try:
        return _checked(classifier.top(picture, TOP))
    except Exception as error:
        return (), 0, error


def _checked(given: Iterable[object]) -> _Found:
    """Return the first ``TOP`` classes that a result can carry."""
    sound: list[Class] = []
    left_out = 0
    for each in given:
        found = sound_class(each)
        if found is None:
            left_out += 1
        elif len(sound) < TOP:
            sound.append(found)
        else:
            break
    why = "the classifier gave no class with a probability, a label and a number from 0 to 65535"
    return tuple(sound), left_out, None if sound else ClassifierError(why)


def _recognised(decoded: Decoded, found: _Found) -> Recognised:
    top, left_out, failure = found
    what = f"{left_out} classes without a probability, a label or a number from 0 to 65535 left out"
    return Recognised(decoded, top, (*decoded.issues, *([what] if left_out else [])), failure)
