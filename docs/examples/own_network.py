"""A torch classifier of your own, for ``host.train --recipe classifier --network own_network:build``."""

import torch
from torch import Tensor, nn

MEAN = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)  # ImageNet's, of pictures from 0 to 1
STD = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)


class Tiny(nn.Module):
    """Stands for your network. It takes pictures from 0 to 1 of 64 pixels and tells four classes apart."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 16, 5, stride=2), nn.BatchNorm2d(16), nn.ReLU(), nn.Conv2d(16, 16, 5, stride=2), nn.ReLU()
        )
        self.last = nn.Linear(16, 4)

    def forward(self, pictures: Tensor) -> Tensor:
        return self.last(50 * self.layers(pictures).mean(dim=(2, 3)))


class Adapter(nn.Module):
    """Gives the network what it was trained with. One that was trained as torchvision's are needs no adapter."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, pictures: Tensor) -> Tensor:
        """Return scores [n, classes]. ``pictures`` are float32 [n, 3, 224, 224], (x - mean) / std of ImageNet."""
        pictures = pictures * STD + MEAN
        pictures = nn.functional.interpolate(pictures, size=(64, 64), mode="bilinear", align_corners=False)
        return self.network(pictures)


def build() -> nn.Module:
    """Return the network with its weights. Here they are random; yours come from a file (``load_state_dict``)."""
    torch.manual_seed(1)
    return Adapter(Tiny())
