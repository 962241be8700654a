"""A run of pnc-v2's training: it starts, is left, is taken up, chooses an order, and what it exports decodes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs the extra pnc-link[train]")
pytest.importorskip("efficientnet_lite_pytorch", reason="training needs the extra pnc-link[train]")

from host.codec import Codec  # noqa: E402
from host.codec.weights import kind_of  # noqa: E402
from host.train import checkpoint, loop  # noqa: E402
from host.train.photos import TrainingError  # noqa: E402
from host.train.planes import order, sizes, tables, trainer  # noqa: E402
from host.train.planes.export import export_planes  # noqa: E402
from host.train.planes.trainer import PlaneTrainer  # noqa: E402
from host.train.recipe import RECIPES  # noqa: E402
from tests.codec.conftest import drawing  # noqa: E402

SMALL = replace(RECIPES["default"], batch=2, crop=96)


@pytest.fixture(autouse=True)
def in_haste(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sizes, "PHOTOS", 6)
    monkeypatch.setattr(sizes, "STEPS", 3)
    monkeypatch.setattr(tables, "SYMBOLS", 400)
    monkeypatch.setattr(trainer, "LINEAR_BATCHES", 2)
    # Few pieces are worth measuring, on few pictures.
    monkeypatch.setattr(order, "SMALL_BYTES", 60.0)
    monkeypatch.setattr(order, "PHOTOS", 2)


def test_a_run_from_start_to_a_codec_that_decodes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "STEPS", 3)
    photos, said = [drawing(seed) for seed in range(12)], list[str]()
    trainer = PlaneTrainer(SMALL, photos[:8], photos[8:], said.append)
    first = trainer.step(trainer.crops(trainer.rng), 0.0)
    assert set(first) == {"mse"}
    assert set(trainer.step(trainer.crops(trainer.rng), 0.5)) == {"mse", "features", "answer"}
    assert "plane by plane" in trainer.reorder(said.append)
    checkpoint.save(trainer.state(), tmp_path / "checkpoint.pt")
    again = PlaneTrainer(
        SMALL, photos[:8], photos[8:], said.append, checkpoint.load(tmp_path / "checkpoint.pt", "default")
    )
    assert (again.steps, again.ordered, again.cuts.order) == (2, True, trainer.cuts.order)
    assert np.array_equal(again.cuts.bytes, trainer.cuts.bytes)
    for now, before in zip(again.average.parameters(), trainer.average.parameters(), strict=True):
        assert torch.equal(now, before)
    whole = trainer.state()
    for damage in ({"model": {}}, {"order": whole["order"][:-1]}, {"average": None}, {"steps": ...}):
        broken = {key: value for key, value in {**whole, **damage}.items() if value is not ...}
        with pytest.raises(TrainingError, match=r"^the checkpoint is not one of this recipe, or not whole \([^\n]+$"):
            PlaneTrainer(SMALL, photos[:8], photos[8:], said.append, broken)
    assert again.step(again.crops(again.rng), 0.5)["features"] > 0
    loop.run(again, 0.01, tmp_path / "checkpoint.pt", {}, said.append)
    assert again.steps > 3
    assert checkpoint.load(tmp_path / "checkpoint.pt", "default")["steps"] == again.steps
    assert said[-1].startswith("held out: 700B ")
    kind = kind_of("pnc-v2")
    export_planes(again.average, again.cuts.order, photos[:8], kind, SMALL.seed, tmp_path, said.append)
    codec = Codec(kind.name, tmp_path)
    picture = drawing(30)
    decoded = codec.decoder().decode(codec.encode(picture))
    assert decoded.faults == ()
    assert np.square(decoded.picture.astype(float) - picture).mean() < 0.2 * picture.astype(float).var()
