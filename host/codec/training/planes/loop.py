"""The training loop of the plane codec: each stream is cut at random, its bytes and its picture are judged."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from host.codec.planes.layout import GRID
from host.codec.training import checkpoint
from host.codec.training.crops import DevicePhotos, random_batch
from host.codec.training.judges import JUDGES, Judge
from host.codec.training.loop import judged
from host.codec.training.planes.cuts import Cuts, first_order
from host.codec.training.planes.model import PlaneModel, parameter_groups, start
from host.codec.training.planes.order import best_order
from host.codec.training.planes.recipe import PlaneRecipe
from host.codec.training.planes.validation import HeldOut, measure_bytes, validate

CHECKPOINT_S = 150.0
VALIDATE_S = 600.0
#: Steps between two looks at the bytes of each prefix.
MEASURE_STEPS = 150
REPORT_STEPS = 100
#: Which judge each step asks, in turn.
TURNS = (0, 0, 1)
#: Sides of the pictures that judges are shown.
SHOWN = (176, 192, 208, 224)


class PlaneTrainer:
    """State of a run: everything a checkpoint holds, and one step at a time."""

    def __init__(self, recipe: PlaneRecipe, photos: Sequence[np.ndarray], held_out: Sequence[np.ndarray]) -> None:
        self.recipe, self.photos = recipe, photos
        torch.manual_seed(recipe.seed)
        self.rng = np.random.default_rng(recipe.seed)
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        on_gpu = self.device.type == "cuda"
        self.on_device = DevicePhotos(photos, self.device) if on_gpu else None
        self.batch = recipe.gpu_batch if on_gpu else recipe.batch
        self.model = PlaneModel()
        start(self.model, random_batch(photos, 64, recipe.crop, self.rng))
        self.model.synthesis.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.model.to(self.device)
        self.average = copy.deepcopy(self.model)
        self.adam = torch.optim.Adam(parameter_groups(self.model, recipe))
        self.judges = [Judge(name).to(self.device) for name in JUDGES]
        self.held = HeldOut(held_out, self.judges, self.device)
        top = self.model.set_tops(self.model.analysis(self.held.pixels))
        self.average.embedded.top.copy_(self.model.embedded.top)
        self.cuts = Cuts(first_order(top))
        measure_bytes(self.model, self.held, self.cuts)
        #: How often the order of the pieces was chosen.
        self.steps, self.elapsed_s, self.ordered = 0, 0.0, 0

    def state(self) -> dict[str, Any]:
        return {
            "recipe": self.recipe.name,
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "adam": self.adam.state_dict(),
            "order": torch.tensor(self.cuts.order),
            "steps": self.steps,
            "elapsed_s": self.elapsed_s,
            "ordered": self.ordered,
        }

    def resume(self, state: dict[str, Any]) -> None:
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        self.adam.load_state_dict(state["adam"])
        self.cuts = Cuts([(int(c), int(p)) for c, p in state["order"].tolist()])
        self.ordered = state["ordered"]
        self.steps, self.elapsed_s = state["steps"], state["elapsed_s"]
        self.rng = np.random.default_rng([self.recipe.seed, self.steps])
        measure_bytes(self.model, self.held, self.cuts)

    def crops(self, rng: np.random.Generator) -> Tensor:
        """The next batch, uint8 [n, 3, s, s]."""
        if self.on_device:
            return self.on_device.random_batch(self.batch, self.recipe.crop, rng)
        return torch.from_numpy(random_batch(self.photos, self.batch, self.recipe.crop, rng))

    def set_rates(self, progress: float) -> None:
        warm = min(1.0, self.steps / 150)
        fall = 0.5 * (1 + math.cos(math.pi * max(0.0, progress - 0.4) / 0.6))
        for group in self.adam.param_groups:
            still = group["still"] and progress < self.recipe.distil_at
            group["lr"] = 0.0 if still else group["base"] * warm * (0.02 + 0.98 * fall)

    def shown(self, picture: Tensor, decoded: Tensor) -> tuple[Tensor, Tensor]:
        """Both as a judge sees them: the same random part, size and flip."""
        side = picture.shape[-1]
        part = int(self.rng.integers(round(side * 0.85), side + 1))
        top, left = (int(v) for v in self.rng.integers(0, side - part + 1, 2))
        size = int(self.rng.choice(SHOWN))
        flip = self.rng.random() < 0.5

        def see(x: Tensor) -> Tensor:
            cut = x[:, :, top : top + part, left : left + part]
            seen = F.interpolate(cut, (size, size), mode="bilinear") if part != size else cut
            return seen.flip(3) if flip else seen

        return see(picture), see(decoded)

    def step(self, crops: Tensor, progress: float) -> dict[str, float]:
        """One step on uint8 [n, 3, s, s]; returns figures to report."""
        r = self.recipe
        pixels = crops.to(self.device).float()
        y = self.model.analysis(pixels)
        side = y.shape[-1]
        places, sizes = self.cuts.draw(self.rng, len(crops), r.fewest_bytes, r.most_bytes)
        level = torch.from_numpy(self.cuts.levels(places, side)).to(self.device)
        value, known = self.model.embedded(y, level)
        with torch.autocast(self.device.type, torch.bfloat16):
            decoded = self.model.decode(value, level)
        picture = (pixels - 127) / 128
        bits = self.model.bits(y, value, known, level).sum((1, 2, 3)) * (GRID / side) ** 2
        climb = np.clip(np.log(sizes / r.fewest_bytes) / np.log(r.most_bytes / r.fewest_bytes), 0, 1)
        pixel_weight = r.mse_weight * (r.top_mse_weight / r.mse_weight) ** climb
        mse = (decoded - picture).pow(2).mean((1, 2, 3))
        loss = (torch.from_numpy(pixel_weight).to(mse) * mse).mean()
        distilling = progress >= r.distil_at
        # Where few bytes are paid for, each is worth more.
        dear = torch.from_numpy(r.most_bytes / sizes).to(bits)
        loss = loss + r.price * (dear * bits).mean()
        ratio = float((bits.detach().cpu().numpy() / 8 / sizes).mean())
        figures = {"mse": float(mse.detach().mean()), "ratio": ratio}
        if progress >= r.distil_at:
            judge = self.judges[TURNS[self.steps % len(TURNS)]]
            pull, more = judged(judge, *self.shown(picture, decoded), r)
            loss = loss + pull
            figures |= more
        self.adam.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.synthesis.parameters(), 2.0)
        torch.nn.utils.clip_grad_norm_(self.model.analysis.parameters(), 2.0)
        self.set_rates(progress)
        self.adam.step()
        self.model.analysis.keep_norms()
        self.steps += 1
        with torch.no_grad():
            keep = min(r.ema, self.steps / (self.steps + 20))
            for mean, now in zip(self.average.parameters(), self.model.parameters(), strict=True):
                mean.lerp_(now, 1 - keep)
        if self.steps % MEASURE_STEPS == 0:
            measure_bytes(self.model, self.held, self.cuts)
        return figures

    def reorder(self) -> str:
        """Choose the order of the pieces anew, and go on with it."""
        order, why = best_order(self.average, self.held, self.recipe)
        self.cuts = Cuts(order)
        self.model.embedded.top.copy_(self.average.embedded.top)
        measure_bytes(self.model, self.held, self.cuts)
        self.ordered += 1
        return why


def train_planes(trainer: PlaneTrainer, minutes: float, path: Path, say: Callable[[str], None]) -> None:
    """Run until ``minutes`` of training in all; checkpoints go to ``path``."""
    r, total = trainer.recipe, minutes * 60
    last_saved = last_validated = trainer.elapsed_s
    sums: dict[str, list[float]] = {}
    before = time.monotonic()
    with ThreadPoolExecutor(1) as pool:

        def crops() -> Tensor:
            return trainer.crops(trainer.rng.spawn(1)[0])

        ahead = pool.submit(crops)
        while trainer.elapsed_s < total:
            progress = trainer.elapsed_s / total
            if progress >= (*r.order_at, math.inf)[trainer.ordered]:
                say(f"order of the pieces: {trainer.reorder()}")
            batch, ahead = ahead.result(), pool.submit(crops)
            for key, value in trainer.step(batch, progress).items():
                sums.setdefault(key, []).append(value)
            now = time.monotonic()
            trainer.elapsed_s += now - before
            before = now
            if trainer.steps % REPORT_STEPS == 0:
                means = "  ".join(f"{k} {sum(v) / len(v):.4g}" for k, v in sums.items())
                say(
                    f"{trainer.elapsed_s / 60:5.1f} of {minutes:g} min  step {trainer.steps}  {means}  "
                    f"all {trainer.cuts.bytes[-1]:.0f} B"
                )
                sums.clear()
            if trainer.elapsed_s - last_validated > VALIDATE_S:
                say(validate(trainer.average, trainer.held, trainer.cuts))
                last_validated = trainer.elapsed_s
            if trainer.elapsed_s - last_saved > CHECKPOINT_S:
                checkpoint.save(trainer.state(), path)
                last_saved = trainer.elapsed_s
    checkpoint.save(trainer.state(), path)
    say(validate(trainer.average, trainer.held, trainer.cuts))
