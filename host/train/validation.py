"""What held-out photos say during training: bytes of each prefix, accuracy at a few, and the order they suggest."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from .teachers import Judge
from .passes import Cuts
from .model import PlaneModel
from .photos import whole
from .recipe import PlaneRecipe

BATCH = 32
#: Mean bytes at which progress is told.
BUDGETS = (700, 1000, 1500, 2000, 3000, 5000)


def pixels_of(photos: Sequence[np.ndarray]) -> Tensor:
    """Photos squashed to 224x224 as pixels 0..255, [n, 3, 224, 224]."""
    return torch.from_numpy(np.stack([whole(p) for p in photos]).transpose(0, 3, 1, 2).copy()).float()


class HeldOut:
    """Photos with what the judges say of them."""

    def __init__(self, photos: Sequence[np.ndarray], judges: Sequence[Judge], device: torch.device) -> None:
        self.pixels = pixels_of(photos).to(device)
        self.judges = judges
        self.pictures = (self.pixels - 127) / 128
        self.wanted = [self._said(judge, self.pictures) for judge in judges]

    @torch.no_grad()
    def _said(self, judge: Judge, pictures: Tensor) -> tuple[list[Tensor], Tensor]:
        with torch.autocast(pictures.device.type, torch.bfloat16):
            parts = [judge(p.clamp(-127 / 128, 1)) for p in torch.split(pictures, BATCH)]
        return [torch.cat(f) for f in zip(*(p[0] for p in parts), strict=True)], torch.cat([p[1] for p in parts])

    @torch.no_grad()
    def decoded(self, model: PlaneModel, y: Tensor, level: Tensor) -> Tensor:
        """Pixels from y [n, C, k, k] at levels that broadcast to it."""
        parts = []
        for part, at in zip(torch.split(y, BATCH), torch.split(level.expand_as(y), BATCH), strict=True):
            with torch.autocast(y.device.type, torch.bfloat16):
                parts.append(model.decode(part, at))
        return torch.cat(parts)

    @torch.no_grad()
    def top5(self, out: Tensor, judge: int) -> float:
        """How often the judge's first answer stays among its first five."""
        answer = self._said(self.judges[judge], out)[1]
        best = self.wanted[judge][1].argmax(1, keepdim=True)
        return float((answer.topk(5, dim=1).indices == best).any(1).float().mean())

    @torch.no_grad()
    def loss(self, model: PlaneModel, y: Tensor, level: Tensor, recipe: PlaneRecipe, which: slice) -> float:
        """What training minimizes, without the rate, by the first judge, on some of the photos, whose y are given."""
        out = self.decoded(model, y, level)
        features, answer = self._said(self.judges[0], out)
        want_features, want = self.wanted[0]
        target = torch.log_softmax(want[which], 1)
        divergence = (target.exp() * (target - torch.log_softmax(answer, 1))).sum(1).clamp_min(0)
        moved = [
            (f.float() - w[which].float()).pow(2).mean((1, 2, 3))
            / w[which].float().pow(2).mean((1, 2, 3)).clamp_min(1e-4)
            for f, w in zip(features, want_features, strict=True)
        ]
        mse = (out - self.pictures[which]).pow(2).mean()
        parts = recipe.feature_weight * torch.stack(moved).mean() + recipe.mse_weight * mse
        return float(parts + recipe.answer_weight * 2 * torch.sqrt(divergence + 0.05).mean())


def on_grid(levels: np.ndarray, like: Tensor) -> Tensor:
    """Levels [C] -> [1, C, k, k]."""
    return torch.from_numpy(levels).to(like).view(1, -1, 1, 1).expand(1, -1, *like.shape[2:])


@torch.no_grad()
def validate(model: PlaneModel, held: HeldOut, cuts: Cuts) -> str:
    """One line: how often each judge's first answer stays among its first five, at the budgets (mean bytes)."""
    y = model.analysis(held.pixels)
    rows = []
    for budget in BUDGETS:
        level = torch.from_numpy(cuts.levels(cuts.place(budget), y.shape[-1])).to(y)
        out = held.decoded(model, y, level)
        psnr = 10 * torch.log10((255 / 128) ** 2 / (out.clamp(-127 / 128, 1) - held.pictures).pow(2).mean((1, 2, 3)))
        kept = "/".join(f"{held.top5(out, j):.3f}" for j in range(len(held.judges)))
        rows.append(f"{budget}B {float(psnr.mean()):.1f}dB {kept}")
    return f"held out: {' | '.join(rows)} | all {cuts.bytes[-1]:.0f}B"
