"""What held-out photos say during training, and the order of channels they suggest."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from .judges import Judge
from .model import Model
from .network import CHANNELS
from .photos import whole

BATCH = 32


def pixels_of(photos: Sequence[np.ndarray]) -> Tensor:
    """Photos squashed to 224x224 as pixels 0..255, [n, 3, 224, 224]."""
    return torch.from_numpy(np.stack([whole(p) for p in photos]).transpose(0, 3, 1, 2).copy()).float()


@torch.no_grad()
def answers(judge: Judge, pictures: Tensor) -> Tensor:
    """Log-probabilities [n, 1000] of pixels (x - 127) / 128."""
    with torch.autocast("cpu", torch.bfloat16):
        parts = [F.log_softmax(judge(p)[1], 1) for p in torch.split(pictures, BATCH)]
    return torch.cat(parts)


@torch.no_grad()
def decoded(model: Model, away: Tensor, channels: list[int]) -> Tensor:
    """Pixels decoded from whole ``channels`` alone."""
    mask = torch.zeros(1, CHANNELS, 1, 1)
    mask[:, channels] = 1
    with torch.autocast("cpu", torch.bfloat16):
        parts = [model.decode(a, mask.expand(len(a), -1, *a.shape[2:])) for a in torch.split(away, BATCH)]
    return torch.cat(parts).clamp(-127 / 128, 1)


@torch.no_grad()
def validate(model: Model, judge: Judge, photos: Sequence[np.ndarray]) -> str:
    """One line: bytes, PSNR and how often the judge's first answer stays among the first five, at 1 to 10 channels."""
    pixels = pixels_of(photos)
    away = model.away(pixels)
    picture = (pixels - 127) / 128
    best = answers(judge, picture).argmax(1, keepdim=True)
    sizes = model.rate(away).sum((2, 3)).mean(0) / 8
    order = model.order.tolist()
    rows = []
    for n in range(1, CHANNELS + 1):
        out = decoded(model, away, order[:n])
        kept = (answers(judge, out).topk(5, dim=1).indices == best).any(1).float().mean()
        psnr = 10 * torch.log10((255 / 128) ** 2 / (out - picture).pow(2).mean((1, 2, 3))).mean()
        rows.append(f"{float(sizes[order[:n]].sum()):.0f}B {float(psnr):.1f}dB {float(kept):.3f}")
    return "held out: " + " | ".join(rows)


@torch.no_grad()
def best_order(model: Model, judge: Judge, photos: Sequence[np.ndarray], sizes: Tensor) -> tuple[Tensor, str]:
    """Greedy order: next comes the channel that brings the judge's answer closest per byte spent."""
    pixels = pixels_of(photos[:96])
    away = model.away(pixels)
    want = answers(judge, (pixels - 127) / 128)

    def error(channels: list[int]) -> float:
        got = answers(judge, decoded(model, away, channels))
        return float(((want.exp() * (want - got)).sum(1).clamp_min(0) + 0.05).sqrt().mean())

    chosen, notes = [0], ["0"]
    now = error(chosen)
    while len(chosen) < CHANNELS:
        rest = {c: error([*chosen, c]) for c in range(CHANNELS) if c not in chosen}
        c = max(rest, key=lambda c: (now - rest[c]) / float(sizes[c]))
        notes.append(f"{c} ({float(sizes[c]):.0f} B, {now:.3f} -> {rest[c]:.3f})")
        chosen.append(c)
        now = rest[c]
    return torch.tensor(chosen), ", ".join(notes)
