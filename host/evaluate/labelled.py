"""Labelled pictures: a folder, and a CSV file that says what is in its pictures."""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass
from pathlib import Path

from .errors import EvaluationError

_FILE, _CLASS = "file", "class_index"


@dataclass(frozen=True, slots=True)
class LabelledPicture:
    """``line`` is the line of the CSV file that names the picture."""

    path: Path
    class_index: int
    line: int


def read_labels(folder: Path, csv_path: Path, first: int | None = None) -> list[LabelledPicture]:
    """The pictures that the CSV names (the first ``first`` rows, or all), in its order.

    The CSV has a header with the columns ``file`` (relative to ``folder``) and ``class_index``; others are
    ignored. Raises ``EvaluationError``, also when not one of the pictures is there; a single missing one is
    left to be found when it is read.
    """
    if not os.path.isdir(folder):
        raise EvaluationError(f"{folder} is not a folder of pictures")
    try:
        with csv_path.open(newline="", encoding="utf-8-sig") as file:
            rows = csv.DictReader(file)
            missing = [name for name in (_FILE, _CLASS) if name not in (rows.fieldnames or ())]
            if missing:
                raise EvaluationError(f"{csv_path} lacks the column {' and '.join(missing)} in its first line")
            labelled: list[LabelledPicture] = []
            for row in rows:
                if first is not None and len(labelled) == first:
                    break
                labelled.append(_labelled(folder, csv_path, rows.line_num, row))
    except OSError as error:
        raise EvaluationError(f"{csv_path} cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise EvaluationError(f"{csv_path} is not a CSV file: {error}") from error
    if not labelled:
        raise EvaluationError(f"{csv_path} names no pictures")
    if not any(os.path.isfile(picture.path) for picture in labelled):
        raise EvaluationError(f"{folder} holds none of the {len(labelled)} pictures that {csv_path} names")
    return labelled


def _labelled(folder: Path, csv_path: Path, line: int, row: dict[str, str | None]) -> LabelledPicture:
    name, number = row[_FILE], row[_CLASS]
    if not name or "\0" in name:
        raise EvaluationError(f"{csv_path}, line {line}: no file name")
    try:
        class_index = int(number or "")
    except ValueError:
        raise EvaluationError(f"{csv_path}, line {line}: class_index {number!r} is not a number") from None
    return LabelledPicture(folder / name, class_index, line)


def check_classes(labelled: list[LabelledPicture], csv_path: Path, classifier: str, classes: int) -> None:
    """Raises ``EvaluationError`` for the first picture whose class the classifier does not have."""
    for picture in labelled:
        if not 0 <= picture.class_index < classes:
            raise EvaluationError(
                f"{csv_path}, line {picture.line}: class_index {picture.class_index} is outside "
                f"0..{classes - 1}, the classes of {classifier}"
            )
