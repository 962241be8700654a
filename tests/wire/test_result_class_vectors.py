"""The vectors of a result's classes, read and written by the generated module and by the link."""

from __future__ import annotations

from typing import Any

import pytest

from host.link.answers import unpack_classes
from host.wire import MalformedError, ResultClass
from tests.wire import vector_files

CASES = vector_files.cases("result_classes")
SOUND = [case for case in CASES if not case.get("malformed")]
MALFORMED = [case for case in CASES if case.get("malformed")]


@pytest.mark.parametrize("case", SOUND, ids=[case["name"] for case in SOUND])
def test_a_text_reads_as_its_classes_and_the_classes_write_it(case: dict[str, Any]) -> None:
    text = bytes.fromhex(case["text"])
    expected = tuple(ResultClass(c["index"], c["probability"], c["label"].encode()) for c in case["classes"])
    assert ResultClass.unpack_all(text) == expected
    assert b"".join(record.pack() for record in expected) == text
    assert unpack_classes(text) == tuple((c["index"], c["label"], c["probability"] / 65535) for c in case["classes"])


@pytest.mark.parametrize("case", MALFORMED, ids=[case["name"] for case in MALFORMED])
def test_a_text_that_ends_inside_a_class_is_refused(case: dict[str, Any]) -> None:
    with pytest.raises(MalformedError, match="cut short"):
        ResultClass.unpack_all(bytes.fromhex(case["text"]))
    with pytest.raises(MalformedError, match="cut short"):
        unpack_classes(bytes.fromhex(case["text"]))


def test_the_vectors_hold_sound_and_malformed_texts() -> None:
    assert len(SOUND) >= 8
    assert len(MALFORMED) >= 5
