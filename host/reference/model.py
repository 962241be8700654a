"""The published encoder and decoder, layer by layer, in PyTorch.

R. Wang, H. Liu, J. Qiu, M. Xu, R. Guerin, C. Lu, *Progressive Neural Compression for Adaptive Image Offloading under
Timing Constraints*, IEEE RTSS 2023, doi 10.1109/RTSS59052.2023.00020. Padding is TensorFlow's 'same': 224 pixels at
stride 7 become 32 cells with one row of zeros on each side.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..codec.layout import SIDE

STRIDE = 7
GRID = SIDE // STRIDE
CHANNELS = 10
HIDDEN = 16
WIDTH = 64


class Encoder(nn.Module):
    """The encoder: pixels in [0, 1], [n, 3, 224, 224] -> latent [n, 10, 32, 32] >= 0. 5,455,872 multiply-adds."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, HIDDEN, 9, stride=STRIDE, padding=1)
        self.second = nn.Conv2d(HIDDEN, CHANNELS, 3, padding=1)
        for conv in (self.first, self.second):
            nn.init.orthogonal_(conv.weight)
            nn.init.zeros_(conv.bias)  # type: ignore[arg-type]

    def forward(self, pixels: Tensor) -> Tensor:
        return F.relu(self.second(F.relu(self.first(pixels))))


class Decoder(nn.Module):
    """The decoder: latent [n, 10, 32, 32] -> pixels in [0, 1], [n, 3, 224, 224]. 15 G multiply-adds."""

    def __init__(self, width: int = WIDTH) -> None:
        super().__init__()
        # One pixel is cut off on each side: the mirror of the encoder's padding.
        self.enter = nn.ConvTranspose2d(CHANNELS, width, 9, stride=STRIDE, padding=1)
        self.first = nn.Conv2d(width, width, 5, padding=2)
        self.second = nn.Conv2d(width, width, 5, padding=2)
        self.third = nn.Conv2d(width, width, 5, padding=2)
        self.leave = nn.Conv2d(width, 3, 3, padding=1)
        for conv in (self.enter, self.first, self.second, self.third, self.leave):
            nn.init.xavier_uniform_(conv.weight)
            nn.init.zeros_(conv.bias)  # type: ignore[arg-type]

    def forward(self, latent: Tensor) -> Tensor:
        x = F.relu(self.enter(latent))
        x = F.relu(self.first(x)) + x
        x = F.relu(self.second(x))
        x = F.relu(self.third(x)) + x  # from the second layer on, not around both
        out: Tensor = self.leave(x).clamp(0, 1)
        return out


def tail_drop(latent: Tensor, kept: Tensor) -> Tensor:
    """Set all but the first ``kept`` [n] or [1] channels of latent [n, 10, k, k] to zero."""
    places = torch.arange(latent.shape[1], device=latent.device)
    return latent * (places < kept.to(latent.device).view(-1, 1)).to(latent).view(-1, latent.shape[1], 1, 1)


class Autoencoder(nn.Module):
    """Encoder, stochastic tail-drop, decoder."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.decoder = Encoder(), Decoder()

    def forward(self, pixels: Tensor, kept: Tensor) -> Tensor:
        """Map pixels in [0, 1] to pixels in [0, 1]; ``kept``, [n] or [1], is how many channels arrive."""
        out: Tensor = self.decoder(tail_drop(self.encoder(pixels), kept))
        return out
