"""The classifier that ships: what it is, what it takes to load it, and what it sees that the published one does not."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (extra edge)")

from host import codec
from host.codec import cut
from host.edge import builtin
from host.edge.classifier import ClassifierError, load
from host.evaluate.result_cache import classifier_identity

ADAPTED, PUBLISHED = "efficientnet-lite0-pnc", "efficientnet-lite0"
SAMPLE = Path(__file__).resolve().parents[2] / "host" / "assets" / "sample.jpg"


def sample_at(size_bytes: int) -> np.ndarray:
    ours = codec.load()
    return ours.decoder(threads=1).decode(cut(ours.encode(codec.load_picture(SAMPLE)), size_bytes)).picture


def test_it_loads_without_onnx_and_without_a_package_of_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    monkeypatch.setattr(builtin, "_weights_file", lambda name: pytest.fail(f"{name} was looked for"))
    monkeypatch.setattr(builtin, "load_or_build", lambda name, _build: pytest.fail(f"{name} was built"))
    classifier = load(ADAPTED, threads=1)
    assert classifier.name == ADAPTED
    assert classifier.labels[967] == "espresso"


def test_its_input_and_output_are_those_of_the_published_network() -> None:
    onnx = pytest.importorskip("onnx", reason="onnx is not installed (extra edge)")
    content = builtin.model_bytes(ADAPTED)
    assert len(content) < 12e6
    model = onnx.load_model_from_string(content)
    onnx.checker.check_model(model, full_check=True)
    published = onnx.load_model_from_string(builtin.model_bytes(PUBLISHED))
    assert model.graph.input == published.graph.input
    assert model.graph.output == published.graph.output
    notes = {prop.key: prop.value for prop in model.metadata_props}
    assert notes["name"] == ADAPTED
    assert notes["codec"].startswith("pnc-v2 version ")


def test_it_recognises_the_sample_from_700_bytes_as_the_published_network_does_not() -> None:
    decoded = sample_at(700)
    (_, label, probability), *_ = load(ADAPTED, threads=1).top(decoded)
    assert label == "espresso"
    assert probability > 0.35
    (_, label, _), *_ = load(PUBLISHED, threads=1).top(decoded)
    assert label != "espresso"


def test_it_still_recognises_the_sample_as_it_is() -> None:
    (_, label, _), *_ = load(ADAPTED, threads=1).top(codec.load_picture(SAMPLE))
    assert label == "espresso"


def test_missing_weights_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builtin, "_SHIPPED", tmp_path)
    with pytest.raises(ClassifierError, match=rf"{ADAPTED}\.onnx: the weights are missing"):
        load(ADAPTED)


def test_the_evaluation_knows_it_by_its_weights() -> None:
    assert classifier_identity(ADAPTED)["model"] != classifier_identity(PUBLISHED)["model"]
