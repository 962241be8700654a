"""Analysis transform, quantizer and decoder as one torch module. Only the decoder is trained."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..codec.layout import CELL, CHANNELS, MEANS, PLANES, centre_weight
from .network import Analysis, EmbeddedQuantizer, Synthesis, finer_like, picture_colours
from .recipe import CodecRecipe

#: Fraction of coefficients that may be clipped by their channel's highest plane. Clipping one in a picture loses
#: little, and every pass costs time.
RARE = 1e-3
#: Regularization of the linear path's least-squares fit, for inputs of unit size.
RIDGE = 30.0


class CodecModel(nn.Module):
    """The codec. ``spread`` [C] scales values, in units of pixels, to unit size for the decoder."""

    spread: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.analysis, self.embedded, self.synthesis = Analysis(), EmbeddedQuantizer(), Synthesis()
        self.register_buffer("spread", torch.ones(CHANNELS))

    @torch.no_grad()
    def set_tops(self, y: Tensor) -> list[int]:
        """Set and return the number of planes that each channel of y [n, C, k, k] needs.

        Means have all, so that they are never clipped.
        """
        planes = torch.arange(1, PLANES + 1).to(y)
        for c in range(CHANNELS):
            beyond = (y[:, c].abs().reshape(-1, 1) >= torch.exp2(planes)).float().mean(0)
            needed = 1 + int((beyond > RARE).sum())
            self.embedded.top[c] = float(PLANES if c < MEANS else min(PLANES, needed))
        return [int(t) for t in self.embedded.top.flatten().tolist()]

    @torch.no_grad()
    def colour(self, y: Tensor) -> Tensor:
        """Return what the picture colour adds to y, [n, C, k, k]: 0 but for the means."""
        inverse = self.analysis.inverse_step(y.shape[-1])[:MEANS]
        # A cosine of unit norm sums a cell to CELL times its mean.
        colours = picture_colours(y[:, :MEANS] / (inverse * CELL))
        return F.pad(colours[..., None, None] * inverse * CELL, (0, 0, 0, 0, 0, CHANNELS - MEANS))

    def inputs(self, y: Tensor, missing: Tensor) -> Tensor:
        """Return the decoder's input values for y with integer numbers of missing planes, [n, C, k, k]."""
        colour, inverse = self.colour(y), self.analysis.inverse_step(y.shape[-1])
        out: Tensor = (self.embedded(y - colour, missing) + colour) / (inverse * self.spread.view(-1, 1, 1))
        return out

    def decode(self, y: Tensor, missing: Tensor) -> Tensor:
        """Decode y with integer numbers of missing planes, [n, C, k, k], to pixels (x - 127) / 128."""
        weight = torch.from_numpy(centre_weight(y.shape[-1])).to(y) / 256
        levels = missing - finer_like(y) - torch.log2(weight)
        out: Tensor = self.synthesis(self.inputs(y, missing), levels)
        return out


def parameter_groups(model: CodecModel, recipe: CodecRecipe) -> list[dict[str, Any]]:
    """Return Adam's parameter groups with their learning rates (``base``)."""
    linear = list(model.synthesis.linear.parameters())
    slow = {id(p) for p in linear}
    rest = [p for p in model.synthesis.parameters() if id(p) not in slow]
    rates = ((rest, recipe.decoder_lr), (linear, recipe.linear_lr), ([model.embedded.offset], recipe.offset_lr))
    return [{"params": parameters, "base": base, "lr": 0.0} for parameters, base in rates]


@torch.no_grad()
def set_spreads(model: CodecModel, pixels: Tensor) -> None:
    """Measure ``spread`` on crops [n, 3, s, s], 0..255."""
    y = model.analysis(pixels)
    model.spread.copy_((y / model.analysis.inverse_step(y.shape[-1])).pow(2).mean((0, 2, 3)).sqrt())


@torch.no_grad()
def fit_linear(model: CodecModel, batches: Iterable[tuple[Tensor, Tensor]]) -> None:
    """Initialize the linear path by least squares on batches of crops [n, 3, s, s], 0..255, and missing planes."""
    size = CHANNELS * 9 + 1
    like = model.spread.double()
    square, product = like.new_zeros(size, size), like.new_zeros(size, 3 * CELL**2)
    for pixels, missing in batches:
        around = F.unfold(model.synthesis.edge(model.inputs(model.analysis(pixels), missing)), 3)
        x = F.pad(around.transpose(1, 2).reshape(-1, size - 1), (0, 1), value=1.0)
        wanted = F.pixel_unshuffle((pixels - 127) / 128, CELL).permute(0, 2, 3, 1).reshape(-1, 3 * CELL**2)
        square += (x.T @ x).double()
        product += (x.T @ wanted).double()
    solved = torch.linalg.solve(square + RIDGE * torch.eye(size).to(square), product).float()
    linear = model.synthesis.linear
    linear.weight.copy_(solved[:-1].T.reshape(linear.weight.shape))
    assert linear.bias is not None
    linear.bias.copy_(solved[-1])
