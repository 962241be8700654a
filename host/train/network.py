"""The networks as torch modules. Analysis and quantizer equal the shipped integer arithmetic.

Shapes: n pictures, C channels, k x k cells of 8x8 pixels (k = 28 at the codec's full size). ``missing`` is the number
of a coefficient's lowest bit-planes that are missing: 0 if all are known, the channel's number of planes if none is.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..codec.layout import (
    CELL,
    CHANNELS,
    COLOUR_OF,
    COLOURS,
    FINER,
    FREQUENCIES,
    LUMA_MIDDLE,
    PLANES,
    centre_weight,
)

WIDTH = 128
CONDITION = 64
BLOCKS = 4
#: Cells up to this many levels away count for a picture colour, the nearest ones most.
NEAR_LEVELS = 24
#: Quantizer step of most luma channels above the planes of ``FINER``, in units of a filter of unit norm.
STEP = 13.75


def cosine_filters() -> np.ndarray:
    """Return each channel's cosine of unit norm, [C, 8, 8]."""
    taps = np.arange(CELL) + 0.5
    bank = []
    for _, down, right in FREQUENCIES:
        waves = [np.cos(np.pi * taps * f / CELL) for f in (down, right)]
        bank.append(np.outer(*(w / np.linalg.norm(w) for w in waves)))
    return np.stack(bank)


def integer_filters() -> tuple[np.ndarray, np.ndarray]:
    """Return the cosines as int8 [C, 8, 8], and the value of one unit of each, [C]."""
    bank = cosine_filters()
    unit = np.abs(bank).max((1, 2)) / 127
    return np.round(bank / unit[:, None, None]).astype(np.int8), unit


def finest_gains() -> np.ndarray:
    """Return the inverse step of each channel's finest plane, [C].

    It is the same for all channels but the lowest frequencies and colour, after the effect of noise in each channel on
    a classifier, and after gains that were learned (docs/codec.md).
    """
    gains = []
    for colour, u, v in FREQUENCIES:
        slow = 0.34 if u + v == 0 else 0.8 if u + v < 3 and max(u, v) < 2 else 1.0
        luma = slow * 2 ** (0.2 * (u - v) / max(1, u + v))
        gains.append((luma, 0.7, 1.1)[colour])
    finest: np.ndarray = np.array(gains) / STEP * np.exp2(FINER)
    return finest


def planes_of(pixels: Tensor) -> Tensor:
    """Convert integer pixels 0..255 to luma - 127, blue and red difference, integers as well, [n, 3, h, w]."""
    mixed = F.conv2d(pixels, torch.tensor(COLOURS).to(pixels).view(3, 3, 1, 1))
    return torch.floor((mixed + 128) / 256) - torch.tensor([LUMA_MIDDLE, 0, 0]).to(pixels).view(3, 1, 1)


def finer_like(x: Tensor) -> Tensor:
    """Return ``FINER`` on the device and in the type of x, [C, 1, 1]."""
    return torch.from_numpy(FINER).to(x).view(-1, 1, 1)


def picture_colours(means: Tensor) -> Tensor:
    """Choose the picture colours of the cells' means in levels, [n, 3, k, k]: integers [n, 3].

    Equals the integer encoder's choice (``native/analysis.c``) where no limit changes it.
    """
    levels = torch.arange(-LUMA_MIDDLE, 256 - LUMA_MIDDLE).to(means)
    # Sums of a cell are whole numbers, but for rounding.
    sums = torch.round(means.flatten(2) * CELL**2)
    cells = torch.floor(sums / CELL**2 + 0.5).clamp(levels[0], levels[-1])
    count = (cells.unsqueeze(-1) == levels).float().sum(2)
    near = NEAR_LEVELS - torch.arange(1.0 - NEAR_LEVELS, NEAR_LEVELS).abs().to(means)
    around = F.conv1d(count.view(-1, 1, 256), near.view(1, 1, -1), padding=NEAR_LEVELS - 1).view(count.shape)
    return levels[around.argmax(2)]


class Analysis(nn.Module):
    """The analysis transform, which is not trained: colours, a cosine transform of 8x8 cells, a gain a channel."""

    filters: Tensor
    gain: Tensor

    def __init__(self) -> None:
        super().__init__()
        whole, unit = integer_filters()
        inputs = np.eye(3)[list(COLOUR_OF)]
        bank = (whole * unit[:, None, None])[:, None] * inputs[:, :, None, None]
        self.register_buffer("filters", torch.from_numpy(bank).float())
        self.register_buffer("gain", torch.from_numpy(finest_gains()).float())

    @torch.no_grad()
    def forward(self, pixels: Tensor) -> Tensor:
        """Transform pixels 0..255, [n, 3, 8k, 8k], to y [n, C, k, k] in finest steps, which are finer in the centre."""
        y = F.conv2d(planes_of(pixels), self.filters, stride=CELL)
        return y * self.inverse_step(y.shape[-1])

    def inverse_step(self, side: int) -> Tensor:
        """Return the inverse steps of the finest planes, [C, k, k]."""
        weight = torch.from_numpy(centre_weight(side)).to(self.gain) / 256
        return self.gain.view(-1, 1, 1) * weight


class EmbeddedQuantizer(nn.Module):
    """Nested dead-zone quantization: the value of y as far as its planes are known."""

    top: Tensor

    def __init__(self) -> None:
        super().__init__()
        #: Position of a value in its interval, [missing planes above ``FINER``, 2]: for a magnitude of one step, for
        #: more.
        self.offset = nn.Parameter(torch.tensor([[0.42, 0.48]]).repeat(PLANES, 1))
        #: Number of planes of each channel: magnitudes are below 2^top.
        self.register_buffer("top", torch.full((CHANNELS, 1, 1), float(PLANES)))

    def known(self, y: Tensor, step: Tensor) -> Tensor:
        """Return the known part of the magnitude, a multiple of ``step`` (2^missing)."""
        whole = torch.minimum(torch.floor(y.abs()), torch.exp2(self.top) - 1)
        return torch.floor(whole / step) * step

    def forward(self, y: Tensor, missing: Tensor) -> Tensor:
        """Return the values of y with integer numbers of missing planes, [n, C, k, k]."""
        step = torch.exp2(missing)
        known = self.known(y, step)
        index = (missing - finer_like(missing)).long().clamp(0, PLANES - 1)
        # A product, since the gradient of an index lookup is slow.
        inside = F.one_hot(index, PLANES).to(self.offset) @ self.offset
        offset = torch.where(known > step, inside[..., 1], inside[..., 0])
        return torch.where(known > 0, torch.sign(y) * (known + offset * step), torch.zeros_like(y))


@torch.no_grad()
def shrink(conv: nn.Conv2d, factor: float) -> None:
    """Scale the initial weights by ``factor`` and set the bias to zero."""
    conv.weight.mul_(factor)
    assert conv.bias is not None
    conv.bias.zero_()


class Block(nn.Module):
    """A residual block of two 3x3 convolutions. The condition scales and shifts the features between them (FiLM)."""

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
    """The decoder: a network at one position a cell, upsampled at the end, beside a linear path to pixels."""

    def __init__(self) -> None:
        super().__init__()
        #: Beyond its border a picture goes on as it is there: zeros would be grey.
        self.edge = nn.ReplicationPad2d(1)
        self.linear = nn.Conv2d(CHANNELS, 3 * CELL**2, 3)
        self.condition = nn.Conv2d(2 * CHANNELS, CONDITION, 1)
        self.enter = nn.Conv2d(2 * CHANNELS, WIDTH, 3)
        self.blocks = nn.ModuleList([Block() for _ in range(BLOCKS)])
        self.leave = nn.Conv2d(WIDTH, 3 * CELL**2, 3, padding=1)
        shrink(self.leave, 0.1)

    def forward(self, values: Tensor, levels: Tensor) -> Tensor:
        """Decode to pixels (x - 127) / 128.

        ``values`` are over their spread, [n, C, k, k]; ``levels`` are the missing planes, less the log of the centre
        weight. Their names are those of the shipped network's inputs.
        """
        x = values.contiguous(memory_format=torch.channels_last)
        u = (levels / PLANES).contiguous(memory_format=torch.channels_last)
        c = F.relu(self.condition(torch.cat([u, torch.exp2(levels - PLANES)], 1)))
        around = self.edge(torch.cat([x, u], 1))
        h = F.relu(self.enter(around))
        for block in self.blocks:
            h = block(h, c)
        out: Tensor = F.pixel_shuffle(self.linear(around[:, :CHANNELS]) + self.leave(F.relu(h)), CELL)
        return out.float()
