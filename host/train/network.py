"""The networks as torch modules, quantized in the loop exactly as the shipped integers will be.

Pixels are 0..255, hidden activations 0..255, latents are whole symbols 0..255.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

HIDDEN = 16
CHANNELS = 10
STRIDE = 7
WIDTH = 64


def round_ste(x: Tensor) -> Tensor:
    """Round; the gradient passes straight through."""
    return x + (torch.round(x) - x).detach()


def int8_ste(weight: Tensor) -> Tensor:
    """``weight`` as int8 times one scale per output channel; the gradient passes straight through."""
    scale = weight.detach().abs().amax(dim=(1, 2, 3), keepdim=True).clamp_min(1e-8) / 127
    return weight + (torch.round(weight.detach() / scale) * scale - weight).detach()


class Filters(nn.Module):
    """A convolution's weights, so expressed that one learning rate suits all of them.

    Each filter is ``size * exp(gain) * shape``: ``size`` is fixed at the start, ``shape`` is then about 1. The bias is
    for an input whose ``centre`` is zero, so that a change of a filter does not shift what it answers on average.
    """

    size: Tensor

    def __init__(self, into: int, out: int, kernel: int, centre: float) -> None:
        super().__init__()
        self.centre = centre
        self.shape = nn.Parameter(torch.zeros(out, into, kernel, kernel))
        self.gain = nn.Parameter(torch.zeros(out))
        self.bias = nn.Parameter(torch.zeros(out))
        self.register_buffer("size", torch.ones(out))

    def weight(self) -> Tensor:
        """[out, in, k, k]"""
        return self.shape * (self.size * torch.exp(self.gain)).view(-1, 1, 1, 1)

    def offset(self, weight: Tensor) -> Tensor:
        """What to add to the answers of ``weight`` on an input that is not centred, [out]."""
        return self.bias - self.centre * weight.sum((1, 2, 3))

    def forward(self, x: Tensor, stride: int) -> Tensor:
        """The answers, with the weights rounded to int8."""
        weight = int8_ste(self.weight())
        return F.conv2d(x, weight, self.offset(weight), stride, padding=1)

    @torch.no_grad()
    def set(self, weight: Tensor, offset: Tensor, size: Tensor) -> None:
        """Start from these weights and offsets."""
        self.size.copy_(size)
        self.shape.copy_(weight / size.view(-1, 1, 1, 1))
        self.bias.copy_(offset + self.centre * int8_ste(self.weight()).sum((1, 2, 3)))


class Encoder(nn.Module):
    """PNC's encoder: conv 9x9 stride 7, 16 ch, ReLU -> conv 3x3, 10 ch, ReLU, both 'same'."""

    zero: Tensor
    lift: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = Filters(3, HIDDEN, 9, centre=127)
        self.conv2 = Filters(HIDDEN, CHANNELS, 3, centre=128)
        #: Symbol that stands for "nothing here", and what is added before rounding down (0.5: plain rounding).
        self.register_buffer("zero", torch.full((CHANNELS,), 128.0))
        self.register_buffer("lift", torch.full((CHANNELS,), 0.5))

    def forward(self, pixels: Tensor) -> Tensor:
        """[n, 3, 7k, 7k] pixels 0..255 -> [n, 10, k, k] symbols, whole numbers 0..255."""
        hidden = round_ste(self.conv1(pixels, STRIDE).clamp(0, 255))
        y = self.conv2(hidden, 1).clamp(0, 255)
        zero = self.zero.view(-1, 1, 1)
        away = y.detach() - zero
        symbol = zero + torch.sign(away) * torch.floor(away.abs() + self.lift.view(-1, 1, 1))
        out: Tensor = y + (symbol.clamp(0, 255) - y).detach()
        return out


class Block(nn.Module):
    """Two 3x3 convolutions around which the input passes."""

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=dilation, dilation=dilation)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        with torch.no_grad():
            self.second.weight.mul_(0.1)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x + self.second(F.relu(self.first(x)))
        return out


class Decoder(nn.Module):
    """Works at 32x32 and upsamples last; a linear path from latents to pixels lies beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Conv2d(2 * CHANNELS, 3 * STRIDE**2, 3, padding=1)
        self.enter = nn.Conv2d(2 * CHANNELS, WIDTH, 3, padding=1)
        self.blocks = nn.ModuleList([Block(WIDTH, 1), Block(WIDTH, 2), Block(WIDTH, 1)])
        self.gather = nn.Conv2d(WIDTH, WIDTH, 3, padding=1)
        self.leave = nn.Conv2d(WIDTH, 3 * STRIDE**2, 3, padding=1)
        with torch.no_grad():
            self.leave.weight.mul_(0.1)

    def forward(self, latents: Tensor, arrived: Tensor) -> Tensor:
        """Latents [n, 10, k, k] (symbol less zero, over the spread) and mask of 0 and 1 -> pixels (x - 127) / 128."""
        x = torch.cat([latents * arrived, arrived], dim=1).contiguous(memory_format=torch.channels_last)
        h = F.relu(self.enter(x))
        for block in self.blocks:
            h = block(h)
        h = F.relu(self.gather(h))
        out: Tensor = F.pixel_shuffle(self.linear(x) + self.leave(h), STRIDE)
        return out.float()


#: Causal neighbours within a channel as (down, right) steps: W, N, NW, NE, WW, NN.
NEIGHBOURS = ((0, -1), (-1, 0), (-1, -1), (-1, 1), (0, -2), (-2, 0))


class Rate(nn.Module):
    """Bits of each symbol given its causal neighbours: logistic, mean and scale linear in what is known."""

    def __init__(self) -> None:
        super().__init__()
        n = len(NEIGHBOURS)
        self.mean = nn.Parameter(torch.zeros(CHANNELS, n))
        self.spread = nn.Parameter(torch.full((CHANNELS, 2, n), -3.0))
        self.base = nn.Parameter(torch.zeros(CHANNELS))
        with torch.no_grad():
            self.mean[0, :3] = torch.tensor([0.8, 0.8, -0.6])

    def forward(self, away: Tensor) -> Tensor:
        """``away`` [n, 10, k, k]: symbols less zero -> bits [n, 10, k, k]."""
        k = away.shape[-1]
        padded = F.pad(away, (2, 2, 2, 0))
        near = torch.stack([padded[..., 2 + d : 2 + d + k, 2 + r : 2 + r + k] for d, r in NEIGHBOURS], dim=2)
        mean = (near * self.mean.view(CHANNELS, -1, 1, 1)).sum(2)
        weight = F.softplus(self.spread).view(CHANNELS, 2, -1, 1, 1)
        scale = F.softplus(self.base).view(CHANNELS, 1, 1) + 0.02
        scale = scale + (near.abs() * weight[:, 0]).sum(2) + ((near - mean.unsqueeze(2)).abs() * weight[:, 1]).sum(2)
        high = torch.sigmoid((away - mean + 0.5) / scale)
        low = torch.sigmoid((away - mean - 0.5) / scale)
        return -torch.log2((high - low).clamp_min(1e-5))


def cosine_filters(photos: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lapped cosine filters to start from: 16 of [3, 9, 9], and the spread of their answers on ``photos``.

    Photos are [n, 3, 224, 224]. Filter 0 is the mean of luma; the others sum to zero over a grey picture and have
    unit norm over the cell.
    """
    luma, blue, red = (0.299, 0.587, 0.114), (-0.169, -0.331, 0.5), (0.5, -0.419, -0.081)
    plan = [(luma, u, v) for u, v in ((0, 0), (0, 1), (1, 0), (1, 1), (0, 2), (2, 0), (1, 2), (2, 1), (0, 3), (3, 0))]
    plan[3:3] = [(blue, 0, 0), (red, 0, 0)]
    plan += [(blue, 0, 1), (blue, 1, 0), (red, 0, 1), (red, 1, 0)]
    window = np.array([0.25, 0.75, 1, 1, 1, 1, 1, 0.75, 0.25])
    taps = np.arange(-1, 8) + 0.5
    filters = []
    for colour, u, v in plan:
        down, right = (np.cos(np.pi * taps * f / STRIDE) * window for f in (u, v))
        down, right = (w - window * w.sum() / window.sum() if f else w for w, f in ((down, u), (right, v)))
        plane = np.outer(down, right)
        filters.append(np.array(colour)[:, None, None] * plane / np.linalg.norm(plane))
    bank = np.stack(filters)
    answers = F.conv2d(torch.from_numpy(photos).float(), torch.from_numpy(bank).float(), stride=STRIDE, padding=1)
    return bank, answers.std(dim=(0, 2, 3)).numpy()


def start_from_cosines(encoder: Encoder, photos: np.ndarray, step: float) -> None:
    """Set the encoder to cosine filters with a quantizer step of ``step`` (in units of a filter of unit norm)."""
    bank, spread = cosine_filters(photos)
    gain = 127 / (5 * spread)
    gain[0] = 1 / bank[0].sum()
    weight = torch.from_numpy(bank * gain[:, None, None, None]).float()
    offset = torch.full((HIDDEN,), 128.0)
    offset[0] = 0
    encoder.conv1.set(weight, offset, weight.pow(2).mean((1, 2, 3)).sqrt())
    # Chroma, channels 3 and 4, is worth a coarser step.
    steps = np.array([step * (2 if c in (3, 4) else 1) for c in range(CHANNELS)])
    factor = torch.from_numpy(1 / (gain[:CHANNELS] * steps)).float()
    middle = torch.zeros(CHANNELS, HIDDEN, 3, 3)
    middle[range(CHANNELS), range(CHANNELS), 1, 1] = factor
    offset = 128 * (1 - factor)
    offset[0] = 0
    encoder.conv2.set(middle, offset, factor)
    encoder.lift.fill_(0.38)
    encoder.lift[0] = 0.5
    encoder.zero[0] = torch.round(128 * factor[0])
