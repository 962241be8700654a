"""The training loop of the plane codec's decoder: each stream is cut at random, its picture is judged."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from host.codec.training import checkpoint
from host.codec.training.crops import DevicePhotos, random_batch
from host.codec.training.judges import JUDGES, Judge
from host.codec.training.loop import judged
from host.codec.training.planes.cuts import Cuts, draw_sizes, first_order
from host.codec.training.planes.export import encoder_arrays
from host.codec.training.planes.model import PlaneModel, fit_linear, parameter_groups, set_spreads
from host.codec.training.planes.order import best_order
from host.codec.training.planes.recipe import PlaneRecipe
from host.codec.training.planes.sizes import piece_sizes
from host.codec.training.planes.validation import HeldOut, validate
from host.codec.weights import kind_of

CHECKPOINT_S = 150.0
VALIDATE_S = 420.0
REPORT_STEPS = 100
#: Steps in which the learning rates rise, at the start.
WARM_STEPS = 150
#: Batches from which the linear path starts.
LINEAR_BATCHES = 24
#: Which judge each step asks, in turn.
TURNS = (0, 0, 1)
#: Sides of the pictures that judges are shown.
SHOWN = (176, 192, 208, 224)
#: Orders that are close to the one in use: of three streams two are cut in one of these, so that the decoder learns no
#: order by heart before it is chosen.
SHAKEN = 32


class PlaneTrainer:
    """State of a run: everything a checkpoint holds, and one step at a time."""

    def __init__(
        self,
        recipe: PlaneRecipe,
        photos: Sequence[np.ndarray],
        held_out: Sequence[np.ndarray],
        say: Callable[[str], None],
        state: dict[str, Any] | None = None,
    ) -> None:
        """Starts afresh, or from what ``state()`` gave. Raises TrainingError when that does not fit."""
        self.recipe, self.photos = recipe, photos
        torch.manual_seed(recipe.seed)
        self.rng = np.random.default_rng(recipe.seed)
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        on_gpu = self.device.type == "cuda"
        self.on_device = DevicePhotos(photos, self.device) if on_gpu else None
        self.batch = recipe.gpu_batch if on_gpu else recipe.batch
        self.model = PlaneModel()
        self.model.synthesis.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.model.to(self.device)
        self.judges = [Judge(name).to(self.device) for name in JUDGES]
        self.held = HeldOut(held_out, self.judges, self.device)
        self.steps, self.elapsed_s, self.ordered = 0, 0.0, False
        if state is None:
            order = first_order(self.model.set_tops(self.model.analysis(self.held.pixels)))
            say("what the pieces cost")
            sizes = piece_sizes(encoder_arrays(self.model), order, photos, recipe.seed, say)
            self.use(Cuts(order, sizes))
            set_spreads(self.model, self.crops(self.rng).to(self.device).float())
            fit_linear(self.model, self.some_cuts())
        else:
            with checkpoint.taking():
                self.model.load_state_dict(state["model"])
                order = [(int(c), int(p)) for c, p in state["order"].tolist()]
                self.use(Cuts(order, dict(zip(order, state["sizes"].tolist(), strict=True))))
        self.average = copy.deepcopy(self.model)
        self.adam = torch.optim.Adam(parameter_groups(self.model, recipe), betas=(0.9, 0.99))
        if state is not None:
            with checkpoint.taking():
                self.average.load_state_dict(state["average"])
                self.adam.load_state_dict(state["adam"])
                self.steps, self.elapsed_s, self.ordered = state["steps"], state["elapsed_s"], state["ordered"]
            self.rng = np.random.default_rng([recipe.seed, self.steps])

    def state(self) -> dict[str, Any]:
        return {
            "recipe": self.recipe.name,
            "version": kind_of(self.recipe.codec).version,
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "adam": self.adam.state_dict(),
            "order": torch.tensor(self.cuts.order),
            "sizes": torch.tensor([self.cuts.sizes[piece] for piece in self.cuts.order], dtype=torch.float64),
            "steps": self.steps,
            "elapsed_s": self.elapsed_s,
            "ordered": self.ordered,
        }

    def use(self, cuts: Cuts) -> None:
        """Cut in that order from now on, and in those around it."""
        self.cuts = cuts
        around = [cuts.shaken(self.recipe.shake, self.rng) for _ in range(SHAKEN)]
        self.choice = [cuts] * (SHAKEN // 2) + around

    def cut(self, count: int, side: int) -> tuple[Tensor, np.ndarray]:
        """Levels [count, C, side, side] of streams cut at random, and their bytes [count]."""
        r = self.recipe
        sizes = np.minimum(draw_sizes(self.rng, count, r.fewest_bytes, r.most_bytes), self.cuts.bytes[-1])
        rows = []
        for size in sizes:
            cuts = self.choice[self.rng.integers(len(self.choice))]
            rows.append(cuts.levels(cuts.place(size), side))
        return torch.from_numpy(np.concatenate(rows)).to(self.device), sizes

    def some_cuts(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Batches of crops, 0..255, with levels."""
        for _ in range(LINEAR_BATCHES):
            pixels = self.crops(self.rng).to(self.device).float()
            yield pixels, self.cut(len(pixels), pixels.shape[-1] // 8)[0]

    def crops(self, rng: np.random.Generator) -> Tensor:
        """The next batch, uint8 [n, 3, s, s]."""
        if self.on_device:
            return self.on_device.random_batch(self.batch, self.recipe.crop, rng)
        return torch.from_numpy(random_batch(self.photos, self.batch, self.recipe.crop, rng))

    def set_rates(self, progress: float) -> None:
        """A plain fall while squared errors teach, then half a cosine after a quarter of the time that is left."""
        judged_at = self.recipe.judged_at
        if progress < judged_at:
            fall = 1 - 0.6 * progress / judged_at
        else:
            done = (progress - judged_at) / (1 - judged_at)
            fall = 0.02 + 0.49 * (1 + math.cos(math.pi * max(0.0, done - 0.25) / 0.75))
        for group in self.adam.param_groups:
            group["lr"] = group["base"] * fall * min(1.0, self.steps / WARM_STEPS)

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
        level, sizes = self.cut(len(crops), y.shape[-1])
        with torch.autocast(self.device.type, torch.bfloat16):
            decoded = self.model.decode(y, level)
        picture = (pixels - 127) / 128
        climb = np.clip(np.log(sizes / r.fewest_bytes) / np.log(r.most_bytes / r.fewest_bytes), 0, 1)
        pixel_weight = torch.from_numpy(r.mse_weight * (r.top_mse_weight / r.mse_weight) ** climb)
        mse = (decoded - picture).pow(2).mean((1, 2, 3))
        loss = (pixel_weight.to(mse) * mse).mean()
        figures = {"mse": float(mse.detach().mean())}
        if progress >= r.judged_at:
            judge = self.judges[TURNS[self.steps % len(TURNS)]]
            pull, more = judged(judge, *self.shown(picture, decoded), r)
            loss = loss + pull
            figures |= more
        self.adam.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.model.synthesis.parameters(), 5.0)
        self.set_rates(progress)
        self.adam.step()
        self.steps += 1
        with torch.no_grad():
            keep = min(r.ema, self.steps / (self.steps + 20))
            for mean, now in zip(self.average.parameters(), self.model.parameters(), strict=True):
                mean.lerp_(now, 1 - keep)
        return figures

    def reorder(self, say: Callable[[str], None]) -> str:
        """Choose the order of the pieces anew, and go on with it."""
        order, why = best_order(self.average, self.held, self.recipe, self.cuts.sizes)
        # What a piece costs depends on what is known before it.
        sizes = piece_sizes(encoder_arrays(self.model), order, self.photos, self.recipe.seed, say)
        self.use(Cuts(order, sizes))
        self.ordered = True
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
            if not trainer.ordered and progress >= r.order_at:
                say(f"order of the pieces: {trainer.reorder(say)}")
            batch, ahead = ahead.result(), pool.submit(crops)
            for key, value in trainer.step(batch, progress).items():
                sums.setdefault(key, []).append(value)
            now = time.monotonic()
            trainer.elapsed_s += now - before
            before = now
            if trainer.steps % REPORT_STEPS == 0:
                means = "  ".join(f"{k} {sum(v) / len(v):.4g}" for k, v in sums.items())
                say(f"{trainer.elapsed_s / 60:5.1f} of {minutes:g} min  step {trainer.steps}  {means}")
                sums.clear()
            if trainer.elapsed_s - last_validated > VALIDATE_S:
                say(validate(trainer.average, trainer.held, trainer.cuts))
                last_validated = trainer.elapsed_s
            if trainer.elapsed_s - last_saved > CHECKPOINT_S:
                checkpoint.save(trainer.state(), path)
                last_saved = trainer.elapsed_s
    checkpoint.save(trainer.state(), path)
    say(validate(trainer.average, trainer.held, trainer.cuts))
