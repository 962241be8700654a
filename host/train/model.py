"""Encoder, quantizer and decoder of the plane codec as one thing; the decoder is what is trained."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..codec.layout import CELL, CHANNELS, PLANES, centre_weight
from .network import Analysis, Embedded, Synthesis
from .recipe import PlaneRecipe

#: A share of coefficients that may be too large for their channel's planes: one in a picture says little that the next
#: plane does not, and every piece costs time.
RARE = 1e-3
#: What the squares of the linear path's weights count against squared errors, in inputs of unit size.
RIDGE = 30.0


class PlaneModel(nn.Module):
    """``spread`` [C] brings values, in units of pixels, to unit size for the decoder."""

    spread: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.analysis, self.embedded, self.synthesis = Analysis(), Embedded(), Synthesis()
        self.register_buffer("spread", torch.ones(CHANNELS))

    @torch.no_grad()
    def set_tops(self, y: Tensor) -> list[int]:
        """Give each channel as many planes as its y [n, C, k, k] need."""
        planes = torch.arange(1, PLANES + 1).to(y)
        for c in range(CHANNELS):
            beyond = (y[:, c].abs().reshape(-1, 1) >= torch.exp2(planes)).float().mean(0)
            self.embedded.top[c] = float(min(PLANES, 1 + int((beyond > RARE).sum())))
        return [int(t) for t in self.embedded.top.flatten().tolist()]

    def inputs(self, y: Tensor, level: Tensor) -> Tensor:
        """What the decoder's network is given of y at whole levels, [n, C, k, k]."""
        out: Tensor = self.embedded(y, level) / (self.analysis.inverse_step(y.shape[-1]) * self.spread.view(-1, 1, 1))
        return out

    def decode(self, y: Tensor, level: Tensor) -> Tensor:
        """Pixels (x - 127) / 128 of what is known of y at whole levels, [n, C, k, k]."""
        weight = torch.from_numpy(centre_weight(y.shape[-1])).to(y) / 256
        out: Tensor = self.synthesis(self.inputs(y, level), level - torch.log2(weight))
        return out


def parameter_groups(model: PlaneModel, recipe: PlaneRecipe) -> list[dict[str, Any]]:
    """Groups for Adam with their learning rates (``base``)."""
    linear = list(model.synthesis.linear.parameters())
    slow = {id(p) for p in linear}
    rest = [p for p in model.synthesis.parameters() if id(p) not in slow]
    rates = ((rest, recipe.decoder_lr), (linear, recipe.linear_lr), ([model.embedded.offset], recipe.offset_lr))
    return [{"params": parameters, "base": base, "lr": 0.0} for parameters, base in rates]


@torch.no_grad()
def set_spreads(model: PlaneModel, pixels: Tensor) -> None:
    """From crops [n, 3, s, s], 0..255."""
    y = model.analysis(pixels)
    model.spread.copy_((y / model.analysis.inverse_step(y.shape[-1])).pow(2).mean((0, 2, 3)).sqrt())


@torch.no_grad()
def fit_linear(model: PlaneModel, batches: Iterable[tuple[Tensor, Tensor]]) -> None:
    """Start the linear path as the least-squares way back: crops [n, 3, s, s], 0..255, and levels of their cuts."""
    size = CHANNELS * 9 + 1
    like = model.spread.double()
    square, product = like.new_zeros(size, size), like.new_zeros(size, 3 * CELL**2)
    for pixels, level in batches:
        around = F.unfold(model.inputs(model.analysis(pixels), level), 3, padding=1)
        x = F.pad(around.transpose(1, 2).reshape(-1, size - 1), (0, 1), value=1.0)
        wanted = F.pixel_unshuffle((pixels - 127) / 128, CELL).permute(0, 2, 3, 1).reshape(-1, 3 * CELL**2)
        square += (x.T @ x).double()
        product += (x.T @ wanted).double()
    solved = torch.linalg.solve(square + RIDGE * torch.eye(size).to(square), product).float()
    linear = model.synthesis.linear
    linear.weight.copy_(solved[:-1].T.reshape(linear.weight.shape))
    assert linear.bias is not None
    linear.bias.copy_(solved[-1])
