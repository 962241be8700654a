"""Training of the codec's decoder: on streams truncated at random, by squared error and perceptual loss."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ..codec.layout import CELL, SIDE
from ..codec.weights import kind_of, load_arrays
from . import checkpoint, learner
from .crops import DevicePhotos, random_batch
from .export import encoder_arrays
from .model import CodecModel, fit_linear, parameter_groups, set_spreads
from .order import best_order
from .passes import PassOrder, draw_sizes, plane_by_plane
from .perceptual import perceptual_loss
from .precision import fast_type, reduced
from .recipe import CodecRecipe
from .shipped import load_decoder, shipped_order
from .sizes import pass_sizes, sizes_with
from .teachers import Teacher
from .validation import HeldOut, validate

#: Steps of the learning rates' warm-up.
WARM_STEPS = 150
#: Batches on which the linear path is initialized.
LINEAR_BATCHES = 24
#: Sides of the pictures that teachers see.
TEACHER_SIDES = (176, 192, 208, SIDE)
#: Number of shaken pass orders. Two of three streams are truncated in one of these, so that the decoder does not
#: depend on an order before one is chosen.
SHAKEN = 32


class CodecTrainer:
    """A run: the state that a checkpoint holds, and one training step at a time."""

    validate_s = 420.0

    def __init__(
        self,
        recipe: CodecRecipe,
        photos: Sequence[np.ndarray],
        held_out: Sequence[np.ndarray],
        say: Callable[[str], None],
        state: dict[str, Any] | None = None,
    ) -> None:
        """Begin a run, or continue one from the result of ``state()``. Raises TrainingError if that does not fit."""
        self.recipe, self.photos = recipe, photos
        torch.manual_seed(recipe.seed)
        self.rng = np.random.default_rng(recipe.seed)
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        on_gpu = self.device.type == "cuda"
        self.on_device = DevicePhotos(photos, self.device) if on_gpu else None
        self.batch = recipe.gpu_batch if on_gpu else recipe.batch
        self.model = CodecModel()
        self.model.synthesis.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.model.to(self.device)
        self.teachers = [Teacher(name, fast_type(self.device)).to(self.device) for name in recipe.teachers]
        self.held = HeldOut(held_out, self.teachers, self.device)
        self.order_at = recipe.order_at
        self.steps, self.elapsed_s, self.ordered = 0, 0.0, False
        if state is None and recipe.shipped:
            arrays = load_arrays(kind_of(recipe.codec))
            load_decoder(self.model, kind_of(recipe.codec))
            self.use(PassOrder(shipped_order(arrays), sizes_with(arrays, photos)))
        elif state is None:
            order = plane_by_plane(self.model.set_tops(self.model.analysis(self.held.pixels)))
            say("measuring the sizes of the coding passes")
            sizes = pass_sizes(encoder_arrays(self.model), order, photos, recipe.seed, say)
            self.use(PassOrder(order, sizes))
            set_spreads(self.model, self.crops(self.rng).to(self.device).float())
            fit_linear(self.model, self.linear_batches())
        self.average = copy.deepcopy(self.model)
        self.adam = torch.optim.Adam(parameter_groups(self.model, recipe), betas=(0.9, 0.99))
        if state is not None:
            learner.load_state(self, state)
            with checkpoint.restoring():
                order = [(int(c), int(p)) for c, p in state["order"].tolist()]
                self.use(PassOrder(order, dict(zip(order, state["sizes"].tolist(), strict=True))))
            self.rng = np.random.default_rng([recipe.seed, self.steps])

    def state(self) -> dict[str, Any]:
        """Return the content of a checkpoint."""
        return learner.state_dict(self) | {
            "order": torch.tensor(self.passes.order),
            "sizes": torch.tensor(
                [self.passes.sizes[coding_pass] for coding_pass in self.passes.order], dtype=torch.float64
            ),
        }

    def use(self, passes: PassOrder) -> None:
        """Truncate streams in this order and in shaken ones from now on."""
        self.passes = passes
        shaken = [passes.shaken(self.recipe.shake, self.rng) for _ in range(SHAKEN)]
        self.choice = [passes] * (SHAKEN // 2) + shaken

    def truncated(self, count: int, side: int) -> tuple[Tensor, np.ndarray]:
        """Return missing planes [count, C, side, side] of streams truncated at random, and their bytes [count]."""
        r = self.recipe
        sizes = np.minimum(draw_sizes(self.rng, count, r.fewest_bytes, r.most_bytes), self.passes.bytes[-1])
        rows = []
        for size in sizes:
            passes = self.choice[self.rng.integers(len(self.choice))]
            rows.append(passes.missing_planes(passes.end_at(size), side))
        return torch.from_numpy(np.concatenate(rows)).to(self.device), sizes

    def linear_batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield batches of crops, 0..255, with missing planes."""
        for _ in range(LINEAR_BATCHES):
            pixels = self.crops(self.rng).to(self.device).float()
            yield pixels, self.truncated(len(pixels), pixels.shape[-1] // CELL)[0]

    def crops(self, rng: np.random.Generator, _progress: float = 0.0) -> Tensor:
        """Return the next batch, uint8 [n, 3, s, s]."""
        if self.on_device:
            return self.on_device.random_batch(self.batch, self.recipe.crop, rng)
        return torch.from_numpy(random_batch(self.photos, self.batch, self.recipe.crop, rng))

    def set_rates(self, progress: float) -> None:
        """Set the learning rates: a linear fall before the perceptual loss, then a plateau and half a cosine."""
        start = self.recipe.perceptual_at
        if progress < start:
            fall = 1 - 0.6 * progress / start
        else:
            done = (progress - start) / (1 - start)
            fall = 0.02 + 0.49 * (1 + math.cos(math.pi * max(0.0, done - 0.25) / 0.75))
        for group in self.adam.param_groups:
            group["lr"] = group["base"] * fall * min(1.0, self.steps / WARM_STEPS)

    def augmented(self, picture: Tensor, decoded: Tensor) -> tuple[Tensor, Tensor]:
        """Apply the same random crop, size and flip to both."""
        side = picture.shape[-1]
        part = int(self.rng.integers(round(side * 0.85), side + 1))
        top, left = (int(v) for v in self.rng.integers(0, side - part + 1, 2))
        size = int(self.rng.choice(TEACHER_SIDES))
        flip = self.rng.random() < 0.5

        def augment(x: Tensor) -> Tensor:
            cut = x[:, :, top : top + part, left : left + part]
            resized = F.interpolate(cut, (size, size), mode="bilinear") if part != size else cut
            return resized.flip(3) if flip else resized

        return augment(picture), augment(decoded)

    def step(self, crops: Tensor, progress: float) -> dict[str, float]:
        """Train one step on crops uint8 [n, 3, s, s]; return figures to report."""
        r = self.recipe
        pixels = crops.to(self.device).float()
        y = self.model.analysis(pixels)
        missing, sizes = self.truncated(len(crops), y.shape[-1])
        with reduced(self.device):
            decoded = self.model.decode(y, missing)
        picture = (pixels - 127) / 128
        climb = np.clip(np.log(sizes / r.fewest_bytes) / np.log(r.most_bytes / r.fewest_bytes), 0, 1)
        pixel_weight = torch.from_numpy(r.mse_weight * (r.top_mse_weight / r.mse_weight) ** climb)
        mse = (decoded - picture).pow(2).mean((1, 2, 3))
        loss = (pixel_weight.to(mse) * mse).mean()
        figures = {"mse": float(mse.detach().mean())}
        if progress >= r.perceptual_at:
            teacher = self.teachers[r.turns[self.steps % len(r.turns)]]
            perceptual, more = perceptual_loss(teacher, *self.augmented(picture, decoded), r)
            loss = loss + perceptual
            figures |= more
        self.adam.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.model.synthesis.parameters(), 5.0)
        self.set_rates(progress)
        self.adam.step()
        self.steps += 1
        learner.ema_update(self, r.ema)
        return figures

    def reorder(self, say: Callable[[str], None]) -> str:
        """Choose the pass order and use it from now on; return the measured losses."""
        order, why = best_order(self.average, self.held, self.recipe, self.passes.sizes)
        # The size of a pass depends on the passes before it.
        sizes = pass_sizes(encoder_arrays(self.model), order, self.photos, self.recipe.seed, say)
        self.use(PassOrder(order, sizes))
        self.ordered = True
        return why

    def validate(self) -> str:
        """Return a line with the results on held-out photos."""
        return validate(self.average, self.held, self.passes)
