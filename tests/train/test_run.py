"""A run of the training: it starts, stops, resumes, chooses a pass order, and its export decodes."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch", reason="training needs the extra pnc-link[train]")
pytest.importorskip("efficientnet_lite_pytorch", reason="training needs the extra pnc-link[train]")

from host.cli.command import run_command  # noqa: E402
from host.codec import Codec  # noqa: E402
from host.codec import load as load_codec  # noqa: E402
from host.codec.weights import kind_of, load_arrays  # noqa: E402
from host.train import __main__ as command  # noqa: E402
from host.train import checkpoint, loop, order, sizes, tables, trainer  # noqa: E402
from host.train.export import export, write_codec  # noqa: E402
from host.train.photos import TrainingError, load_photos  # noqa: E402
from host.train.recipe import RECIPES  # noqa: E402
from host.train.trainer import CodecTrainer  # noqa: E402
from tests.codec.conftest import drawing  # noqa: E402

SMALL = replace(RECIPES["default"], batch=2, crop=96)


@pytest.fixture(autouse=True)
def in_haste(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sizes, "PHOTOS", 2)
    monkeypatch.setattr(sizes, "STEPS", 3)
    monkeypatch.setattr(tables, "SYMBOLS", 400)
    monkeypatch.setattr(tables, "STEPS", 3)
    monkeypatch.setattr(trainer, "LINEAR_BATCHES", 2)
    # Measure few passes, on few pictures.
    monkeypatch.setattr(order, "SMALL_BYTES", 60.0)
    monkeypatch.setattr(order, "PHOTOS", 2)


def test_a_run_from_start_to_a_codec_that_decodes(tmp_path: Path) -> None:
    photos, said = [drawing(seed) for seed in range(12)], list[str]()
    trainer = CodecTrainer(SMALL, photos[:8], photos[8:], said.append)
    first = trainer.step(trainer.crops(trainer.rng), 0.0)
    assert set(first) == {"mse"}
    assert set(trainer.step(trainer.crops(trainer.rng), 0.5)) == {"mse", "features", "answer"}
    assert "plane by plane" in trainer.reorder(said.append)
    checkpoint.save(trainer.state(), tmp_path / "checkpoint.pt")
    again = CodecTrainer(
        SMALL, photos[:8], photos[8:], said.append, checkpoint.load(tmp_path / "checkpoint.pt", "default")
    )
    assert (again.steps, again.ordered, again.passes.order) == (2, True, trainer.passes.order)
    assert np.array_equal(again.passes.bytes, trainer.passes.bytes)
    for now, before in zip(again.average.parameters(), trainer.average.parameters(), strict=True):
        assert torch.equal(now, before)
    whole = trainer.state()
    for damage in ({"model": {}}, {"order": whole["order"][:-1]}, {"average": None}, {"steps": ...}):
        broken = {key: value for key, value in {**whole, **damage}.items() if value is not ...}
        with pytest.raises(
            TrainingError, match=r"^the checkpoint is not one of this recipe, or not complete \([^\n]+$"
        ):
            CodecTrainer(SMALL, photos[:8], photos[8:], said.append, broken)
    assert again.step(again.crops(again.rng), 0.5)["features"] > 0
    loop.run(again, 0.01, tmp_path / "checkpoint.pt", {}, said.append)
    assert again.steps > 3
    assert checkpoint.load(tmp_path / "checkpoint.pt", "default")["steps"] == again.steps
    assert said[-1].startswith("held out: 700B ")
    kind = kind_of("pnc-v2")
    export(again.average, again.passes.order, photos[:2], kind, SMALL.seed, tmp_path, said.append)
    codec = Codec(kind.name, tmp_path)
    picture = drawing(30)
    decoded = codec.decoder().decode(codec.encode(picture))
    assert decoded.issues == ()
    assert np.square(decoded.picture.astype(float) - picture).mean() < 0.2 * picture.astype(float).var()


def test_refining_leaves_streams_as_they_are(tmp_path: Path) -> None:
    photos, said = [drawing(seed) for seed in range(12)], list[str]()
    recipe = replace(RECIPES["refine"], batch=2, crop=96)
    run = CodecTrainer(recipe, photos[:8], photos[8:], said.append)
    shipped = load_codec("pnc-v2")
    assert run.passes.order == [(channel, plane) for channel, plane in shipped.coder.order.tolist()]
    loop.run(run, 0.02, tmp_path / "checkpoint.pt", {}, said.append)
    assert run.steps > 0
    assert said[-1].startswith("held out: 700B ")
    resumed = checkpoint.load(tmp_path / "checkpoint.pt", "refine")
    assert CodecTrainer(recipe, photos[:8], photos[8:], said.append, resumed).passes.order == run.passes.order
    kind = kind_of("pnc-v2")
    write_codec(run.average, load_arrays(kind), kind, tmp_path, photos[:8])
    codec, picture = Codec(kind.name, tmp_path), drawing(30)
    assert codec.encode(picture) == shipped.encode(picture)
    errors = [
        np.square(each.decoder(threads=1).decode(shipped.encode(picture)).picture.astype(float) - picture).mean()
        for each in (shipped, codec)
    ]
    assert errors[1] < 1.3 * errors[0]


def test_a_command_that_is_stopped_resumes_and_writes_weights_that_encode_and_decode(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    photos, out = tmp_path / "photos", tmp_path / "out"
    photos.mkdir()
    for seed in range(3):
        Image.fromarray(drawing(seed)).save(photos / f"{seed}.png")
    # Without choosing a pass order, which takes long: the other test does.
    monkeypatch.setitem(RECIPES, "default", replace(SMALL, order_at=2.0))
    base = ["--data", str(photos), "--out", str(out)]

    def stopped_after_a_step(trainer: CodecTrainer, crops: torch.Tensor, progress: float) -> dict[str, float]:
        os.kill(os.getpid(), signal.SIGINT)
        return whole_step(trainer, crops, progress)

    whole_step = CodecTrainer.step
    with monkeypatch.context() as patch:
        patch.setattr(CodecTrainer, "step", stopped_after_a_step)
        options = command.parser().parse_args([*base, "--minutes", "100"])
        assert run_command(command.NAME, lambda: command.train(options)) == 130
    said = capsys.readouterr().err
    assert said == f"train: stopped; {out / 'checkpoint.pt'} is saved: continue with --resume\n"
    first = checkpoint.load(out / "checkpoint.pt", "default")
    more = str(first["elapsed_s"] / 60 + 0.02)
    assert command.train(command.parser().parse_args([*base, "--minutes", more, "--resume"])) == 0
    second = checkpoint.load(out / "checkpoint.pt", "default")
    assert second["facts"] == first["facts"]
    assert first["facts"]["photos"] == load_photos(photos)[1].identity
    assert 1 == first["steps"] < second["steps"]
    said = capsys.readouterr().out
    assert f"continuing at {first['elapsed_s'] / 60:.1f} minutes, step {first['steps']}" in said
    trained = Codec("pnc-v2", out)
    packets = trained.encode(drawing(9))
    assert trained.decoder().decode(packets).used == len(packets)
    assert sorted(p.name for p in out.iterdir()) == ["checkpoint.pt", "pnc-v2.npz", "pnc-v2.onnx"]
