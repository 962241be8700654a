"""A user's torch classifier: the example of the documentation learns and is exported; what cannot work is refused."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch", reason="training needs the extra pnc-link[train]")
for package in ("onnxruntime", "onnx"):
    pytest.importorskip(package, reason="training needs the extra pnc-link[train]")

from host.cli.command import run_command  # noqa: E402
from host.edge.classifier import load  # noqa: E402
from host.train import __main__ as command  # noqa: E402
from host.train import checkpoint  # noqa: E402
from host.train.classifier import command as classifier_command  # noqa: E402
from host.train.classifier import export  # noqa: E402
from host.train.classifier.own import OwnNetwork, OwnTeacher, load_network  # noqa: E402
from host.train.classifier.recipe import ClassifierRecipe  # noqa: E402
from host.train.classifier.samples import Batch, Samples  # noqa: E402
from host.train.classifier.trainer import ClassifierTrainer, groups  # noqa: E402
from host.train.photos import TrainingError  # noqa: E402
from tests.codec.conftest import drawing  # noqa: E402

nn = torch.nn
ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "docs" / "examples" / "own_network.py"
PAGE = ROOT / "docs" / "own-classifier.md"
SMALL = replace(ClassifierRecipe(), originals=1, wholes=1, tiny=1, prefixes=2, warm_steps=1, held_out=2)


class Texture(nn.Module):
    """Classes by the strength of fine detail, which a prefix loses; a normalization and a dropout are in between."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(2)
        self.fine = nn.Conv2d(3, 8, 3)
        self.norm = nn.BatchNorm2d(8)
        self.drop = nn.Dropout(0.5)
        self.last = nn.Linear(8, 6)
        with torch.no_grad():
            filters = torch.randn(8, 3, 3, 3, generator=generator)
            self.fine.weight.copy_(filters - filters.mean(dim=(2, 3), keepdim=True))
            self.last.weight.copy_(torch.randn(6, 8, generator=generator) * 4)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.last(self.drop(self.norm(self.fine(pictures)).abs().mean(dim=(2, 3))))
        return found


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's folder with drawings and the example, which is the current folder."""
    (tmp_path / "photos").mkdir()
    for seed in range(4):
        Image.fromarray(drawing(seed)).save(tmp_path / "photos" / f"{seed}.png")
    shutil.copy(EXAMPLE, tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "own_network", raising=False)
    return tmp_path


def train(*arguments: object) -> int:
    words = ["--recipe", "classifier", "--data", "photos", *map(str, arguments)]
    return run_command(command.NAME, lambda: command.train(command.parser().parse_args(words)))


def documented(part: str) -> list[str]:
    """Return the words of the page's command that has ``part``."""
    (line,) = re.findall(rf"^python -m host\.train .*{re.escape(part)}.*$", PAGE.read_text(), re.MULTILINE)
    return shlex.split(line, comments=True)[3:]


def test_the_example_of_the_page_is_trained_and_served_as_written(folder: Path) -> None:
    (folder / "labels.txt").write_text("one\ntwo\nthree\nfour\n")
    words = documented("--network own_network:build")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", "host.train", *words, "--minutes", "0.05"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    out = folder / words[words.index("--out") + 1]
    assert checkpoint.load(out / "checkpoint.pt", "classifier")["steps"] > 0
    classifier = load(str(out / "build-pnc.onnx"), threads=1)
    assert classifier.labels == ("one", "two", "three", "four")
    # The state dictionary is that of the network that the function returns, and the same classifier.
    network = load_network("own_network:build")
    pictures = np.stack([drawing(seed) for seed in range(3)])
    start = OwnTeacher(network).goals(pictures).answers
    network.network.load_state_dict(torch.load(out / "build-pnc.pt", weights_only=True))
    learned = OwnTeacher(network).goals(pictures).answers
    assert np.abs(learned - start).max() > 1e-5
    np.testing.assert_allclose(classifier.probabilities(pictures), learned, atol=1e-4)


def test_it_learns_from_its_untouched_self_what_prefixes_hide() -> None:
    photos = [drawing(seed) for seed in range(6)]
    own = OwnNetwork("texture", Texture(), ("norm",))
    recipe = replace(
        SMALL, network="texture", mapped_blocks=("norm",), map_weights=(0.1,), filter_lr=0.03, norm_lr=0.01
    )
    trainer = ClassifierTrainer(recipe, photos, photos[:2], own)
    originals = np.stack(photos)
    before = trainer.samples.goals(originals)
    shown = np.concatenate([originals[:1], trainer.samples.prefixes(originals[1:], [900] * 5)])
    told = [trainer.step(Batch(shown, *before), 0.0) for _ in range(30)]
    assert told[-1]["decoded"] < 0.5 * told[0]["decoded"]
    assert set(told[0]) == {"originals", "decoded", "map norm"}
    # The teacher did not learn; the statistics of the normalization are as they were, and nothing is dropped.
    np.testing.assert_array_equal(trainer.samples.goals(originals).answers, before.answers)
    assert torch.equal(own.network.norm.running_mean, torch.zeros(8))
    assert not own.network.drop.training
    assert trainer.validate().startswith("held out: 500B ")


def test_frozen_parameters_stay_and_the_others_have_a_rate() -> None:
    network = Texture()
    network.last.requires_grad_(False)
    nn.init.zeros_(network.fine.weight)
    own = OwnNetwork("texture", network)
    (rest,) = groups(own, SMALL)  # a layer of zeros has no size to take its rate from
    assert len(rest["params"]) == 4
    assert rest["base"] == SMALL.norm_lr


def test_a_network_is_shown_imagenets_scale() -> None:
    seen = []

    class Spy(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.last = nn.Linear(3, 5)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            seen.append(x)
            found: torch.Tensor = self.last(x.mean(dim=(2, 3)))
            return found

    own = OwnNetwork("spy", Spy())
    picture = torch.zeros(1, 224, 224, 3, dtype=torch.uint8)
    picture[..., 0] = 255
    own(picture)
    assert seen[-1].shape == (1, 3, 224, 224)
    # torchvision's: (x / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    expected = [(1 - 0.485) / 0.229, -0.456 / 0.224, -0.406 / 0.225]
    assert seen[-1].mean(dim=(0, 2, 3)).tolist() == pytest.approx(expected, abs=1e-4)


def test_a_run_is_stopped_and_goes_on_with_the_same_network_only(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(classifier_command, "ClassifierRecipe", lambda: SMALL)
    whole_step = ClassifierTrainer.step

    def stopped_after_a_step(trainer: ClassifierTrainer, batch: Batch, progress: float) -> dict[str, float]:
        os.kill(os.getpid(), signal.SIGINT)
        return whole_step(trainer, batch, progress)

    own = ("--network", "own_network:build", "--out", "out")
    with monkeypatch.context() as patch:
        patch.setattr(ClassifierTrainer, "step", stopped_after_a_step)
        assert train(*own, "--minutes", "100") == 130
    assert "out/checkpoint.pt is saved: continue with --resume" in capsys.readouterr().err
    state = checkpoint.load(folder / "out" / "checkpoint.pt", "classifier")
    more = state["elapsed_s"] / 60 + 0.01
    assert train(*own, "--minutes", more, "--resume") == 0
    assert checkpoint.load(folder / "out" / "checkpoint.pt", "classifier")["steps"] > state["steps"]
    # Other weights would be another teacher.
    source = (folder / "own_network.py").read_text()
    (folder / "other_network.py").write_text(source.replace("manual_seed(1)", "manual_seed(2)"))
    capsys.readouterr()
    for spec, said in (
        ("other_network:build", "a run with network own_network:build"),
        (None, "is not one of this recipe"),
    ):
        arguments = ("--network", spec) if spec else ()
        assert train(*arguments, "--out", "out", "--resume") == 1
        (line,) = capsys.readouterr().err.splitlines()
        assert said in line
    (folder / "own_network.py").write_text(source.replace("manual_seed(1)", "manual_seed(2)"))
    monkeypatch.delitem(sys.modules, "own_network")
    assert train(*own, "--resume") == 1
    assert "belongs to a run with weights" in capsys.readouterr().err


NET = "import torch\nfrom torch import nn\n"


@pytest.mark.parametrize(
    ("source", "spec", "said"),
    [
        ("", "mine", "not of the form module:function"),
        ("", "mine:", "not of the form module:function"),
        ("", "mine:build()", "not of the form module:function"),
        ("", "nowhere:build", "nowhere cannot be imported (ModuleNotFoundError: No module named 'nowhere')"),
        ("import nowhere", "mine:build", "mine cannot be imported (ModuleNotFoundError: No module named 'nowhere')"),
        ("def build(:", "mine:build", "mine cannot be imported (SyntaxError: "),
        ("", "mine:build", "mine has no function build"),
        ("build = 3", "mine:build", "mine has no function build"),
        ("def build(): return 1 / 0", "mine:build", "build() fails (ZeroDivisionError: division by zero)"),
        ("def build(): return 3", "mine:build", "build() gives int, not a torch.nn.Module"),
        ("def build(size): pass", "mine:build", "build() fails (TypeError: "),
        (
            NET + "def build(): return nn.Conv2d(1, 4, 3)",
            "mine:build",
            "its network fails with float32 [2, 3, 224, 224] (",
        ),
        (
            NET + "def build(): return nn.Conv2d(3, 4, 3)",
            "mine:build",
            "gives [2, 4, 222, 222], not scores [2, classes]",
        ),
        (NET + "def build(): return nn.Flatten(0)", "mine:build", "gives [301056], not scores [2, classes]"),
        (NET + "def build(): return nn.LSTM(224, 4)", "mine:build", "its network fails"),
        (NET + "def build(): return nn.Flatten()", "mine:build", "has no parameter that may learn"),
        (
            NET + "def build(): return nn.Sequential(nn.Flatten(), nn.LazyLinear(3), nn.Softmax(1))",
            "mine:build",
            "gives probabilities; leave out its softmax",
        ),
        (
            NET + "class N(nn.Module):\n    def forward(self, x): return x[:, :, 0, 0] / 0\ndef build(): return N()",
            "mine:build",
            "numbers that are not finite",
        ),
        (
            NET + "class N(nn.Module):\n    def forward(self, x): return {'logits': x}\ndef build(): return N()",
            "mine:build",
            "gives dict, not scores [2, classes]",
        ),
    ],
)
def test_what_is_no_classifier_is_refused_in_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, source: str, spec: str, said: str
) -> None:
    monkeypatch.delitem(sys.modules, "mine", raising=False)
    (folder / "mine.py").write_text(source)
    assert train("--network", spec) == 1
    monkeypatch.delitem(sys.modules, "mine", raising=False)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"train: --network {spec}: ")
    assert said in line
    assert not (folder / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (
            ("--features", "network.nothing"),
            1,
            "its network has no submodule 'network.nothing', which --features names",
        ),
        (("--features", "network.layers,"), 1, "its network has no submodule ''"),
        (("--labels", "nowhere.txt"), 1, "--labels nowhere.txt: cannot be read (No such file or directory)"),
        (("--labels", "own_network.py"), 1, "names, one a line, but the network has 4 classes"),
        (("--crops", "3"), 2, "--crops is for --export"),
        (("--stage", "1"), 2, "--stage is not for recipe classifier"),
        (("--export", "prefixes", "--minutes", "3"), 2, "--minutes is for a training, and --export does not train"),
        (("--export", "prefixes", "--labels", "x"), 2, "--labels is for a training, and --export does not train"),
    ],
)
def test_options_that_do_not_fit_are_refused_in_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], status: int, said: str
) -> None:
    assert train("--network", "own_network:build", *arguments) == status
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line
    assert not (folder / "out").exists()


@pytest.mark.parametrize("flag", ["--network", "--features", "--labels", "--export", "--crops"])
def test_other_recipes_take_none_of_these_options(flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--recipe", "default", "--data", "photos", flag, "1"]
    assert run_command(command.NAME, lambda: command.train(command.parser().parse_args(words))) == 2
    assert f"{flag} is not for recipe default" in capsys.readouterr().err


def test_a_network_that_onnx_cannot_hold_leaves_its_weights(tmp_path: Path) -> None:
    class FixedNumber(Texture):
        def forward(self, pictures: torch.Tensor) -> torch.Tensor:
            found: torch.Tensor = super().forward(pictures)
            return found + float(pictures.shape[0] % 2)  # traced as a constant

    class Noise(Texture):
        def forward(self, pictures: torch.Tensor) -> torch.Tensor:
            found: torch.Tensor = super().forward(pictures)
            return found * (1.0 + torch.fft.rfft(pictures[0, 0, 0]).abs().mean())

    recipe = replace(SMALL, network="odd")
    for kind, said in ((FixedNumber, None), (Noise, "torch cannot export it")):
        folder = tmp_path / kind.__name__
        folder.mkdir()
        own = OwnNetwork("odd", kind())
        if said is None:  # a constant added to all scores changes no probability
            assert len(export.export_own(own, recipe, folder, ())) == 2
            continue
        with pytest.raises(TrainingError) as error:
            export.export_own(own, recipe, folder, ())
        assert re.match(
            rf".*odd-pnc\.pt is written, but not odd-pnc\.onnx: {said} .*; export the network yourself",
            str(error.value),
        )
        assert "\n" not in str(error.value)
        assert [file.name for file in folder.iterdir()] == ["odd-pnc.pt"]


def test_an_export_that_computes_something_else_is_refused(tmp_path: Path) -> None:
    class ByNumber(Texture):
        def forward(self, pictures: torch.Tensor) -> torch.Tensor:
            found: torch.Tensor = super().forward(pictures)
            return found * 0.1 * float(1 + pictures.shape[0])  # traced for the exporter's two pictures

    with pytest.raises(TrainingError, match="as ONNX it computes something else"):
        export.export_own(OwnNetwork("odd", ByNumber()), replace(SMALL, network="odd"), tmp_path, ())
    assert [file.name for file in tmp_path.iterdir()] == ["odd-pnc.pt"]


def test_samples_of_an_own_network_have_its_answers() -> None:
    own = OwnNetwork("texture", Texture())
    photos = [drawing(seed) for seed in range(3)]
    batch = Samples(SMALL, photos, OwnTeacher(own)).draw(np.random.default_rng(1))
    assert batch.answers.shape == (SMALL.batch, 6)
    assert batch.maps == ()
    np.testing.assert_allclose(batch.answers[:1], OwnTeacher(own).goals(batch.pictures[:1]).answers, atol=1e-6)
