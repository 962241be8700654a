"""A training of the plane codec's decoder: each stream is cut at random, its picture is judged."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from . import checkpoint, learner
from .crops import DevicePhotos, random_batch
from .teachers import JUDGES, Judge
from .passes import Cuts, draw_sizes, first_order
from .export import encoder_arrays
from .model import PlaneModel, fit_linear, parameter_groups, set_spreads
from .order import best_order
from .perceptual import judged
from .recipe import PlaneRecipe
from .sizes import piece_sizes
from .validation import HeldOut, validate

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

    validate_s = 420.0

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
        self.order_at = recipe.order_at
        self.steps, self.elapsed_s, self.ordered = 0, 0.0, False
        if state is None:
            order = first_order(self.model.set_tops(self.model.analysis(self.held.pixels)))
            say("what the pieces cost")
            sizes = piece_sizes(encoder_arrays(self.model), order, photos, recipe.seed, say)
            self.use(Cuts(order, sizes))
            set_spreads(self.model, self.crops(self.rng).to(self.device).float())
            fit_linear(self.model, self.some_cuts())
        self.average = copy.deepcopy(self.model)
        self.adam = torch.optim.Adam(parameter_groups(self.model, recipe), betas=(0.9, 0.99))
        if state is not None:
            learner.take(self, state)
            with checkpoint.taking():
                order = [(int(c), int(p)) for c, p in state["order"].tolist()]
                self.use(Cuts(order, dict(zip(order, state["sizes"].tolist(), strict=True))))
            self.rng = np.random.default_rng([recipe.seed, self.steps])

    def state(self) -> dict[str, Any]:
        return learner.state_of(self) | {
            "order": torch.tensor(self.cuts.order),
            "sizes": torch.tensor([self.cuts.sizes[piece] for piece in self.cuts.order], dtype=torch.float64),
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

    def crops(self, rng: np.random.Generator, _progress: float = 0.0) -> Tensor:
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
        learner.follow(self, r.ema)
        return figures

    def reorder(self, say: Callable[[str], None]) -> str:
        """Choose the order of the pieces anew, and go on with it."""
        order, why = best_order(self.average, self.held, self.recipe, self.cuts.sizes)
        # What a piece costs depends on what is known before it.
        sizes = piece_sizes(encoder_arrays(self.model), order, self.photos, self.recipe.seed, say)
        self.use(Cuts(order, sizes))
        self.ordered = True
        return why

    def validate(self) -> str:
        """One line on the photos that are held out."""
        return validate(self.average, self.held, self.cuts)
