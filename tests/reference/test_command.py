"""``python -m host.reference``: from published files to a codec, its encoder out and back, each mistake in one line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the reference needs the extra pnc-link[train]")
dahuffman = pytest.importorskip("dahuffman", reason="the comparison needs the extra pnc-link[test]")

from host.cli.command import run_command  # noqa: E402
from host.reference import __main__ as reference  # noqa: E402
from host.reference.codec import ReferenceCodec  # noqa: E402
from host.reference.model_file import load_model  # noqa: E402
from tests.codec.conftest import drawing, save_drawings  # noqa: E402
from tests.reference.savedmodels import SAVED, saved  # noqa: E402

DECODER_SHAPES = [(9, 9, 64, 10), (5, 5, 64, 64), (5, 5, 64, 64), (5, 5, 64, 64), (3, 3, 64, 3)]
Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """The command with these arguments -> its exit status and what it said on stderr."""

    def call(*arguments: object) -> tuple[int, str]:
        options = reference.parser().parse_args([str(argument) for argument in arguments])
        status = run_command(reference.NAME, lambda: reference.run(options))
        return status, capsys.readouterr().err

    return call


@pytest.fixture(scope="module")
def decoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A decoder of the published size in a SavedModel."""
    rng, arrays = np.random.default_rng(8), {}
    for place, shape in enumerate(DECODER_SHAPES):
        filters = shape[2] if place == 0 else shape[3]
        arrays[f"variables/{2 * place}"] = rng.normal(0, 0.02, shape).astype(np.float32)
        arrays[f"variables/{2 * place + 1}"] = rng.normal(0, 0.1, filters).astype(np.float32)
    return saved(tmp_path_factory.mktemp("decoder"), arrays)


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Huffman tables as they are published."""
    folder, rng = tmp_path_factory.mktemp("tables"), np.random.default_rng(9)
    for channel in range(10):
        counts = {np.int64(symbol): int(rng.integers(1, 1000)) for symbol in range(64)}
        dahuffman.HuffmanCodec.from_frequencies(counts).save(folder / reference.TABLE_NAME.format(channel))
    return folder


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_drawings(tmp_path_factory.mktemp("photos"), 3)


def test_published_files_become_a_codec(run: Run, tmp_path: Path, decoder: Path, tables: Path) -> None:
    out = tmp_path / "pnc.npz"
    assert run("import", SAVED / "encoder", decoder, "--tables", tables, "--out", out) == (0, "")
    codec = ReferenceCodec.load(out)
    symbols = codec.symbols(drawing(1))
    for channel, data in enumerate(codec.encode(drawing(1))):
        table = dahuffman.HuffmanCodec.load(tables / reference.TABLE_NAME.format(channel))
        assert data == table.encode(symbols[channel].reshape(-1))
    assert load_model(out).scale == 0.0212536808103323


def test_the_encoder_goes_out_as_onnx_and_comes_back(
    run: Run, tmp_path: Path, decoder: Path, tables: Path, photos: Path
) -> None:
    pytest.importorskip("onnxruntime", reason="int8 needs the extra pnc-link[edge]")
    first, second, third = (tmp_path / name for name in ("first.npz", "second.npz", "third.npz"))
    plain, small = tmp_path / "float.onnx", tmp_path / "int8.onnx"
    run("import", SAVED / "encoder", decoder, "--tables", tables, "--out", first)
    assert run("export", first, "--onnx", plain) == (0, "")
    assert run("import-onnx", plain, "--into", first, "--out", second) == (0, "")
    assert second.read_bytes() == first.read_bytes()
    assert run("export", first, "--onnx", small, "--int8", photos) == (0, "")
    assert small.stat().st_size < plain.stat().st_size / 2
    assert run("import-onnx", small, "--into", first, "--out", third) == (0, "")
    mine, theirs = (ReferenceCodec.load(path).symbols(drawing(1)).astype(int) for path in (first, third))
    assert np.abs(mine - theirs).max() <= 1
    assert mine.std() > 0


def test_networks_trained_here_are_fitted_with_tables(
    run: Run, tmp_path: Path, decoder: Path, tables: Path, photos: Path
) -> None:
    published, networks, out = (tmp_path / name for name in ("published.npz", "networks.npz", "out.npz"))
    run("import", SAVED / "encoder", decoder, "--tables", tables, "--out", published)
    with np.load(published, allow_pickle=False) as file:
        np.savez(networks, **{key: file[key] for key in file.files if key not in ("scale", "bits", "codes")})
    assert run("fit", networks, "--photos", photos, "--out", out) == (0, "")
    fitted, other = (ReferenceCodec.load(path) for path in (out, published))
    assert fitted.symbols(drawing(1)).max() > 2 * other.symbols(drawing(1)).max()  # all steps are used
    assert sum(map(len, fitted.encode(drawing(1)))) < 0.8 * sum(map(len, other.encode(drawing(1))))


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["import", "{saved}/decoder", "{decoder}", "--tables", "{tables}"], 1, "decoder: not PNC's encoder"),
        (["import", "{saved}/encoder", "{saved}/encoder", "--tables", "{tables}"], 1, "encoder: not PNC's decoder"),
        (["import", "{saved}/encoder", "{decoder}", "--tables", "."], 1, "huffman_table_fine_stoch_6_bit_0: no such"),
        (["import", "nowhere", "{decoder}", "--tables", "{tables}"], 1, "nowhere/variables/variables.index: no such"),
        (["fit", "nothing.npz", "--photos", "{photos}"], 1, "nothing.npz: no such file"),
        (["import-onnx", "nothing.onnx", "--into", "nothing.npz"], 1, "nothing.onnx: no such file"),
    ],
)
def test_a_mistake_is_named_in_one_line(
    run: Run, tmp_path: Path, decoder: Path, tables: Path, photos: Path, arguments: list[str], status: int, words: str
) -> None:
    names = {"saved": SAVED, "decoder": decoder, "tables": tables, "photos": photos}
    out = tmp_path / "out.npz"
    ended, said = run(*(argument.format(**names) for argument in arguments), "--out", out)
    assert ended == status
    assert words in said
    assert said.count("\n") == 1
    assert not out.exists()


def test_an_export_of_no_file_is_named_in_one_line(run: Run, tmp_path: Path) -> None:
    ended, said = run("export", "pnc-v9", "--onnx", tmp_path / "x.onnx")
    assert (ended, said) == (1, "reference: pnc-v9: no such file\n")


def test_broken_photos_are_left_out_and_counted_and_a_folder_of_them_is_refused(
    run: Run, tmp_path: Path, decoder: Path, tables: Path, photos: Path
) -> None:
    pytest.importorskip("onnxruntime", reason="int8 needs the extra pnc-link[edge]")
    codec, mixed, broken = (tmp_path / name for name in ("pnc.npz", "mixed", "broken"))
    run("import", SAVED / "encoder", decoder, "--tables", tables, "--out", codec)
    mixed.mkdir()
    broken.mkdir()
    for photo in photos.iterdir():
        (mixed / photo.name).write_bytes(photo.read_bytes())
    for folder in (mixed, broken):
        (folder / "0a.png").write_text("no picture")
        (folder / "z.jpg").write_bytes(b"")
    for command, flag, out in (
        (("fit", codec, "--out"), "--photos", "fitted.npz"),
        (("export", codec, "--onnx"), "--int8", "small.onnx"),
    ):
        assert run(*command, tmp_path / "sound", flag, photos) == (0, "")
        assert run(*command, tmp_path / out, flag, mixed) == (0, f"reference: {mixed}: 2 broken files left out\n")
        assert (tmp_path / out).read_bytes() == (tmp_path / "sound").read_bytes()
        ended = run(*command, tmp_path / "none", flag, broken)
        assert ended == (1, f"reference: {broken}: no usable photo (all 2 are broken)\n")
        assert not (tmp_path / "none").exists()


def test_a_folder_without_photos_is_named(run: Run, tmp_path: Path, decoder: Path, tables: Path) -> None:
    out = tmp_path / "pnc.npz"
    run("import", SAVED / "encoder", decoder, "--tables", tables, "--out", out)
    (tmp_path / "empty").mkdir()
    ended, said = run("fit", out, "--photos", tmp_path / "empty", "--out", tmp_path / "fitted.npz")
    assert (ended, said.count("\n")) == (1, 1)
    assert "empty: no pictures in this folder" in said
