"""Keeps what was measured of each picture in a folder, for later runs.

There is a file for each codec and classifier. Its name contains a digest of all that the results depend on (settings,
versions, weights, code), so new weights or options start a new file. A picture is identified by a digest of its pixels
and its class; the pictures themselves are not kept.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..files import write_file
from .codec_under_test import Picture
from .errors import EvaluationError
from .fidelity import Fidelity, Steps


@dataclass(frozen=True, slots=True)
class PictureResult:
    """Bytes of a picture, with and without the container, the rank of its right class, and its fidelity.

    None: nothing was sent.
    """

    size_bytes: int
    payload_bytes: int
    class_rank: int | None
    fidelity: Fidelity | None = None

    def as_list(self) -> list[float | None]:
        """Return the values as the file holds them: three integers, and five numbers or nothing."""
        values: list[float | None] = [self.size_bytes, self.payload_bytes, self.class_rank]
        if self.fidelity is not None:
            each = self.fidelity
            measured = (each.psnr_db, each.steps.border, each.steps.inside, each.original.border, each.original.inside)
            values += measured
        return values


NOTHING_SENT = PictureResult(0, 0, None)


@dataclass(slots=True)
class ResultCache:
    """Results by picture and operating point, in memory and, given a ``path``, in a file."""

    identity: Mapping[str, object]
    path: Path | None = None
    _known: dict[str, dict[str, PictureResult]] = field(default_factory=dict)
    _changed: bool = False

    def results(self, key: str) -> dict[str, PictureResult]:
        """Return the results of a picture, by operating point."""
        return self._known.get(key, {})

    def add(self, key: str, point: str, result: PictureResult) -> None:
        """Keep a result."""
        self._known.setdefault(key, {})[point] = result
        self._changed = True

    def save(self) -> None:
        """Write new results to the file. Raises EvaluationError when it cannot be written."""
        if self.path is None or not self._changed:
            return
        stored = {
            key: {point: result.as_list() for point, result in results.items()} for key, results in self._known.items()
        }
        text = json.dumps({"identity": self.identity, "results": stored}, separators=(",", ":"))
        write_file(f"{text}\n".encode(), self.path, EvaluationError)
        self._changed = False


def open_cache(folder: Path | None, identity: Mapping[str, object]) -> ResultCache:
    """Return the results that ``folder`` holds for this identity (ready for JSON), or an empty cache.

    Without a folder the cache is in memory only. A file that cannot be read counts as empty. Raises EvaluationError
    when the folder cannot be made.
    """
    if folder is None:
        return ResultCache(identity)
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
            str(key): {str(point): _result(values) for point, values in results.items()}
            for key, results in stored["results"].items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        known = {}
    return ResultCache(identity, path, known)


def key_of(picture: Picture, class_index: int) -> str:
    """Return the key of a picture with its class."""
    return f"{hashlib.sha256(picture.tobytes()).hexdigest()[:32]}:{class_index}"


def _result(values: list[object]) -> PictureResult:
    """Return a result as ``as_list`` wrote it. Raises ValueError if it is none."""
    size, payload, rank, *measured = values
    if not (isinstance(size, int) and isinstance(payload, int) and (rank is None or isinstance(rank, int))):
        raise ValueError("not a result")
    if not measured:
        return PictureResult(size, payload, rank)
    psnr_db, *steps = (value for value in measured if isinstance(value, int | float))
    if rank is None or len(steps) != len(measured) - 1:
        raise ValueError("not a result")
    border, inside, original_border, original_inside = steps
    fidelity = Fidelity(psnr_db, Steps(border, inside), Steps(original_border, original_inside))
    return PictureResult(size, payload, rank, fidelity)
