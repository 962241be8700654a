"""Labelled pictures: a folder, and a CSV file with the class of each picture."""

from __future__ import annotations

import argparse
import csv
import os
from dataclasses import dataclass
from pathlib import Path

from .errors import EvaluationError

_FILE, _CLASS = "file", "class_index"


@dataclass(frozen=True, slots=True)
class LabelledPicture:
    """A picture and its class; ``line`` is the line of the CSV file that names it."""

    path: Path
    class_index: int
    line: int


def add_picture_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that name labelled pictures: ``dir``, ``labels`` and ``first``."""
    parser.add_argument("dir", metavar="DIR", type=Path, help="the folder of the pictures")
    parser.add_argument(
        "--labels", metavar="CSV", type=Path, required=True, help="columns file and class_index, others ignored"
    )
    parser.add_argument("--first", metavar="N", type=positive, help="only the first N rows of the CSV")


def positive(text: str) -> int:
    """Parse a whole number above 0, for argparse."""
    if not text.strip().isascii() or not text.strip().isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def read_labels(folder: Path, csv_path: Path, first: int | None = None) -> list[LabelledPicture]:
    """Read the pictures that a CSV file names, in its order.

    Args:
        folder: the folder of the pictures.
        csv_path: the file. Its header has the columns ``file`` (relative to ``folder``) and ``class_index``; other
            columns are ignored.
        first: read only so many rows; None: all.

    Raises:
        EvaluationError: the file cannot be used, or none of the pictures exists. Whether a single picture exists is
            not checked.
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
    """Raise EvaluationError for the first picture whose class the classifier does not have."""
    for picture in labelled:
        if not 0 <= picture.class_index < classes:
            raise EvaluationError(
                f"{csv_path}, line {picture.line}: class_index {picture.class_index} is outside "
                f"0..{classes - 1}, the classes of {classifier}"
            )
