"""Validation of the codec on held-out photos, with ten, five and two channels."""

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
    """Return the peak signal-to-noise ratio of pixels in [0, 1]."""
    return -10 * math.log10(max(mse, 1e-12))


@dataclass(frozen=True)
class Figures:
    """Means over the held-out photos, one for each of ``CHANNEL_COUNTS``."""

    mse: tuple[float, ...]
    #: Fraction of photos whose original's first class is among the first five of the decoded picture.
    agreement: tuple[float, ...]

    def score(self, stage: Stage) -> float:
        """Return the score that selects the best epoch: the agreement, or in stage 0 the negative error."""
        if stage.answer_weight:
            return sum(self.agreement) / len(self.agreement)
        return -sum(self.mse) / len(self.mse)

    def line(self) -> str:
        """Return the figures in one line."""
        parts = (
            f"{channels} channels: mse {mse:.4g}, psnr {psnr_db(mse):.2f} dB, top-5 agreement {top:.3f}"
            for channels, mse, top in zip(CHANNEL_COUNTS, self.mse, self.agreement, strict=True)
        )
        return "; ".join(parts)


@torch.no_grad()
def validate(trainer: Trainer, stop: Callable[[], bool]) -> Figures | None:
    """Validate on the held-out photos, which the processes share, and return the figures of all of them.

    Returns None if ``stop``, called before each batch, returned true in any process.
    """
    team, pictures = trainer.team, trainer.held_out
    autoencoder, teacher = trainer.pipeline.autoencoder, trainer.teacher
    mine = pictures[team.rank :: team.size]
    batch = trainer.run.batch // team.size
    # The same number of rounds in all processes.
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
            wanted = teacher(pixels)
            for j, channels in enumerate(CHANNEL_COUNTS):
                decoded = autoencoder(pixels, torch.tensor([channels], device=team.device))
                sums[0, j] += mse_of(pixels, decoded).sum()
                sums[1, j] += agreement(wanted, (trainer.student or teacher)(decoded)).sum()
    n = len(CHANNEL_COUNTS)
    means = [value / len(pictures) for value in team.total(sums.flatten().tolist())]
    return Figures(tuple(means[:n]), tuple(means[n:]))
