"""The networks as torch modules, quantized in the loop exactly as the shipped integers will be.

Shapes: n pictures, C channels, k x k cells of 8x8 pixels (k = 28 at 224 pixels). A *level* is how many of a
coefficient's lowest bit-planes are unknown: 0 everything is known, all planes of its channel nothing.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from host.codec.planes.layout import CELL, CHANNELS, COLOURS, FREQUENCIES, PLANES, centre_weight
from host.codec.training.network import int8_ste

WIDTH = 128
CONDITION = 64
BLOCKS = 4
#: Quantizer step of the finest plane of most luma channels, in units of a filter of unit norm.
FINEST_STEP = 13.75


def cosine_filters() -> np.ndarray:
    """The filters to start from, each on its colour's plane, of unit norm, [C, 1, 8, 8]."""
    taps = np.arange(CELL) + 0.5
    bank = []
    for _, down, right in FREQUENCIES:
        waves = [np.cos(np.pi * taps * f / CELL) for f in (down, right)]
        bank.append(np.outer(*(w / np.linalg.norm(w) for w in waves)))
    return np.stack(bank)[:, None]


def finest_gains() -> np.ndarray:
    """Finest planes' inverse steps, [C]: one step for all, but for the lowest frequencies and for colour.

    Measured: what gains that could be learned had come to, smoothed. Learned ones creep (see docs/codec.md).
    """
    gains = []
    for colour, u, v in FREQUENCIES:
        slow = 0.34 if u + v == 0 else 0.8 if u + v < 3 and max(u, v) < 2 else 1.0
        luma = slow * 2 ** (0.2 * (u - v) / max(1, u + v))
        gains.append((luma, 0.7, 1.1)[colour])
    return np.array(gains) / FINEST_STEP


def planes_of(pixels: Tensor) -> Tensor:
    """Whole pixels 0..255 -> luma less 127, blue and red difference, whole as well, [n, 3, h, w]."""
    mixed = F.conv2d(pixels, torch.tensor(COLOURS).to(pixels).view(3, 3, 1, 1))
    return torch.floor((mixed + 128) / 256) - torch.tensor([127, 0, 0]).to(pixels).view(3, 1, 1)


class Analysis(nn.Module):
    """Colours, one 8x8 convolution of stride 8 on each, then a fixed gain a channel: y in units of the finest step."""

    gain: Tensor
    colour: Tensor
    seen: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.shape = nn.Parameter(torch.from_numpy(cosine_filters()).float())
        self.register_buffer("gain", torch.from_numpy(np.log(finest_gains())).float())
        index = [f[0] for f in FREQUENCIES]
        #: What red, green and blue count in each channel's plane, and which plane it is.
        self.register_buffer("colour", torch.tensor(COLOURS)[index].view(CHANNELS, 3, 1, 1) / 256)
        self.register_buffer("seen", torch.eye(3)[index].view(CHANNELS, 3, 1, 1), persistent=False)

    def filters(self) -> Tensor:
        """The channels' filters as they see red, green and blue, [C, 3, 8, 8]."""
        return int8_ste(self.shape) * self.colour

    @torch.no_grad()
    def keep_norms(self) -> None:
        """Give all filters unit norm again: what their size would say is said by the gain."""
        self.shape /= self.shape.flatten(1).norm(dim=1).view(-1, 1, 1, 1)

    def forward(self, pixels: Tensor) -> Tensor:
        """[n, 3, 8k, 8k] pixels 0..255 -> y [n, C, k, k]; the centre of the picture counts more."""
        y = F.conv2d(planes_of(pixels), int8_ste(self.shape) * self.seen, stride=CELL)
        return y * self.inverse_step(y.shape[-1])

    def inverse_step(self, side: int) -> Tensor:
        """Finest planes' inverse steps, [C, k, k]."""
        weight = torch.from_numpy(centre_weight(side)).to(self.gain) / 256
        return torch.exp(self.gain).view(-1, 1, 1) * weight


class Embedded(nn.Module):
    """Nested dead-zone quantization: the value that is known of y when some planes are missing."""

    top: Tensor

    def __init__(self) -> None:
        super().__init__()
        #: Where in its interval a value is taken to be, [level, 2]: of one step, of more.
        self.offset = nn.Parameter(torch.tensor([[0.42, 0.48]]).repeat(PLANES, 1))
        #: Planes of each channel: magnitudes stay below 2^top.
        self.register_buffer("top", torch.full((CHANNELS, 1, 1), float(PLANES)))

    def known(self, y: Tensor, step: Tensor) -> Tensor:
        """Magnitude that is known, a multiple of ``step`` (2^level)."""
        whole = torch.minimum(torch.floor(y.abs()), torch.exp2(self.top) - 1)
        return torch.floor(whole / step) * step

    def forward(self, y: Tensor, level: Tensor) -> tuple[Tensor, Tensor]:
        """y and whole levels [n, C, k, k] -> values, and magnitudes known. The gradient passes where it can matter."""
        step = torch.exp2(level)
        with torch.no_grad():
            known = self.known(y, step)
            # Where nothing was sent, or more than the planes hold, a change of y changes nothing.
            passes = (y.abs() / step).clamp(max=1) * (level < self.top) * (y.abs() < torch.exp2(self.top))
        index = level.long().clamp(max=PLANES - 1)
        # As a product: a lookup's gradient is made one place at a time.
        inside = F.one_hot(index, PLANES).to(self.offset) @ self.offset
        offset = torch.where(known > step, inside[..., 1], inside[..., 0])
        value = torch.where(known > 0, torch.sign(y.detach()) * (known + offset * step), torch.zeros_like(y))
        return value + (y - y.detach()) * passes, known


@torch.no_grad()
def shrink(conv: nn.Conv2d, factor: float) -> None:
    """Start with smaller answers, and no bias."""
    conv.weight.mul_(factor)
    assert conv.bias is not None
    conv.bias.zero_()


class Block(nn.Module):
    """Two 3x3 convolutions around which the input passes; between them the levels scale and shift."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(WIDTH, WIDTH, 3, padding=1)
        self.second = nn.Conv2d(WIDTH, WIDTH, 3, padding=1)
        self.film = nn.Conv2d(CONDITION, 2 * WIDTH, 1)
        shrink(self.second, 0.2)
        shrink(self.film, 0.3)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        scale, shift = self.film(condition).chunk(2, 1)
        out: Tensor = x + self.second(F.relu(self.first(x) * (1 + scale) + shift))
        return out


class Synthesis(nn.Module):
    """Works at one position a cell and upsamples last; a linear path from values to pixels lies beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Conv2d(CHANNELS, 3 * CELL**2, 3, padding=1)
        self.condition = nn.Conv2d(2 * CHANNELS, CONDITION, 1)
        self.enter = nn.Conv2d(2 * CHANNELS, WIDTH, 3, padding=1)
        self.blocks = nn.ModuleList([Block() for _ in range(BLOCKS)])
        self.leave = nn.Conv2d(WIDTH, 3 * CELL**2, 3, padding=1)
        shrink(self.leave, 0.1)

    def forward(self, values: Tensor, levels: Tensor) -> Tensor:
        """Values (over their spread) and levels (the centre's are lower), [n, C, k, k] -> pixels (x - 127) / 128."""
        x = values.contiguous(memory_format=torch.channels_last)
        u = (levels / PLANES).contiguous(memory_format=torch.channels_last)
        c = F.relu(self.condition(torch.cat([u, torch.exp2(levels - PLANES)], 1)))
        h = F.relu(self.enter(torch.cat([x, u], 1)))
        for block in self.blocks:
            h = block(h, c)
        out: Tensor = F.pixel_shuffle(self.linear(x) + self.leave(F.relu(h)), CELL)
        return out.float()


class Rate(nn.Module):
    """Bits of what is known, given what lies around: a logistic whose mean and scale are linear in it.

    A stand-in for the coder's tables while training. A channel sees itself to the west and north, and the channels
    before it all around.
    """

    visible: Tensor
    ratio: Tensor

    def __init__(self) -> None:
        super().__init__()
        earlier = torch.tril(torch.ones(CHANNELS, CHANNELS), -1).view(CHANNELS, CHANNELS, 1, 1).repeat(1, 1, 3, 3)
        causal = torch.tensor([[1.0, 1, 1], [1, 0, 0], [0, 0, 0]])
        self.register_buffer("visible", earlier + torch.eye(CHANNELS).view(CHANNELS, CHANNELS, 1, 1) * causal)
        #: Size of a channel's coefficients over that of another's.
        self.register_buffer("ratio", torch.ones(CHANNELS, CHANNELS, 1, 1))
        self.mean = nn.Parameter(torch.zeros(CHANNELS, CHANNELS, 3, 3))
        self.spread = nn.Parameter(torch.full((CHANNELS, CHANNELS, 3, 3), -7.0))
        #: log2 of the scale where nothing is known around, as a curve over the level.
        self.base = nn.Parameter(torch.tensor([[0.0, 0.0, 0.0]]).repeat(CHANNELS, 1))
        with torch.no_grad():
            own = torch.tensor([[-0.5, 0.7, 0], [0.7, 0, 0], [0, 0, 0]])
            self.mean[:3] = torch.eye(CHANNELS)[:3].view(3, CHANNELS, 1, 1) * own
            self.spread.add_(5.5 * torch.eye(CHANNELS).view(CHANNELS, CHANNELS, 1, 1))

    def forward(self, y: Tensor, value: Tensor, known: Tensor, level: Tensor) -> Tensor:
        """All [n, C, k, k], levels below the channel's planes where anything was sent -> bits."""
        step = torch.exp2(level)
        mean = F.conv2d(value, self.mean * self.ratio * self.visible, padding=1)
        around = F.conv2d(value.abs(), F.softplus(self.spread) * self.ratio * self.visible, padding=1)
        t = level / PLANES
        base = self.base.view(CHANNELS, 3, 1, 1)
        alone: Tensor = base[:, 0] + base[:, 1] * t + base[:, 2] * t * t
        scale = torch.exp2(alone.clamp(-6, 8)) + around + 0.02
        moved = (y - y.detach()) * (y.detach().abs() / step).clamp(max=1)
        sign = torch.sign(y.detach())
        nothing = (known == 0).float()
        low = sign * known - step * nothing
        high = torch.where(nothing > 0, step, sign * (known + step))
        low, high = torch.minimum(low, high) + moved, torch.maximum(low, high) + moved
        a, b = (high - mean) / scale, (low - mean) / scale
        # sigmoid(a) - sigmoid(b), exact in both tails.
        flip = torch.where(a + b > 0, -1.0, 1.0)
        share = torch.sigmoid(torch.maximum(a * flip, b * flip)) - torch.sigmoid(torch.minimum(a * flip, b * flip))
        return -torch.log2(share.clamp_min(1e-6))
