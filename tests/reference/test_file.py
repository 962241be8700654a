"""The file of a reference codec: read back to the bit; others are refused by name and version, unexecuted."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the reference needs the extra pnc-link[train]")

from host.codec import CodecError  # noqa: E402
from host.reference.model import Autoencoder  # noqa: E402
from host.reference.model_file import load_model, load_networks, save_model  # noqa: E402
from tests.reference.references import full_model  # noqa: E402


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The arrays of a file."""
    path = tmp_path_factory.mktemp("reference") / "pnc.npz"
    save_model(full_model(), path)
    with np.load(path, allow_pickle=False) as file:
        return dict(file)


def test_a_model_is_read_back_to_the_bit(tmp_path: Path) -> None:
    model = full_model()
    save_model(model, tmp_path / "pnc.npz")
    read = load_model(tmp_path / "pnc.npz")
    assert read.scale == model.scale
    for mine, theirs in ((model.encoder, read.encoder), (model.decoder, read.decoder)):
        expected = mine.state_dict()
        assert all(torch.equal(value, expected[name]) for name, value in theirs.state_dict().items())
    for mine, theirs in zip(model.tables, read.tables, strict=True):
        assert np.array_equal(mine.bits, theirs.bits)
        assert np.array_equal(mine.codes, theirs.codes)
    assert [file.name for file in tmp_path.iterdir()] == ["pnc.npz"]


def test_networks_without_tables_are_read_as_networks_alone(tmp_path: Path, sound: dict[str, Any]) -> None:
    path = tmp_path / "networks.npz"
    np.savez(path, **{key: value for key, value in sound.items() if key not in ("scale", "bits", "codes")})
    encoder, _ = load_networks(path)
    assert torch.equal(encoder.first.weight, full_model().encoder.first.weight)
    with pytest.raises(CodecError, match=r"networks\.npz: networks without .* `python -m host.reference fit`"):
        load_model(path)


def test_networks_that_the_training_wrote_are_read(tmp_path: Path) -> None:
    pytest.importorskip("efficientnet_lite_pytorch", reason="training needs the extra pnc-link[train]")
    from host.train.reference import weights

    trained, path = Autoencoder(), tmp_path / "networks.npz"
    weights.export(trained, path)
    encoder, decoder = load_networks(path)
    for mine, theirs in ((trained.encoder, encoder), (trained.decoder, decoder)):
        expected = mine.state_dict()
        assert all(torch.equal(value, expected[name]) for name, value in theirs.state_dict().items())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"version": "2"}, "a model of pnc-reference version 2, but this program runs pnc-reference version 1"),
        ({"name": "pnc-v1"}, "a model of pnc-v1 version 1"),
        ({"scale": np.array(-1.0)}, "no step of the activations"),
        ({"scale": np.array(np.nan)}, "no step of the activations"),
        ({"scale": np.array("x")}, "could not convert"),
        ({"bits": np.zeros((9, 65), np.uint8)}, "not a Huffman table for each channel"),
        ({"bits": np.zeros((10, 65), np.uint8)}, "its end has one"),
        ({"bits": np.zeros((10, 65), np.float64)}, "tables of another type"),
        ({"codes": np.zeros((10, 64), np.uint64)}, "65 codes"),
        ({"codes": np.zeros((10, 65), np.uint64)}, "begins with another one"),
        ({"bits": None}, "bits is missing"),
        ({"encoder.first.weight": None}, r"encoder\.first\.weight is missing"),
        ({"encoder.first.bias": np.zeros(15, np.float32)}, r"encoder\.first\.bias is not float32 \[16\]"),
        ({"decoder.leave.bias": np.zeros(3)}, r"decoder\.leave\.bias is not float32 \[3\]"),
        ({"decoder.leave.bias": np.full(3, np.inf, np.float32)}, "all finite"),
        ({"encoder.first.bias": np.array([print] * 16, object)}, "not a readable file"),
    ],
)
def test_another_file_is_refused_in_one_line(
    tmp_path: Path, sound: dict[str, Any], change: dict[str, Any], words: str
) -> None:
    path = tmp_path / "pnc.npz"
    np.savez(path, **{key: value for key, value in (sound | change).items() if value is not None})
    with pytest.raises(CodecError, match=words) as raised:
        load_model(path)
    assert str(raised.value).startswith(str(path))
    assert "\n" not in str(raised.value)


def test_a_missing_or_broken_file_is_named(tmp_path: Path, sound: dict[str, Any]) -> None:
    path = tmp_path / "pnc.npz"
    with pytest.raises(CodecError, match=r"pnc\.npz: no such file"):
        load_model(path)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **sound)
    whole = buffer.getvalue()
    damaged = bytearray(whole)
    damaged[len(whole) // 2] ^= 255
    for content in (b"", b"x" * 100, whole[:-1000], bytes(damaged)):
        path.write_bytes(content)
        with pytest.raises(CodecError, match=r"pnc\.npz: not a readable file of weights"):
            load_model(path)


def test_a_file_that_swells_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "pnc.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("scale.npy", bytes(32 << 20))
    assert path.stat().st_size < 100_000
    with pytest.raises(CodecError, match="holds more than 16 MB"):
        load_model(path)


def test_a_disk_that_refuses_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "pnc.npz"
    with pytest.raises(CodecError, match=r"pnc\.npz: cannot be written \(No such file or directory\)"):
        save_model(full_model(), path)
    target = tmp_path / "folder.npz"
    target.mkdir()
    with pytest.raises(CodecError, match=r"folder\.npz: cannot be written"):
        save_model(full_model(), target)
    assert list(tmp_path.iterdir()) == [target]
