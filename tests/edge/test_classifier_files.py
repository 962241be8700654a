"""Any ONNX classifier can serve: what its file says about input, scaling, output and names is followed."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (extra edge)")
onnx = pytest.importorskip("onnx", reason="onnx is not installed (extra edge)")

from host.cli.hints import with_hint  # noqa: E402
from host.edge.classifier import ClassifierError, load  # noqa: E402
from host.edge.pictures import IMAGENET_MEAN, IMAGENET_STD  # noqa: E402
from tests.edge.tiny_models import colour_classifier, save  # noqa: E402

UINT8 = onnx.TensorProto.UINT8
FLOAT = onnx.TensorProto.FLOAT


def plain(red: int, green: int, blue: int) -> np.ndarray:
    return np.full((1, 224, 224, 3), (red, green, blue), np.uint8)


def softmax(scores: np.ndarray) -> np.ndarray:
    powers = np.exp(scores - scores.max())
    return powers / powers.sum()


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("dtype", [FLOAT, UINT8])
@pytest.mark.parametrize("side", [32, 224, "s"])
def test_layout_type_and_size_are_those_of_the_file(tmp_path: Path, layout: str, dtype: int, side: int | str) -> None:
    file = colour_classifier(tmp_path / "m.onnx", layout=layout, dtype=dtype, side=side)
    classifier = load(str(file))
    pictures = np.concatenate([plain(200, 0, 0), plain(0, 200, 0), plain(0, 0, 200)])
    assert classifier.name == "m.onnx"
    np.testing.assert_array_equal(classifier.probabilities(pictures).argmax(axis=1), [0, 1, 2])


def test_float_inputs_are_scaled_with_imagenets_mean_and_deviation(tmp_path: Path) -> None:
    classifier = load(str(colour_classifier(tmp_path / "m.onnx")))
    colour = np.array([150, 120, 90])
    expected = softmax((colour - np.array(IMAGENET_MEAN)) / np.array(IMAGENET_STD))
    np.testing.assert_allclose(classifier.probabilities(plain(*colour))[0], expected, rtol=1e-5)


@pytest.mark.parametrize(("std", "divisor"), [("128", [128, 128, 128]), ("100, 50, 25", [100, 50, 25])])
def test_the_files_own_scaling_wins(tmp_path: Path, std: str, divisor: list[int]) -> None:
    metadata = {"pnc.mean": "127", "pnc.std": std}
    classifier = load(str(colour_classifier(tmp_path / "m.onnx", metadata=metadata)))
    colour = np.array([150, 120, 90])
    expected = softmax((colour - 127) / np.array(divisor))
    np.testing.assert_allclose(classifier.probabilities(plain(*colour))[0], expected, rtol=1e-5)


def test_uint8_inputs_get_the_pixels_as_they_are(tmp_path: Path) -> None:
    matrix = np.eye(3) / 100
    classifier = load(str(colour_classifier(tmp_path / "m.onnx", dtype=UINT8, matrix=matrix)))
    expected = softmax(np.array([2.0, 1.0, 0.5]))
    np.testing.assert_allclose(classifier.probabilities(plain(200, 100, 50))[0], expected, rtol=1e-5)


def test_softmax_is_applied_once_whether_or_not_the_file_has_it(tmp_path: Path) -> None:
    bare = load(str(colour_classifier(tmp_path / "bare.onnx")))
    done = load(str(colour_classifier(tmp_path / "done.onnx", softmax=True)))
    pictures = np.concatenate([plain(150, 120, 90), plain(10, 200, 40)])
    np.testing.assert_allclose(bare.probabilities(pictures), done.probabilities(pictures), rtol=1e-5)
    np.testing.assert_allclose(done.probabilities(pictures).sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("batch", [1, 5])
@pytest.mark.parametrize("count", [1, 5, 13])
def test_a_fixed_batch_size_changes_no_answer(tmp_path: Path, batch: int, count: int) -> None:
    fixed = load(str(colour_classifier(tmp_path / "fixed.onnx", batch=batch)))
    free = load(str(colour_classifier(tmp_path / "free.onnx")))
    pictures = np.random.default_rng(1).integers(0, 256, (count, 224, 224, 3), np.uint8)
    answer = fixed.probabilities(pictures)
    assert answer.shape == (count, 3)
    np.testing.assert_allclose(answer, free.probabilities(pictures), rtol=1e-5)


def test_no_pictures_give_no_rows(tmp_path: Path) -> None:
    classifier = load(str(colour_classifier(tmp_path / "m.onnx")))
    assert classifier.probabilities(np.empty((0, 224, 224, 3), np.uint8)).shape == (0, 3)


def test_top_is_sorted_named_and_no_longer_than_the_classes(tmp_path: Path) -> None:
    file = colour_classifier(tmp_path / "m.onnx", metadata={"labels": "red\ngreen\nblue"})
    best = load(str(file)).top(plain(10, 200, 120)[0])
    assert [(index, label) for index, label, _ in best] == [(1, "green"), (2, "blue"), (0, "red")]
    assert sum(probability for *_, probability in best) == pytest.approx(1)


@pytest.mark.parametrize("pictures", [np.zeros((224, 224, 3), np.uint8), np.zeros((1, 224, 224, 3), np.float32)])
def test_other_arrays_than_pictures_are_a_callers_mistake(tmp_path: Path, pictures: np.ndarray) -> None:
    classifier = load(str(colour_classifier(tmp_path / "m.onnx")))
    with pytest.raises(ValueError, match="not uint8"):
        classifier.probabilities(pictures)


def test_a_missing_file_is_named_with_the_names_that_would_do() -> None:
    with pytest.raises(ClassifierError, match=r"nowhere\.onnx is neither a file nor .*efficientnet-lite0"):
        load("nowhere.onnx")


@pytest.mark.parametrize("content", [b"", b"not a model", b"\x08\x08" * 500])
def test_a_file_that_is_no_onnx_model_is_named(
    tmp_path: Path, content: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "text.onnx"
    file.write_bytes(content)
    with pytest.raises(ClassifierError, match=r"^text\.onnx is not an ONNX model[^\n]*$"):
        load(str(file))
    assert capfd.readouterr().err == ""


def pass_through(path: Path, kind: int, shape: list[int | str]) -> Path:
    """A model whose output is its input."""
    value = onnx.helper.make_tensor_value_info
    node = onnx.helper.make_node("Identity", ["x"], ["y"])
    return save(path, [node], given=value("x", kind, shape), answer=value("y", kind, None))


@pytest.mark.parametrize(
    ("kind", "shape", "reason"),
    [
        (FLOAT, ["n", 1, 28, 28], r"its input has shape .*28, 28\]"),
        (FLOAT, ["n", 100], "its input has shape"),
        (onnx.TensorProto.INT64, ["n", 3, 32, 32], r"tensor\(int64\)"),
        (FLOAT, ["n", 3, 32, 32], r"1 pictures give \(1, 3, 32, 32\)"),
    ],
)
def test_a_model_that_is_no_classifier_is_named_with_the_reason(
    tmp_path: Path, kind: int, shape: list[int | str], reason: str
) -> None:
    file = pass_through(tmp_path / "other.onnx", kind, shape)
    with pytest.raises(ClassifierError, match=rf"^other\.onnx cannot serve as a classifier: [^\n]*{reason}[^\n]*$"):
        load(str(file))


@pytest.mark.parametrize("std", ["0", "1,2", "many", "nan", ""])
def test_nonsense_in_the_metadata_is_named(tmp_path: Path, std: str) -> None:
    file = colour_classifier(tmp_path / "m.onnx", metadata={"pnc.std": std})
    with pytest.raises(ClassifierError, match=r"m\.onnx cannot serve .*pnc\.std"):
        load(str(file))


def test_a_model_that_answers_nan_is_refused(tmp_path: Path) -> None:
    file = colour_classifier(tmp_path / "m.onnx", matrix=np.full((3, 3), np.nan))
    with pytest.raises(ClassifierError, match="finite"):
        load(str(file))


def test_a_missing_onnxruntime_is_answered_with_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = colour_classifier(tmp_path / "m.onnx")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ClassifierError) as error:
        load(str(file))
    assert with_hint(error.value) == "onnxruntime is not installed: pip install 'pnc-link[edge]'"
