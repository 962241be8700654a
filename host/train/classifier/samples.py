"""What a step learns from: parts of photos, what is left of them at some number of bytes, and the teachers' answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from ...codec import cut
from ...codec import load as load_codec
from ...reference.efficientnet import published
from ..passes import draw_sizes
from .goals import ClassifierTeacher, Goals, Teacher
from .network import LiteNetwork
from .parts import Pictures, draw_part
from .recipe import ClassifierRecipe

#: More bytes than any stream has.
ALL_BYTES = 1 << 20


class Batch(NamedTuple):
    """Pictures uint8 [n, 224, 224, 3]; the answers to give, float32 [n, classes], and feature maps [n, ...]."""

    pictures: Pictures
    answers: npt.NDArray[np.float32]
    maps: tuple[npt.NDArray[np.float16], ...] = ()


def starting_network(name: str) -> LiteNetwork:
    """Return the published network."""
    return LiteNetwork(name, {key: torch.from_numpy(t.copy()) for key, t in published.published_tensors(name).items()})


class PublishedTeachers:
    """The published networks: the mean of their answers, and feature maps of the one that learning starts from."""

    def __init__(self, recipe: ClassifierRecipe) -> None:
        self._mapped = recipe.mapped_blocks
        self._mapper = starting_network(recipe.network).requires_grad_(False)
        self._teacher = ClassifierTeacher([published.load(name, threads=1) for name in recipe.teachers])

    @torch.no_grad()
    def goals(self, pictures: Pictures) -> Goals:
        """Return the goals for pictures uint8 [n, 224, 224, 3]."""
        found, _ = self._mapper.maps_and_logits(torch.from_numpy(pictures), self._mapped)
        return Goals(self._teacher.goals(pictures).answers, tuple(each.half().numpy() for each in found))


class Samples:
    """Makes batches. Computes in one thread, beside the one in which the network learns."""

    def __init__(self, recipe: ClassifierRecipe, photos: Sequence[Pictures], teacher: Teacher | None = None) -> None:
        """``teacher``: None for the recipe's published networks."""
        self._recipe, self._photos = recipe, photos
        self._codec = load_codec(recipe.codec)
        self._decoder = self._codec.decoder(threads=1)
        self.goals = (teacher or PublishedTeachers(recipe)).goals

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
        goals = self.goals(parts)
        first = self._recipe.originals
        shown = np.concatenate([parts[:first], self.prefixes(parts[first:], self.sizes(rng))])
        return Batch(shown, goals.answers, goals.maps)
