"""``python -m host.evaluate.sure``: the fit of the curves, and what stopping early costs and saves."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (extra edge)")
pytest.importorskip("onnx", reason="onnx is not installed (extra edge)")

from host.edge.sureness import Sureness, load_sureness
from host.evaluate.sure import Seen, fit_curve, photos_in, reliability
from tests.edge.tiny_models import colour_classifier

ROOT = Path(__file__).resolve().parents[2]
COLOURS = ("firebrick", "seagreen", "royalblue")


def sure(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "host.evaluate.sure", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=100)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return drawn pictures, their labels and a classifier of three colours."""
    folder = tmp_path_factory.mktemp("pictures")
    lines = ["file,class_index"]
    for index in range(9):
        image = Image.new("RGB", (320, 240), COLOURS[index % 3])
        draw = ImageDraw.Draw(image)
        for step in range(0, 240, 8 + index):
            draw.ellipse((step, step // 2, step + 60, step // 2 + 40), outline="orange", fill="white")
        image.save(folder / f"{index}.png")
        lines.append(f"{index}.png,{index % 3}")
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")
    colour_classifier(folder / "colours.onnx", matrix=np.eye(3) * 8, metadata={"labels": "red\ngreen\nblue"})
    return folder


def test_fitted_curves_say_when_to_stop(folder: Path) -> None:
    curves, model = folder / "colours.sure.json", folder / "colours.onnx"
    fitted = sure("fit", folder, "--classifier", model, "--out", curves)
    assert fitted.returncode == 0, fitted.stderr
    assert fitted.stdout.splitlines()[0].split() == ["sure", "answers", "mean", "right"]
    load_sureness(str(model))
    at = "0.1,1"
    measured = sure("measure", folder, "--labels", folder / "labels.csv", "--classifier", model, "--at", at)
    assert measured.returncode == 0, measured.stderr
    stops, _, found = measured.stdout.partition("\n\n")
    title, head, low, high, never, oracle = (line.split() for line in stops.splitlines())
    table_head, *table = (line.split() for line in found.splitlines())
    assert table_head == ["sure", "answers", "mean", "right"]
    assert sum(int(row[-3]) for row in table) == 9 * 7
    assert title[:2] == ["9", "pictures,"]
    assert head[-1] == "difference"
    rows = {line[0]: [float(value) for value in line[1:]] for line in (low, high, never)}
    assert rows["0.1"][1] < 300  # sure at the first packet
    assert rows["1"][1:4] == rows["never"][:3]  # never quite sure
    assert rows["never"][1] == 1
    bound = [float(value) for value in oracle[1:]]
    assert bound[0] <= rows["0.1"][1]  # all three classes are among the first five: one packet is enough
    assert bound[2] == rows["never"][2]


def test_a_curve_fits_what_was_counted() -> None:
    rng = np.random.default_rng(3)
    truth = Sureness((0.5, 1.0), (0.8, 0.2))
    drawn = [(int(rng.integers(200, 5000)), float(1 / (1 + np.exp(-rng.normal(0, 3))))) for _ in range(6000)]
    seen = [Seen(size, p, bool(rng.random() < truth(p, size))) for size, p in drawn]
    found = fit_curve(seen)
    assert found.offset == pytest.approx(truth.offset, abs=0.15)
    assert found.slope == pytest.approx(truth.slope, abs=0.1)
    lines = [line.split() for line in reliability(found, seen)[1:]]
    assert all(float(mean) == pytest.approx(float(right), abs=0.06) for *_, mean, right in lines)
    always = fit_curve([Seen(size, p, right=True) for size, p in drawn])  # separable: finite all the same
    assert always(0.5, 1000) > 0.95


def test_the_photos_of_a_folder_are_the_pictures_that_send_takes(tmp_path: Path) -> None:
    for number, name in enumerate(("0.jp2", "1.tif", "2.bmp", "3.jpg")):
        Image.new("RGB", (300, 200), (60 * number, 0, 0)).save(tmp_path / name)
    cut = tmp_path / "3.jpg"
    cut.write_bytes(cut.read_bytes()[:-2])
    (tmp_path / "._3.jpg").write_bytes(bytes(4096))
    (tmp_path / ".hidden.png").write_bytes((tmp_path / "2.bmp").read_bytes())
    (tmp_path / "folder.png").mkdir()
    reds = [int(picture[100, 100, 0]) for picture in photos_in(tmp_path, None)]
    assert reds == pytest.approx([0, 60, 120, 180], abs=2)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["fit", "nowhere"], "nowhere: no folder of photos"),
        (["measure", "."], "measure needs --labels"),
        (["measure", ".", "--labels", "x.csv", "--at", "2"], "each is above 0 and at most 1"),
        (["measure", ".", "--labels", "x.csv", "--at", "x"], "--at"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_line(arguments: list[str], said: str) -> None:
    done = sure(*arguments)
    assert done.returncode in (1, 2)
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
