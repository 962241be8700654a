"""Encoder, decoder and rate model as one thing, with the order in which channels are sent."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from . import network as nets
from .network import CHANNELS, STRIDE, Decoder, Encoder, Rate
from .recipe import Recipe


class Model(nn.Module):
    """What is trained. ``order[r]`` is the channel sent r-th; latents over ``spread`` are of about unit size."""

    order: Tensor
    spread: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.decoder, self.rate = Encoder(), Decoder(), Rate()
        self.register_buffer("order", torch.arange(CHANNELS))
        self.register_buffer("spread", torch.ones(CHANNELS))

    def away(self, pixels: Tensor) -> Tensor:
        """Symbols less their zero, [n, 10, k, k], from pixels 0..255."""
        symbols: Tensor = self.encoder(pixels) - self.encoder.zero.view(-1, 1, 1)
        return symbols

    def decode(self, away: Tensor, arrived: Tensor) -> Tensor:
        """Pixels (x - 127) / 128 from symbols less their zero and the mask of what arrived."""
        out: Tensor = self.decoder(away / self.spread.view(-1, 1, 1), arrived)
        return out

    def in_order(self, mask: Tensor) -> Tensor:
        """A mask [n, 10 * k * k] over the order of transmission -> [n, 10, k, k] over channels."""
        k = round((mask.shape[1] / CHANNELS) ** 0.5)
        by_rank = mask.view(-1, CHANNELS, k, k)
        return by_rank[:, torch.argsort(self.order)]


def parameter_groups(model: Model, recipe: Recipe) -> list[dict[str, Any]]:
    """Groups for Adam with their learning rates (``base``)."""
    e = model.encoder

    def group(parameters: list[nn.Parameter], base: float, encoder: bool = True) -> dict[str, Any]:
        return {"params": parameters, "base": base, "encoder": encoder, "lr": 0.0}

    return [
        group(list(model.decoder.parameters()), recipe.decoder_lr, encoder=False),
        group(list(model.rate.parameters()), recipe.rate_lr, encoder=False),
        group([e.conv1.shape], recipe.first_lr),
        group([e.conv2.shape], recipe.second_lr),
        group([e.conv1.gain, e.conv2.gain], recipe.gain_lr),
        group([e.conv1.bias, e.conv2.bias], recipe.bias_lr),
    ]


@torch.no_grad()
def start(model: Model, crops: np.ndarray, step: float) -> None:
    """Cosine filters, and the linear path of the decoder by least squares, from crops uint8 [n, 3, 224, 224]."""
    nets.start_from_cosines(model.encoder, crops, step)
    pixels = torch.from_numpy(crops).float()
    away = model.away(pixels)
    model.spread.copy_(away.pow(2).mean(dim=(0, 2, 3)).sqrt().clamp_min(0.5))
    latents = away / model.spread.view(-1, 1, 1)
    around = nn.functional.unfold(latents, 3, padding=1)
    cells = nn.functional.pixel_unshuffle((pixels - 127) / 128, STRIDE).flatten(2)
    x = around.permute(0, 2, 1).reshape(-1, CHANNELS * 9)[::7]
    y = cells.permute(0, 2, 1).reshape(-1, 3 * STRIDE**2)[::7]
    x = torch.cat([x, torch.ones(len(x), 1)], 1).double()
    weights = torch.linalg.solve(x.T @ x + 1e-4 * len(x) * torch.eye(x.shape[1]).double(), x.T @ y.double()).float()
    linear = model.decoder.linear
    linear.weight.zero_()
    linear.weight[:, :CHANNELS] = weights[:-1].T.reshape(-1, CHANNELS, 3, 3)
    linear.bias = nn.Parameter(weights[-1].clone())
