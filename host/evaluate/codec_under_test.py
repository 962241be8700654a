"""The protocol of everything that is measured: a codec that is operated at points such as "at most 1000 bytes"."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

#: uint8 [224, 224, 3], RGB.
Picture = npt.NDArray[np.uint8]


class Criterion(StrEnum):
    """How an operating point decides what is sent of a picture. The values are names in reports."""

    #: At most so many bytes for each picture, every byte counted.
    BUDGET = "budget"
    #: The same, without counting the format's container.
    PAYLOAD = "payload"
    #: The same quality setting for all pictures, whatever size results.
    QUALITY = "quality"


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """A criterion and its value: bytes, or the codec's own quality; None: everything that the codec can send."""

    criterion: Criterion
    value: int | None

    def __str__(self) -> str:
        return f"{self.criterion}:{'all' if self.value is None else self.value}"


EVERYTHING = OperatingPoint(Criterion.BUDGET, None)


@dataclass(frozen=True, slots=True)
class Stream:
    """What is sent of a picture. Equal ``content`` decodes to equal pictures; its type is the codec's own."""

    size_bytes: int
    payload_bytes: int
    content: Hashable


class CodecUnderTest(Protocol):
    """A codec, or anything else that pictures are sent with."""

    @property
    def name(self) -> str:
        """The name on the command line and in reports."""
        ...

    @property
    def kind(self) -> str:
        """``cut`` for a stream that may end at any byte, ``ladder`` for a file for each quality."""
        ...

    def operating_points(self, budgets_bytes: Sequence[int]) -> list[OperatingPoint]:
        """Return the points to measure for these budgets, in the order of the report."""
        ...

    def identity(self) -> dict[str, object]:
        """Return all that the results depend on, ready for JSON: settings, versions, digests of weights and code."""
        ...

    def streams(self, picture: Picture, points: Sequence[OperatingPoint]) -> list[Stream | None]:
        """Encode a picture for each of ``points``; None where nothing fits."""
        ...

    def decode_batch(self, contents: Sequence[Any]) -> list[Picture]:
        """Decode the contents of streams, each to a picture."""
        ...


def at_budgets(budgets_bytes: Sequence[int]) -> list[OperatingPoint]:
    """Return a point for each budget, rising, and one for everything."""
    return [*(OperatingPoint(Criterion.BUDGET, budget) for budget in sorted(set(budgets_bytes))), EVERYTHING]


def fingerprint(files: Iterable[Path]) -> str:
    """Return the SHA-256 of names and contents of files."""
    digest = hashlib.sha256()
    for file in sorted(files):
        content = file.read_bytes()
        digest.update(f"{file.name} {len(content)}\n".encode() + content)
    return digest.hexdigest()
