"""How the codec does on photos that were held out, at ten, five and two channels."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch

from .data import to_pixels
from .recipe import Stage
from .stages import agreement, mse_of
from .trainer import Trainer

CHANNEL_COUNTS = (10, 5, 2)


def psnr_db(mse: float) -> float:
    """Peak signal-to-noise ratio of pixels in [0, 1]."""
    return -10 * math.log10(max(mse, 1e-12))


@dataclass(frozen=True)
class Figures:
    """Means over the held-out photos, one for each of CHANNEL_COUNTS."""

    mse: tuple[float, ...]
    #: Share of photos whose original's first class is among the five of what was decoded.
    agreement: tuple[float, ...]

    def score(self, stage: Stage) -> float:
        """What the best epoch has most of: agreement, or in stage 0 the smallest error."""
        if stage.answer_weight:
            return sum(self.agreement) / len(self.agreement)
        return -sum(self.mse) / len(self.mse)

    def line(self) -> str:
        told = (
            f"{channels} channels: mse {mse:.4g}, psnr {psnr_db(mse):.2f} dB, top-5 agreement {top:.3f}"
            for channels, mse, top in zip(CHANNEL_COUNTS, self.mse, self.agreement, strict=True)
        )
        return "; ".join(told)


@torch.no_grad()
def validate(trainer: Trainer, stop: Callable[[], bool]) -> Figures | None:
    """Each process takes its share of the held-out photos; all get the figures of the whole.

    None when ``stop``, asked before each batch, said so in any process.
    """
    team, pictures = trainer.team, trainer.held_out
    autoencoder, judge = trainer.pipeline.autoencoder, trainer.judge
    mine = pictures[team.rank :: team.size]
    batch = trainer.run.batch // team.size
    # All processes come by here equally often.
    rounds = math.ceil(math.ceil(len(pictures) / team.size) / batch)
    sums = torch.zeros(2, len(CHANNEL_COUNTS), dtype=torch.float64, device=team.device)
    for i in range(rounds):
        if stop():
            return None
        part = mine[i * batch : (i + 1) * batch]
        if not len(part):
            continue
        pixels = to_pixels(part, team.device)
        with trainer.reduced():
            want = judge(pixels)
            for j, channels in enumerate(CHANNEL_COUNTS):
                decoded = autoencoder(pixels, torch.tensor([channels], device=team.device))
                sums[0, j] += mse_of(pixels, decoded).sum()
                sums[1, j] += agreement(want, (trainer.student or judge)(decoded)).sum()
    n = len(CHANNEL_COUNTS)
    means = [value / len(pictures) for value in team.total(sums.flatten().tolist())]
    return Figures(tuple(means[:n]), tuple(means[n:]))
