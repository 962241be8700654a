"""The names of a classifier's classes."""

from __future__ import annotations

from pathlib import Path

_IMAGENET_FILE = Path(__file__).with_name("imagenet_labels.txt")
IMAGENET_CLASSES = 1000


def imagenet_labels() -> tuple[str, ...]:
    """Return the 1,000 class names of ILSVRC 2012 in the order of synset ids. No two are equal."""
    lines = _IMAGENET_FILE.read_text(encoding="utf-8").splitlines()
    return tuple(line for line in lines if not line.startswith("#"))


def labels_for(classes: int, names: str | None) -> tuple[str, ...]:
    """Return one name for each of ``classes`` classes.

    They are those in ``names``, one per line, if their number is right; else ImageNet's for 1,000 classes; else
    "class 0", "class 1" and so on.
    """
    given = tuple(line.strip() for line in (names or "").splitlines() if line.strip())
    if len(given) == classes:
        return given
    if classes == IMAGENET_CLASSES:
        return imagenet_labels()
    return tuple(f"class {index}" for index in range(classes))
