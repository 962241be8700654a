"""What is measured: a codec that answers questions about a picture, such as "what do you send in 1000 bytes?"."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]


class View(StrEnum):
    """How a point of a curve is set."""

    #: At most that many bytes for each picture, every byte counted.
    BUDGET = "budget"
    #: The same with the container left out of the count.
    PAYLOAD = "payload"
    #: All pictures at one quality, whatever they take.
    QUALITY = "quality"


@dataclass(frozen=True, slots=True)
class Question:
    """``value``: bytes, or the codec's own quality; None: everything that the codec can send."""

    view: View
    value: int | None

    def __str__(self) -> str:
        return f"{self.view}:{'all' if self.value is None else self.value}"


EVERYTHING = Question(View.BUDGET, None)


@dataclass(frozen=True, slots=True)
class Stream:
    """What is sent of a picture. ``content`` is the codec's own; equal contents decode to equal pictures."""

    size_bytes: int
    payload_bytes: int
    content: Hashable


class Subject(Protocol):
    """A codec, or whatever else can be sent and decoded."""

    @property
    def name(self) -> str: ...

    @property
    def kind(self) -> str:
        """``cut`` at any byte, whole ``packets``, or a ``ladder`` of qualities."""
        ...

    def questions(self, budgets_bytes: Sequence[int]) -> list[Question]:
        """What is to be asked, for these budgets, in the order of the report."""
        ...

    def identity(self) -> dict[str, object]:
        """All that the answers depend on, ready for JSON: settings, versions, digests of weights and code."""
        ...

    def streams(self, picture: Picture, questions: Sequence[Question]) -> list[Stream | None]:
        """The answers for uint8 [224, 224, 3]; None where nothing fits."""
        ...

    def decode(self, contents: Sequence[Any]) -> list[Picture]:
        """Each to uint8 [224, 224, 3]."""
        ...


def fingerprint(files: Iterable[Path]) -> str:
    """SHA-256 over names and contents of files."""
    digest = hashlib.sha256()
    for file in sorted(files):
        content = file.read_bytes()
        digest.update(f"{file.name} {len(content)}\n".encode() + content)
    return digest.hexdigest()
