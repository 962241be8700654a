"""What a step learns from: parts of photos, what is left of them at some number of bytes, and the teachers' answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from ...codec import SIDE, cut
from ...codec import load as load_codec
from ...reference.efficientnet import published
from ..passes import draw_sizes
from .network import LiteNetwork
from .recipe import ClassifierRecipe

Pictures = npt.NDArray[np.uint8]
#: More bytes than any stream has.
ALL_BYTES = 1 << 20


class Batch(NamedTuple):
    """Pictures uint8 [n, 224, 224, 3]; the answers to give, float32 [n, classes], and feature maps [n, c, h, w]."""

    pictures: Pictures
    answers: npt.NDArray[np.float32]
    maps: tuple[npt.NDArray[np.float16], ...] = ()


def draw_part(photo: Pictures, recipe: ClassifierRecipe, rng: np.random.Generator) -> Pictures:
    """Draw a part of a photo, or all of it, squashed to uint8 [224, 224, 3]; every second one is mirrored."""
    height, width = photo.shape[:2]
    wide, high = (1.0, 1.0) if rng.random() < recipe.whole_photos else rng.uniform(recipe.least_side, 1, 2)
    left, top = rng.uniform(0, width * (1 - wide)), rng.uniform(0, height * (1 - high))
    box = (left, top, left + width * wide, top + height * high)
    part = np.asarray(Image.fromarray(photo).resize((SIDE, SIDE), Image.Resampling.BICUBIC, box=box))
    return np.ascontiguousarray(part[:, ::-1]) if rng.random() < 0.5 else part


def starting_network(name: str) -> LiteNetwork:
    """Return the published network."""
    return LiteNetwork(name, {key: torch.from_numpy(t.copy()) for key, t in published.published_tensors(name).items()})


class Samples:
    """Makes batches. Computes in one thread, beside the one in which the network learns."""

    def __init__(self, recipe: ClassifierRecipe, photos: Sequence[Pictures]) -> None:
        self._recipe, self._photos = recipe, photos
        self._codec = load_codec(recipe.codec)
        self._decoder = self._codec.decoder(threads=1)
        self._mapper = starting_network(recipe.network).requires_grad_(False)
        self._teachers = [published.load(name, threads=1) for name in recipe.teachers]

    def answers(self, pictures: Pictures) -> npt.NDArray[np.float32]:
        """Average what the teachers say, float32 [n, classes]."""
        said = [teacher.probabilities(pictures) for teacher in self._teachers]
        return np.asarray(np.mean(said, axis=0), np.float32)

    @torch.no_grad()
    def maps(self, pictures: Pictures) -> tuple[npt.NDArray[np.float16], ...]:
        """Feature maps of the published network, float16 [n, c, h, w]."""
        found, _ = self._mapper.maps_and_logits(torch.from_numpy(pictures), self._recipe.mapped_blocks)
        return tuple(each.half().numpy() for each in found)

    def prefixes(self, pictures: Pictures, sizes_bytes: Sequence[int]) -> Pictures:
        """Decode each picture from its first bytes."""
        streams = [cut(self._codec.encode(p), size) for p, size in zip(pictures, sizes_bytes, strict=True)]
        return np.stack([decoded.picture for decoded in self._decoder.decode_batch(streams)])

    def sizes(self, rng: np.random.Generator) -> list[int]:
        """Draw the bytes of a step's decoded pictures."""
        r = self._recipe
        tiny = draw_sizes(rng, r.tiny, r.fewest_bytes, r.tiny_most_bytes)
        more = draw_sizes(rng, r.prefixes, r.tiny_most_bytes, r.most_bytes)
        return [ALL_BYTES] * r.wholes + [round(size) for size in (*tiny, *more)]

    def draw(self, rng: np.random.Generator) -> Batch:
        """Make the next batch."""
        chosen = rng.choice(len(self._photos), self._recipe.batch, replace=len(self._photos) < self._recipe.batch)
        parts = np.stack([draw_part(self._photos[i], self._recipe, rng) for i in chosen])
        answers = self.answers(parts)
        first = self._recipe.originals
        shown = np.concatenate([parts[:first], self.prefixes(parts[first:], self.sizes(rng))])
        return Batch(shown, answers, self.maps(parts))
