"""The cache of answers: what is kept, and when it must not be used."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from host.evaluate.answers import NOTHING_SENT, Answer, key_of, open_answers
from host.evaluate.errors import EvaluationError

IDENTITY = {"codec": "morse", "settings": {"speed": 4}, "classifier": {"model": "ab"}}
PICTURE = np.arange(224 * 224 * 3, dtype=np.uint32).astype(np.uint8).reshape(224, 224, 3)


def fill(folder: Path, answer: Answer = Answer(500, 400, 3)) -> Path:  # noqa: B008  (frozen)
    answers = open_answers(folder, IDENTITY)
    answers.add(key_of(PICTURE, 7), "budget:500", answer)
    answers.save()
    assert answers.path
    return answers.path


@pytest.mark.parametrize("answer", [Answer(500, 400, 3), NOTHING_SENT])
def test_what_was_saved_is_found_again(tmp_path: Path, answer: Answer) -> None:
    fill(tmp_path / "new" / "folder", answer)
    assert open_answers(tmp_path / "new" / "folder", IDENTITY).of(key_of(PICTURE, 7)) == {"budget:500": answer}


@pytest.mark.parametrize(
    "other",
    [
        {**IDENTITY, "settings": {"speed": 5}},
        {**IDENTITY, "classifier": {"model": "cd"}},
        {**IDENTITY, "codec": "flags"},
        {**IDENTITY, "weights": "new"},
    ],
)
def test_other_settings_weights_or_classifiers_know_nothing_of_it(tmp_path: Path, other: dict[str, object]) -> None:
    fill(tmp_path)
    assert open_answers(tmp_path, other).of(key_of(PICTURE, 7)) == {}
    assert open_answers(tmp_path, IDENTITY).of(key_of(PICTURE, 7))


def test_a_picture_is_known_by_its_pixels_and_its_class() -> None:
    changed = PICTURE.copy()
    changed[100, 100, 1] ^= 1
    assert len({key_of(PICTURE, 7), key_of(PICTURE, 8), key_of(changed, 7)}) == 3
    assert key_of(PICTURE.copy(), 7) == key_of(PICTURE, 7)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b'{"identity": 3}',
        b'{"identity": {"codec": "morse", "settings": {"speed": 4}, "classifier": {"model": "ab"}}, "answers": [1]}',
        b'{"identity": {"codec": "morse", "settings": {"speed": 4}, "classifier": {"model": "ab"}}, '
        b'"answers": {"a": {"budget:500": [1, 2]}}}',
        b'{"identity": {"codec": "morse", "settings": {"speed": 4}, "classifier": {"model": "ab"}}, '
        b'"answers": {"a": {"budget:500": [1, "2", 3]}}}',
    ],
)
def test_a_broken_file_counts_as_empty_and_is_replaced(tmp_path: Path, content: bytes) -> None:
    path = fill(tmp_path)
    path.write_bytes(content)
    assert open_answers(tmp_path, IDENTITY).of("a") == {}
    assert fill(tmp_path) == path
    assert open_answers(tmp_path, IDENTITY).of(key_of(PICTURE, 7))


def test_without_a_folder_answers_are_kept_in_memory_alone(tmp_path: Path) -> None:
    answers = open_answers(None, IDENTITY)
    answers.add("a", "budget:500", NOTHING_SENT)
    answers.save()
    assert answers.of("a") == {"budget:500": NOTHING_SENT}
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EvaluationError, match="file cannot be used as a cache"):
        open_answers(tmp_path / "file", IDENTITY)
