"""Classes of an answer always fit, are read back in order, and are cut between characters."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from host.link.answers import pack_classes, unpack_classes
from host.wire import MAX_PACKET, MalformedError, Result

LABELS = st.text(st.characters(exclude_categories=["Cs"]), max_size=120)
CLASSES = st.lists(st.tuples(st.integers(0, 65535), LABELS, st.floats(0, 1)), max_size=60)


@given(CLASSES)
@example([(0, "\U0001f41f" * 100, 1.0)] * 5)
@example([(65535, "x" * 300, 0.0)])
def test_classes_always_fit_and_come_back_best_first(classes: list[tuple[int, str, float]]) -> None:
    text = pack_classes(classes)
    assert len(Result(text=text).pack()) <= MAX_PACKET
    back = unpack_classes(text)
    assert [index for index, *_ in back] == [index for index, *_ in classes[: len(back)]]
    for (_, label, share), (_, got, got_share) in zip(classes, back, strict=False):
        assert label.startswith(got)
        assert "\ufffd" not in got or "\ufffd" in label
        assert got_share == pytest.approx(share, abs=1 / 65535)


@given(st.lists(st.tuples(st.integers(0, 999), st.text("abcdeü", max_size=16), st.floats(0, 1)), max_size=5))
def test_five_usual_classes_come_back_whole(classes: list[tuple[int, str, float]]) -> None:
    assert [(index, label) for index, label, _ in unpack_classes(pack_classes(classes))] == [
        (index, label) for index, label, _ in classes
    ]


def test_probabilities_outside_0_to_1_are_clipped() -> None:
    assert [share for *_, share in unpack_classes(pack_classes([(1, "a", 1.5), (2, "b", -0.1)]))] == [1.0, 0.0]


@given(CLASSES.filter(bool), st.data())
def test_a_text_cut_inside_a_class_is_refused(classes: list[tuple[int, str, float]], data: st.DataObject) -> None:
    text = pack_classes(classes)
    ends, at = {0}, 0
    while at < len(text):
        at += 5 + text[at + 4]
        ends.add(at)
    cut = data.draw(st.integers(0, len(text)))
    if cut in ends:
        unpack_classes(text[:cut])
    else:
        with pytest.raises(MalformedError, match="cut short"):
            unpack_classes(text[:cut])


@given(st.binary(max_size=190))
def test_any_bytes_are_classes_or_malformed(text: bytes) -> None:
    try:
        classes = unpack_classes(text)
    except MalformedError:
        return
    assert sum(5 for _ in classes) <= len(text)
