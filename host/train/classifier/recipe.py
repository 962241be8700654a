"""What the training of the classifier is told: one frozen table of numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class ClassifierRecipe:
    """Data, schedule and rates. A step has ``originals`` + ``wholes`` + ``tiny`` + ``prefixes`` pictures."""

    name: str = "classifier"
    #: Raised with every new set of weights that ships, and the bits of a number of the filters in its file.
    version: int = 2
    filter_bits: Literal[8, 16] = 16
    #: The codec whose prefixes are learned, and the network that learning starts from: a published one, or a user's.
    codec: str = "pnc-v2"
    network: str = "efficientnet-lite0"
    #: Learning goes on from the adapted network that ships.
    shipped: bool = False
    #: Published networks whose answers for the originals are the goal, averaged; and one that only judges, or None: the
    #: goal judges.
    teachers: tuple[str, ...] = ("efficientnet-lite0", "efficientnet-lite1")
    judge: str | None = "efficientnet-lite2"
    minutes: float = 133.0
    seed: int = 20231205
    #: Pictures of a step: as they are, from the whole stream, and cut evenly in the logarithm of their bytes.
    originals: int = 4
    wholes: int = 1
    tiny: int = 2
    prefixes: int = 9
    fewest_bytes: int = 200
    tiny_most_bytes: int = 500
    most_bytes: int = 5000
    #: A crop's width and height are at least this share of the photo's; so many photos are taken whole.
    least_side: float = 0.5
    whole_photos: float = 0.25
    #: Blocks (of a user's network: submodules) whose feature maps of the original, in the untouched network, are goals
    #: too, and the weight of each map's relative squared error beside the divergence of the answers. Maps teach also
    #: what matters to classes that no training photo shows.
    mapped_blocks: tuple[int | str, ...] = (10, 15)
    map_weights: tuple[float, ...] = (0.5, 1.0)
    #: Rates of filters, as a share of their root mean square in the layer (.8 in the first, .05 in late ones), and of
    #: the gains and offsets that batch normalization learns.
    filter_lr: float = 1e-3
    norm_lr: float = 4e-4
    warm_steps: int = 50
    ema: float = 0.999
    #: Photos kept from training, to see how it goes.
    held_out: int = 400
    validate_s: float = 1800.0

    @property
    def batch(self) -> int:
        """Pictures of a step."""
        return self.originals + self.wholes + self.tiny + self.prefixes


RECIPES = {
    "classifier": ClassifierRecipe(),
    "refine-classifier": ClassifierRecipe(
        "refine-classifier",
        shipped=True,
        minutes=35.0,
        filter_lr=5e-4,
        norm_lr=2e-4,
        tiny=5,
        prefixes=6,
        fewest_bytes=300,
        tiny_most_bytes=800,
    ),
    "classifier-lite2": ClassifierRecipe(
        "classifier-lite2",
        version=1,
        filter_bits=8,
        network="efficientnet-lite2",
        teachers=("efficientnet-lite0", "efficientnet-lite1", "efficientnet-lite2"),
        judge=None,
        minutes=100.0,
        mapped_blocks=(14, 20),
    ),
}
