"""The best built-in classifier: two adapted networks, each of which sees a picture in a view of its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (extra edge)")

from host import codec
from host.codec.onnx_session import open_session
from host.edge.builtin import BEST, DEFAULT_CLASSIFIER, LARGER_CLASSIFIER, NETWORKS, model_bytes, model_file
from host.edge.classifier import Classifier, load
from host.edge.views import View, together
from host.evaluate.classifiers import classifier_identity
from tests.edge.test_adapted_classifier import SAMPLE, sample_at
from tests.edge.tiny_models import colour_classifier


def test_a_larger_network_sees_the_larger_mirror_image_as_well() -> None:
    pictures = np.stack([sample_at(400), codec.load_picture(SAMPLE)])
    one, best = load(DEFAULT_CLASSIFIER, threads=1), load(BEST, threads=1)
    larger = [np.asarray(Image.fromarray(p[:, ::-1]).resize((256, 256), Image.Resampling.BICUBIC)) for p in pictures]
    session = open_session("larger", model_bytes(LARGER_CLASSIFIER), 1)
    second = session.run(None, {"pictures": np.stack(larger)})[0]
    mean = np.sqrt(one.probabilities(pictures) * second)
    np.testing.assert_allclose(best.probabilities(pictures), mean / mean.sum(axis=1, keepdims=True), atol=1e-4)
    assert best.name == "best"
    assert best.labels == one.labels


def test_classifiers_of_other_classes_are_not_joined(tmp_path: Path) -> None:
    of_colours = Classifier("colours", colour_classifier(tmp_path / "colours.onnx"), threads=1)
    with pytest.raises(ValueError, match="different classes"):
        load(DEFAULT_CLASSIFIER, threads=1).joined_by(of_colours)


def test_the_networks_that_ship_are_small() -> None:
    for network in {name for networks in NETWORKS.values() for name in networks}:
        assert model_file(network).stat().st_size < 12e6


def test_one_view_is_what_the_network_says() -> None:
    picture = sample_at(400)[np.newaxis]
    one = load(DEFAULT_CLASSIFIER, threads=1)
    np.testing.assert_array_equal(
        one.probabilities(picture), one._networks[0]._session.run(None, {"pictures": picture})[0]
    )


def test_with_other_threads_the_views_stay() -> None:
    picture = sample_at(400)[np.newaxis]
    best = load(BEST, threads=1)
    np.testing.assert_allclose(best.with_threads(2).probabilities(picture), best.probabilities(picture), atol=1e-5)


def test_of_no_pictures_there_are_no_probabilities() -> None:
    assert load(BEST, threads=1).probabilities(np.empty((0, 224, 224, 3), np.uint8)).shape == (0, 1000)


def test_views_that_agree_say_the_same_together() -> None:
    row = np.array([[0.7, 0.2, 0.1, 0.0]], np.float32)
    np.testing.assert_allclose(together([row, row, row]), row, atol=1e-5)


def test_a_view_that_is_sure_of_another_class_takes_its_share() -> None:
    first, second = np.array([[0.8, 0.2]], np.float32), np.array([[0.2, 0.8]], np.float32)
    np.testing.assert_allclose(together([first, second]), [[0.5, 0.5]], atol=1e-6)


def test_a_view_without_a_side_leaves_the_networks_size() -> None:
    spec = load(DEFAULT_CLASSIFIER, threads=1)._networks[0]._spec
    assert View(mirrored=True).spec(spec) == spec
    assert (View(256).spec(spec).height_px, View(256).spec(spec).width_px) == (256, 256)


def test_measurements_of_one_view_and_of_two_are_kept_apart() -> None:
    assert classifier_identity(BEST) != classifier_identity(DEFAULT_CLASSIFIER)
    assert set(NETWORKS) == {BEST, DEFAULT_CLASSIFIER}
