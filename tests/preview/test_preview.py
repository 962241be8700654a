"""``host.preview``: each tile is what those bytes decode to, and the table says what the classifier says of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (extra edge)")

from host.cli.command import run_command
from host.codec import SIDE, cut, load, load_picture
from host.edge.classifier import Classifier
from host.edge.classifier import load as load_classifier
from host.evaluate.baselines import FORMATS
from host.evaluate.codecs import PncCodec
from host.evaluate.sheet import CAPTION, GAP
from host.preview import __main__ as command
from host.preview.views import views
from tests.codec.conftest import drawing
from tests.edge.tiny_models import colour_classifier

SIZES = (250, 1000, 5000)


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Classifier:
    return load_classifier(str(colour_classifier(tmp_path_factory.mktemp("classifier") / "colours.onnx")))


def test_this_codec_is_cut_at_the_byte(classifier: Classifier) -> None:
    codec = load()
    packets, decoder = codec.encode(drawing(3)), codec.decoder()
    for view, size in zip(views(drawing(3), PncCodec(codec), SIZES, classifier), SIZES, strict=True):
        expected = decoder.decode(cut(packets, size)).picture
        assert view.picture is not None
        assert np.array_equal(view.picture, expected)
        assert view.size_bytes == min(size, sum(len(packet.data) for packet in packets))
        [(_, label, probability)] = classifier.top(expected, 1)
        assert (view.label, view.probability) == (label, probability)


def test_a_file_of_another_format_fits_or_with_cut_is_cut_and_decodes_to_nothing(classifier: Classifier) -> None:
    webp = FORMATS["webp"]()
    fitted = views(drawing(3), webp, (100, 4000, 20_000), classifier)
    assert [view.picture is None for view in fitted] == [True, False, False]
    assert fitted[0].size_bytes == 0
    assert fitted[1].size_bytes <= 4000 < fitted[2].size_bytes
    cut_off = views(drawing(3), webp, (100, 4000, 20_000), classifier, cut=True)
    assert [view.picture is None for view in cut_off] == [True, True, False]
    assert [view.size_bytes for view in cut_off[:2]] == [100, 4000]


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr("sys.argv", ["preview", *map(str, arguments)])
    return run_command(command.NAME, command.main)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "wide.png"
    Image.fromarray(drawing(5)).resize((400, 200)).save(path)
    return path


def test_the_command_writes_the_sheet_and_a_table(
    image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out, model = tmp_path / "sheet.png", colour_classifier(tmp_path / "colours.onnx")
    options = ["--bytes", "250,5000", "--codec", "pnc-v2,pjpeg", "--out", out, "--classifier", model]
    assert run(monkeypatch, image, *options, "--crop", "centre") == 0
    name, head, first, second, sheet = capsys.readouterr().out.splitlines()
    assert name == str(image)
    assert head.split()[0] == "after"
    assert first.split()[:2] == ["250", "bytes"]
    assert second.split()[:2] == ["5,000", "bytes"]
    assert sheet == f"  sheet      {out}"
    with Image.open(out) as drawn:
        pixels = np.asarray(drawn.convert("RGB"))
    assert pixels.shape[:2] == (CAPTION + 2 * (SIDE + CAPTION + GAP), 3 * (SIDE + GAP) - GAP)
    picture = load_picture(image, centre=True)
    assert np.array_equal(pixels[CAPTION : CAPTION + SIDE, :SIDE], picture)
    codec = load()
    expected = codec.decoder().decode(cut(codec.encode(picture), 250)).picture
    assert np.array_equal(pixels[CAPTION : CAPTION + SIDE, SIDE + GAP : 2 * SIDE + GAP], expected)


def test_a_format_that_is_not_installed_is_left_out_unless_it_was_asked_for(
    image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("host.evaluate.baselines.features.check", lambda name: name != "avif")
    options = ["--bytes", "500", "--out", tmp_path / "s.webp", "--classifier", colour_classifier(tmp_path / "c.onnx")]
    assert run(monkeypatch, image, *options) == 0
    output = capsys.readouterr()
    assert output.err.startswith("preview: left out: avif: this Pillow has no AVIF")
    assert "WebP, made for the size" in output.out
    assert "AVIF" not in output.out
    assert run(monkeypatch, image, *options, "--codec", "avif") == 1


@pytest.mark.parametrize(
    ("arguments", "status", "text"),
    [
        (["nothing.jpg"], 1, "preview: nothing.jpg: no such file"),
        (["IMAGE", "--out", "sheet.txt"], 2, "a sheet is a .png, .webp or .jpg file"),
        (["IMAGE", "--out", "missing/sheet.png"], 1, "cannot be written"),
        (["IMAGE", "--codec", "gif"], 1, "gif: no such codec"),
        (["IMAGE", "--bytes", "1000,x"], 2, "'1000,x' is not a list of numbers of bytes"),
        (["IMAGE", "--bytes", "0"], 2, "'0' is not a list of numbers of bytes"),
    ],
)
def test_wrong_use_is_one_line(
    arguments: list[str],
    status: int,
    text: str,
    image: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    try:
        ended = run(monkeypatch, *(str(image) if each == "IMAGE" else each for each in arguments))
    except SystemExit as stop:
        ended = int(str(stop.code))
    error = capsys.readouterr().err
    assert ended == status
    assert text in error
    assert len(error.splitlines()) == 1
    assert not list(tmp_path.glob("sheet*"))
