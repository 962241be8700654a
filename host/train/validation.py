"""Validation on held-out photos: accuracy at a few sizes, and the loss that chooses the pass order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from .model import CodecModel
from .passes import PassOrder
from .perceptual import answer_distance, feature_distance
from .photos import whole
from .precision import reduced
from .recipe import CodecRecipe
from .teachers import Teacher

BATCH = 32
#: Mean bytes at which accuracy is reported.
BUDGETS = (700, 1000, 1500, 2000, 3000, 5000)


def pixels_of(photos: Sequence[np.ndarray]) -> Tensor:
    """Return photos squashed to the codec's size as pixels 0..255, [n, 3, 224, 224]."""
    return torch.from_numpy(np.stack([whole(p) for p in photos]).transpose(0, 3, 1, 2).copy()).float()


class HeldOut:
    """Held-out photos with the teachers' features and answers for the originals."""

    def __init__(self, photos: Sequence[np.ndarray], teachers: Sequence[Teacher], device: torch.device) -> None:
        self.pixels = pixels_of(photos).to(device)
        self.teachers = teachers
        self.pictures = (self.pixels - 127) / 128
        self.wanted = [self._outputs(teacher, self.pictures) for teacher in teachers]

    @torch.no_grad()
    def _outputs(self, teacher: Teacher, pictures: Tensor) -> tuple[list[Tensor], Tensor]:
        with reduced(pictures.device):
            parts = [teacher(p.clamp(-127 / 128, 1)) for p in torch.split(pictures, BATCH)]
        return [torch.cat(f) for f in zip(*(p[0] for p in parts), strict=True)], torch.cat([p[1] for p in parts])

    @torch.no_grad()
    def decoded(self, model: CodecModel, y: Tensor, missing: Tensor) -> Tensor:
        """Decode y [n, C, k, k] with missing planes that broadcast to it."""
        parts = []
        for part, at in zip(torch.split(y, BATCH), torch.split(missing.expand_as(y), BATCH), strict=True):
            with reduced(y.device):
                parts.append(model.decode(part, at))
        return torch.cat(parts)

    @torch.no_grad()
    def top5(self, out: Tensor, teacher: int) -> float:
        """Return how often a teacher's first class for the original is among its first five for the decoded photo."""
        answer = self._outputs(self.teachers[teacher], out)[1]
        best = self.wanted[teacher][1].argmax(1, keepdim=True)
        return float((answer.topk(5, dim=1).indices == best).any(1).float().mean())

    @torch.no_grad()
    def loss(self, model: CodecModel, y: Tensor, missing: Tensor, recipe: CodecRecipe, which: slice) -> float:
        """Return the training loss by the first teacher on the photos ``which``, whose y is given."""
        out = self.decoded(model, y, missing)
        features, answer = self._outputs(self.teachers[0], out)
        wanted_features, wanted = self.wanted[0]
        moved = feature_distance([w[which] for w in wanted_features], features).mean()
        mse = (out - self.pictures[which]).pow(2).mean()
        loss = recipe.feature_weight * moved + recipe.mse_weight * mse
        return float(loss + recipe.answer_weight * answer_distance(wanted[which], answer).mean())


def on_grid(missing: np.ndarray, like: Tensor) -> Tensor:
    """Broadcast missing planes by channel, [C], to [1, C, k, k]."""
    return torch.from_numpy(missing).to(like).view(1, -1, 1, 1).expand(1, -1, *like.shape[2:])


@torch.no_grad()
def validate(model: CodecModel, held: HeldOut, passes: PassOrder) -> str:
    """Return a line with size, PSNR and each teacher's top-5 agreement at the budgets (mean bytes)."""
    y = model.analysis(held.pixels)
    rows = []
    for budget in BUDGETS:
        missing = torch.from_numpy(passes.missing_planes(passes.end_at(budget), y.shape[-1])).to(y)
        out = held.decoded(model, y, missing)
        psnr = 10 * torch.log10((255 / 128) ** 2 / (out.clamp(-127 / 128, 1) - held.pictures).pow(2).mean((1, 2, 3)))
        kept = "/".join(f"{held.top5(out, j):.3f}" for j in range(len(held.teachers)))
        rows.append(f"{budget}B {float(psnr.mean()):.1f}dB {kept}")
    return f"held out: {' | '.join(rows)} | all {passes.bytes[-1]:.0f}B"
