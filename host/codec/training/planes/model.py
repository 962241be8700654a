"""Filters, quantizer, decoder and rate model of the plane codec as one thing."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from host.codec.planes.layout import CELL, CHANNELS, PLANES, centre_weight
from host.codec.training.planes.network import Analysis, Embedded, Rate, Synthesis, shrink
from host.codec.training.planes.recipe import PlaneRecipe

#: A share of coefficients that may be too large for their channel's planes.
RARE = 3e-5


class PlaneModel(nn.Module):
    """What is trained. ``spread`` [C] brings values, in units of pixels, to unit size for the decoder."""

    spread: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.analysis, self.embedded, self.synthesis, self.rate = Analysis(), Embedded(), Synthesis(), Rate()
        self.register_buffer("spread", torch.ones(CHANNELS))

    def bits(self, y: Tensor, value: Tensor, known: Tensor, level: Tensor) -> Tensor:
        """Bits of what is known, [n, C, k, k]."""
        out: Tensor = self.rate(y, value, known, level) * (level < self.embedded.top)
        return out

    @torch.no_grad()
    def set_tops(self, y: Tensor) -> list[int]:
        """Give each channel as many planes as its y [n, C, k, k] need, a little growth counted in."""
        planes = torch.arange(1, PLANES + 1).to(y)
        for c in range(CHANNELS):
            beyond = (1.2 * y[:, c].abs().reshape(-1, 1) >= torch.exp2(planes)).float().mean(0)
            self.embedded.top[c] = float(min(PLANES, 1 + int((beyond > RARE).sum())))
        return [int(t) for t in self.embedded.top.flatten().tolist()]

    def decode(self, value: Tensor, level: Tensor) -> Tensor:
        """Pixels (x - 127) / 128 from values in steps and whole levels, [n, C, k, k]."""
        inverse = self.analysis.inverse_step(value.shape[-1])
        weight = torch.from_numpy(centre_weight(value.shape[-1])).to(value) / 256
        real = level - torch.log2(weight)
        out: Tensor = self.synthesis(value / (inverse * self.spread.view(-1, 1, 1)), real)
        return out


def parameter_groups(model: PlaneModel, recipe: PlaneRecipe) -> list[dict[str, Any]]:
    """Groups for Adam with their learning rates (``base``); ``still`` ones wait until distillation starts."""
    linear = list(model.synthesis.linear.parameters())
    slow = {id(p) for p in linear}
    rest = [p for p in model.synthesis.parameters() if id(p) not in slow]

    def group(parameters: list[nn.Parameter], base: float, still: bool = False) -> dict[str, Any]:
        return {"params": parameters, "base": base, "still": still, "lr": 0.0}

    return [
        group(rest, recipe.decoder_lr),
        group(linear, recipe.linear_lr),
        group([model.embedded.offset], recipe.offset_lr),
        group(list(model.rate.parameters()), recipe.rate_lr),
        group([model.analysis.shape], recipe.filter_lr, still=True),
    ]


@torch.no_grad()
def start(model: PlaneModel, crops: np.ndarray) -> None:
    """Spreads from crops uint8 [n, 3, s, s], and the linear path as the filters' least-squares inverse."""
    y = model.analysis(torch.from_numpy(crops).float())
    amplitude = y / model.analysis.inverse_step(y.shape[-1])
    model.spread.copy_(amplitude.pow(2).mean((0, 2, 3)).sqrt())
    filters = model.analysis.filters().reshape(CHANNELS, -1).double()
    # Least squares with the strength of each channel counted in: what colours share is told apart.
    back = torch.linalg.pinv(filters).float() * model.spread / 128
    linear = model.synthesis.linear
    shrink(linear, 0.0)
    linear.weight[:, :, 1, 1] = back.reshape(3 * CELL**2, CHANNELS)
    size = y.abs().mean((0, 2, 3)).clamp_min(0.05)
    model.rate.ratio.copy_((size.view(-1, 1) / size).view(CHANNELS, CHANNELS, 1, 1))
    model.rate.base[:, 0] = torch.log2(0.2 * size)
