"""The names of ImageNet's classes, and which names a classifier gets."""

from __future__ import annotations

import pytest

from host.edge.labels import imagenet_labels, labels_for


def test_there_are_a_thousand_names_and_no_two_are_alike() -> None:
    labels = imagenet_labels()
    assert len(labels) == 1000
    assert len({label.casefold() for label in labels}) == 1000
    assert all(label == label.strip() and label for label in labels)


@pytest.mark.parametrize(
    ("index", "label"),
    [
        (0, "tench"),
        (2, "great white shark"),
        (134, "crane (bird)"),
        (207, "golden retriever"),
        (285, "Egyptian cat"),
        (474, "cardigan"),
        (517, "crane (machine)"),
        (638, "maillot"),
        (639, "tank suit"),
        (782, "screen"),
        (967, "espresso"),
        (999, "toilet tissue"),
    ],
)
def test_names_stand_in_the_order_of_synset_ids(index: int, label: str) -> None:
    assert imagenet_labels()[index] == label


def test_a_models_own_names_win() -> None:
    assert labels_for(3, "bolt\nnut\n washer \n") == ("bolt", "nut", "washer")


def test_names_of_the_wrong_number_are_not_used() -> None:
    assert labels_for(2, "bolt\nnut\nwasher") == ("class 0", "class 1")


def test_a_thousand_classes_without_names_are_imagenets() -> None:
    assert labels_for(1000, None) == imagenet_labels()
    assert labels_for(18, None)[17] == "class 17"
