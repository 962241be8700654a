"""What a receiver has of a picture after so many bytes, in this codec and in the usual formats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..edge.classifier import Classifier
from ..evaluate.baselines import grey
from ..evaluate.codec_under_test import CodecUnderTest, Criterion, OperatingPoint, Picture, Stream


@dataclass(frozen=True, slots=True)
class View:
    """A decoded picture, the bytes that it took, and the classifier's first class; None: nothing decodes."""

    picture: Picture | None
    size_bytes: int
    label: str
    probability: float

    def says(self) -> str:
        """Return the class as text."""
        return "-" if self.picture is None else f"{self.label} {self.probability:.0%}"


def views(
    picture: Picture, codec: CodecUnderTest, sizes_bytes: Sequence[int], classifier: Classifier, *, cut: bool = False
) -> list[View]:
    """Return what a codec shows of a picture at each size.

    Args:
        picture: uint8 [224, 224, 3] RGB.
        codec: a stream that may be cut is cut. Of another format the best file that fits is taken.
        sizes_bytes: the sizes; a whole file counts, with its container.
        classifier: says what is in the pictures.
        cut: whether also files of other formats are cut: one that fits the largest size, at each size.
    """
    points = [OperatingPoint(Criterion.BUDGET, size) for size in sizes_bytes]
    if cut and codec.kind == "ladder":
        [whole] = codec.streams(picture, [OperatingPoint(Criterion.BUDGET, max(sizes_bytes))])
        streams = [_cut(whole, size) for size in sizes_bytes]
    else:
        streams = codec.streams(picture, points)
    return [_view(codec, stream, classifier) for stream in streams]


def _cut(whole: Stream | None, size_bytes: int) -> Stream | None:
    if whole is None or not isinstance(whole.content, bytes):
        return None
    data = whole.content[:size_bytes]
    return Stream(len(data), len(data), data)


def _view(codec: CodecUnderTest, stream: Stream | None, classifier: Classifier) -> View:
    if stream is None:
        return View(None, 0, "", 0.0)
    [decoded] = codec.decode_batch([stream.content])
    if np.array_equal(decoded, grey()):  # what the formats give for data that do not decode
        return View(None, stream.size_bytes, "", 0.0)
    [(_, label, probability)] = classifier.top(decoded, 1)
    return View(decoded, stream.size_bytes, label, probability)
