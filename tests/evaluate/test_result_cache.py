"""The result cache: what is kept, and when it must not be used."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from host.evaluate.errors import EvaluationError
from host.evaluate.fidelity import Fidelity, Steps
from host.evaluate.result_cache import NOTHING_SENT, PictureResult, key_of, open_cache

IDENTITY = {"codec": "morse", "settings": {"speed": 4}, "classifier": {"model": "ab"}}
PICTURE = np.arange(224 * 224 * 3, dtype=np.uint32).astype(np.uint8).reshape(224, 224, 3)


RESULT = PictureResult(500, 400, 3, Fidelity(25.5, Steps(3.5, 2.25), Steps(2.0, 1.75)))


def fill(folder: Path, result: PictureResult = RESULT) -> Path:
    cache = open_cache(folder, IDENTITY)
    cache.add(key_of(PICTURE, 7), "budget:500", result)
    cache.save()
    assert cache.path
    return cache.path


@pytest.mark.parametrize("result", [RESULT, NOTHING_SENT])
def test_what_was_saved_is_found_again(tmp_path: Path, result: PictureResult) -> None:
    fill(tmp_path / "new" / "folder", result)
    assert open_cache(tmp_path / "new" / "folder", IDENTITY).results(key_of(PICTURE, 7)) == {"budget:500": result}


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
    assert open_cache(tmp_path, other).results(key_of(PICTURE, 7)) == {}
    assert open_cache(tmp_path, IDENTITY).results(key_of(PICTURE, 7))


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
        b'{"identity": {"codec": "morse", "settings": {"speed": 4}, "classifier": {"model": "ab"}}, "results": [1]}',
        b'{"identity": {"codec": "morse", "settings": {"speed": 4}, "classifier": {"model": "ab"}}, '
        b'"results": {"a": {"budget:500": [1, 2]}}}',
        b'{"identity": {"codec": "morse", "settings": {"speed": 4}, "classifier": {"model": "ab"}}, '
        b'"results": {"a": {"budget:500": [1, "2", 3]}}}',
        b'{"identity": {"codec": "morse", "settings": {"speed": 4}, "classifier": {"model": "ab"}}, '
        b'"results": {"a": {"budget:500": [1, 2, 3, 25.5]}}}',
        b'{"identity": {"codec": "morse", "settings": {"speed": 4}, "classifier": {"model": "ab"}}, '
        b'"results": {"a": {"budget:500": [1, 2, 3, 25.5, "3.5", 2.25, 2.0, 1.75]}}}',
    ],
)
def test_a_broken_file_counts_as_empty_and_is_replaced(tmp_path: Path, content: bytes) -> None:
    path = fill(tmp_path)
    path.write_bytes(content)
    assert open_cache(tmp_path, IDENTITY).results("a") == {}
    assert fill(tmp_path) == path
    assert open_cache(tmp_path, IDENTITY).results(key_of(PICTURE, 7))


def test_without_a_folder_results_are_kept_in_memory_alone(tmp_path: Path) -> None:
    cache = open_cache(None, IDENTITY)
    cache.add("a", "budget:500", NOTHING_SENT)
    cache.save()
    assert cache.results("a") == {"budget:500": NOTHING_SENT}
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EvaluationError, match="file cannot be used as a cache"):
        open_cache(tmp_path / "file", IDENTITY)
