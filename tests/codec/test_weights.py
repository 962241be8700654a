"""Weights that are not this program's are refused, by name and version, and nothing in them is executed."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from host.codec import Codec, CodecError, load
from host.codec.weights import DEFAULT, FOLDER, KINDS, NUMBERS, describe_tag


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped weights."""
    for path in FOLDER.glob("pnc-v2.*"):
        shutil.copy(path, tmp_path)
    return tmp_path


def rewrite(path: Path, **changes: object) -> None:
    with np.load(path, allow_pickle=False) as file:
        arrays = dict(file)
    np.savez(path, **{**arrays, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(("change", "words"), [({"version": "2"}, "pnc-v2 version 2"), ({"name": "x"}, "x version 5")])
def test_other_weights_are_refused_by_name_and_version(folder: Path, change: dict[str, str], words: str) -> None:
    rewrite(folder / "pnc-v2.npz", **change)
    with pytest.raises(CodecError, match=f"pnc-v2.npz: weights of {words}, but this program runs pnc-v2 version 5"):
        Codec("pnc-v2", folder)


def test_a_decoder_of_another_version_is_refused_by_name_and_version(folder: Path) -> None:
    pytest.importorskip("onnxruntime", reason="the decoder needs the extra pnc-link[edge]")
    onnx = pytest.importorskip("onnx", reason="rewriting the decoder's network needs onnx")
    model = onnx.load(folder / "pnc-v2.onnx")
    onnx.helper.set_model_props(model, {"name": "pnc-v2", "version": "7"})
    onnx.save(model, folder / "pnc-v2.onnx")
    with pytest.raises(CodecError, match=r"pnc-v2.onnx: weights of pnc-v2 version 7, but this program runs pnc-v2"):
        Codec("pnc-v2", folder).decoder()


def test_missing_or_broken_files_are_named(folder: Path) -> None:
    (folder / "pnc-v2.onnx").write_bytes(b"no network")
    with pytest.raises(CodecError, match=r"pnc-v2\.onnx is not an ONNX model"):
        Codec("pnc-v2", folder).decoder()
    (folder / "pnc-v2.onnx").unlink()
    with pytest.raises(CodecError, match=r"pnc-v2\.onnx: the decoder's weights are missing"):
        Codec("pnc-v2", folder).decoder()
    whole = (folder / "pnc-v2.npz").read_bytes()
    for broken in (b"", b"nonsense", whole[: len(whole) // 2]):
        (folder / "pnc-v2.npz").write_bytes(broken)
        with pytest.raises(CodecError, match=r"pnc-v2\.npz: not a readable file of weights"):
            Codec("pnc-v2", folder)
    (folder / "pnc-v2.npz").unlink()
    with pytest.raises(CodecError, match=r"pnc-v2\.npz: the codec's weights are missing"):
        Codec("pnc-v2", folder)


@pytest.mark.parametrize("name", KINDS)
def test_damaged_weights_are_refused_in_one_line_that_names_the_file(name: str, tmp_path: Path) -> None:
    whole = (FOLDER / f"{name}.npz").read_bytes()
    rng = np.random.default_rng(6)
    said = []
    for _ in range(150):
        content = bytearray(whole)
        content[int(rng.integers(len(content)))] ^= int(rng.integers(1, 256))
        (tmp_path / f"{name}.npz").write_bytes(content)
        try:
            Codec(name, tmp_path)
        except CodecError as error:
            said.append(str(error))
    assert len(said) > 100
    assert all(line.startswith(f"{tmp_path / name}.npz: ") and "\n" not in line for line in said)


def test_a_pickle_in_the_weights_is_refused(folder: Path) -> None:
    rewrite(folder / "pnc-v2.npz", zero=np.array([{"a": 1}], dtype=object))
    with pytest.raises(CodecError, match="not a readable file of weights"):
        Codec("pnc-v2", folder)


@pytest.mark.parametrize(
    "name", ["filters", "inverse_step", "top", "order", "zero", "offset", "amplitude", "level", "least_level"]
)
def test_weights_that_lack_a_part_are_refused(folder: Path, name: str) -> None:
    with np.load(folder / "pnc-v2.npz", allow_pickle=False) as file:
        arrays = {key: a for key, a in file.items() if key != name}
    np.savez(folder / "pnc-v2.npz", **arrays)
    with pytest.raises(CodecError, match=name):
        Codec("pnc-v2", folder)


@pytest.mark.parametrize("name", ["pnc-v9", "pnc-v1"])
def test_an_unknown_codec_is_refused_with_those_there_are(name: str) -> None:
    with pytest.raises(CodecError, match=f"{name}: no such codec; known are pnc-v2$"):
        load(name)


def test_each_tag_names_its_codec_for_ever_and_no_two_codecs_share_one() -> None:
    assert [describe_tag(mark) for mark in (0x11, 0x24, 0x25)] == [
        "pnc-v1 version 1",
        "pnc-v2 version 4",
        "pnc-v2 version 5",
    ]
    assert NUMBERS[2] == DEFAULT
    assert all(NUMBERS[kind.number] == kind.name for kind in KINDS.values())


def test_the_weights_are_small() -> None:
    files = [FOLDER / f"{name}.{ending}" for name in KINDS for ending in ("npz", "onnx")]
    assert sum(path.stat().st_size for path in files) < 16_000_000
