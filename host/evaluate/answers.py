"""What was measured of each picture, kept in a folder between runs.

One file for each codec and classifier, named after a digest of all that the answers depend on (settings, versions,
weights, code), so that new weights or options start a new file. A picture is known by a digest of its pixels and its
right class; pictures themselves are not kept.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from . import output
from .errors import EvaluationError
from .subject import Picture


@dataclass(frozen=True, slots=True)
class Answer:
    """Bytes of a picture, with and without the container, and the place of its right class in the classifier's order;
    no place where nothing was sent."""

    size_bytes: int
    payload_bytes: int
    place: int | None


NOTHING_SENT = Answer(0, 0, None)


@dataclass(slots=True)
class Answers:
    """Answers by picture and question, in memory and, given a ``path``, in a file."""

    identity: Mapping[str, object]
    path: Path | None = None
    _known: dict[str, dict[str, Answer]] = field(default_factory=dict)
    _changed: bool = False

    def of(self, key: str) -> dict[str, Answer]:
        """The answers about a picture, by question."""
        return self._known.get(key, {})

    def add(self, key: str, question: str, answer: Answer) -> None:
        self._known.setdefault(key, {})[question] = answer
        self._changed = True

    def save(self) -> None:
        """Write what is new. Raises EvaluationError when it cannot be written."""
        if self.path is None or not self._changed:
            return
        stored = {
            key: {question: [a.size_bytes, a.payload_bytes, a.place] for question, a in answers.items()}
            for key, answers in self._known.items()
        }
        text = json.dumps({"identity": self.identity, "answers": stored}, separators=(",", ":"))
        output.write_text(self.path, text + "\n")
        self._changed = False


def open_answers(folder: Path | None, identity: Mapping[str, object]) -> Answers:
    """The answers that ``folder`` holds for this identity (JSON), none without a folder; a file that cannot be read
    counts as empty. Raises EvaluationError when there can be no such folder."""
    if folder is None:
        return Answers(identity)
    canonical = json.dumps(identity, sort_keys=True)
    digest = hashlib.sha256(canonical.encode()).hexdigest()[:16]
    path = folder / f"{identity['codec']}-{digest}.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EvaluationError(f"{folder} cannot be used as a cache: {error.strerror}") from error
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        if json.dumps(stored["identity"], sort_keys=True) != canonical:
            raise ValueError("another identity")
        known = {
            str(key): {str(question): Answer(*_three(values)) for question, values in answers.items()}
            for key, answers in stored["answers"].items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        known = {}
    return Answers(identity, path, known)


def key_of(picture: Picture, class_index: int) -> str:
    """What a picture and its label are known by."""
    return f"{hashlib.sha256(picture.tobytes()).hexdigest()[:32]}:{class_index}"


def _three(values: list[object]) -> tuple[int, int, int | None]:
    size, payload, place = values
    if not (isinstance(size, int) and isinstance(payload, int) and (place is None or isinstance(place, int))):
        raise ValueError("not an answer")
    return size, payload, place
